/*
 * calendar - days in a programme's time zone, business days. Time-zone arithmetic is ICU's. Pure: zone data is
 * compiled in.
 * Zones given to the functions are valid ones, dates exist (both assert: they are checked where they come in).
 */
#ifndef DOMAIN_CALENDAR_H
#define DOMAIN_CALENDAR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define CALENDAR_ZONE_MAX	63	/* bytes of a zone's name */

/* A name of the IANA time zone database with a place ("Europe/Amsterdam"), or "UTC"; case matters. */
bool	calendar_zone_valid(const char *zone);
/* The local date of an instant. */
void	calendar_date(const char *zone, int64_t ms, char date[DATE_TEXT_SIZE]);
/*
 * First and last ms of a local day; a day ends at local midnight, also on the days when clocks change (23 to 25
 * hours). Where midnight itself is skipped the day starts at the change, where it comes twice at the first one.
 * A date that a zone left out (Pacific/Apia, 2011-12-30) starts with the next day and has no last ms: its end
 * lies before its start.
 */
int64_t	calendar_day_start_ms(const char *zone, const char *date);
int64_t	calendar_day_end_ms(const char *zone, const char *date);	/* start of the next day minus 1 */
/*
 * The date `n` >= 0 business days after `date` (weekend: array of ISO weekdays, 1 Monday to 7 Sunday; holidays:
 * array of dates;
 * NULL: none). 0 gives `date` itself, whatever day it is. A weekend of seven days is none.
 */
void	calendar_add_business_days(const char *date, int n, const json_t *weekend, const json_t *holidays,
	    char out[DATE_TEXT_SIZE]);
/* n may be negative. `out` may be `date`. Beyond 1900-2999 asserts. */
void	calendar_add_days(const char *date, int n, char out[DATE_TEXT_SIZE]);
/* Days from `from` to `to`, negative when `to` lies before. */
int64_t	calendar_days_between(const char *from, const char *to);

#endif
