/* calendar - days in a programme's time zone, business days. Time-zone arithmetic is ICU's. Pure: zone data is compiled in. */
#ifndef DOMAIN_CALENDAR_H
#define DOMAIN_CALENDAR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

bool	calendar_zone_valid(const char *zone);				/* "Europe/Amsterdam" */
/* The local date of an instant. */
void	calendar_date(const char *zone, int64_t ms, char date[DATE_TEXT_SIZE]);
/* First and last ms of a local day; a day ends at local midnight, also on the days when clocks change. */
int64_t	calendar_day_start_ms(const char *zone, const char *date);
int64_t	calendar_day_end_ms(const char *zone, const char *date);	/* start of the next day minus 1 */
/* The date `n` business days after `date` (weekend: array of ISO weekdays 1-7; holidays: array of dates). */
void	calendar_add_business_days(const char *date, int n, const json_t *weekend, const json_t *holidays,
	    char out[DATE_TEXT_SIZE]);
void	calendar_add_days(const char *date, int n, char out[DATE_TEXT_SIZE]);

#endif
