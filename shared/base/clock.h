/* clock - Unix time in milliseconds, and its RFC 3339 text. No time zones here: domain/calendar.h has them. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_TEXT_SIZE 32	/* "2026-09-15T08:00:00.000Z" and its NUL fit */
#define DATE_TEXT_SIZE 11	/* "2026-09-10" */

int64_t	clock_real_ms(void);		/* CLOCK_REALTIME */
int64_t	clock_mono_us(void);		/* CLOCK_MONOTONIC, microseconds */

/* Writes RFC 3339 UTC with milliseconds. Years 0001-9999, else assert. */
void	time_format(int64_t ms, char text[TIME_TEXT_SIZE]);
/* RFC 3339 with any offset, fraction up to 9 digits (cut to ms). false: not one, or no such date. */
bool	time_parse(const char *text, int64_t *ms);
/* "YYYY-MM-DD", a date that exists, years 1900-2999. days = days since 1970-01-01, may be NULL. */
bool	date_parse(const char *text, int64_t *days);
void	date_format(int64_t days, char text[DATE_TEXT_SIZE]);

#endif
