/* clock - see clock.h. */
#include "base/clock.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#define DAY_MS		86400000LL
#define TIME_LEAST_MS	(-62135596800000LL)	/* 0001-01-01T00:00:00.000Z */
#define TIME_MOST_MS	253402300799999LL	/* 9999-12-31T23:59:59.999Z */

static int64_t	days_from_date(int year, int month, int day);
static void	date_from_days(int64_t days, int *year, int *month, int *day);
static bool	date_exists(int year, int month, int day);
static bool	digits_read(const char **p, int count, int *value);
static void	digits_write(char *p, int count, int value);
static bool	ymd_read(const char **p, int *year, int *month, int *day);
static bool	hms_read(const char **p, int64_t *ms);
static bool	fraction_read(const char **p, int64_t *ms);
static bool	offset_read(const char **p, int64_t *ms);

int64_t
clock_real_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/*
 * The proleptic Gregorian calendar, with years that begin in March: the leap day is then the last of its year, and the
 * days before month m (0 = March) are (153 m + 2) / 5. Years are 1 or later here, so all divisions are of positives.
 */
static int64_t
days_from_date(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static void
date_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t d = days + 719468;		/* since 0000-03-01 */
	int64_t y, m;

	assert(d >= 306);			/* 0001-01-01 */
	y = d * 400 / 146097;			/* by the mean length of a year: one off at most, put right by counting */
	while (365 * y + y / 4 - y / 100 + y / 400 > d)
		y--;
	while (365 * (y + 1) + (y + 1) / 4 - (y + 1) / 100 + (y + 1) / 400 <= d)
		y++;
	d -= 365 * y + y / 4 - y / 100 + y / 400;
	m = (5 * d + 2) / 153;
	*day = (int)(d - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(m < 10 ? y : y + 1);
}

static bool
date_exists(int year, int month, int day)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (year < 1 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= lengths[month - 1] + (month == 2 && leap);
}

static bool
digits_read(const char **p, int count, int *value)
{
	*value = 0;
	for (; count > 0; count--, ++*p) {
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (**p - '0');
	}
	return true;
}

static void
digits_write(char *p, int count, int value)
{
	while (count-- > 0) {
		p[count] = (char)('0' + value % 10);
		value /= 10;
	}
}

static bool
ymd_read(const char **p, int *year, int *month, int *day)
{
	return digits_read(p, 4, year) && *(*p)++ == '-' && digits_read(p, 2, month) && *(*p)++ == '-' &&
	    digits_read(p, 2, day) && date_exists(*year, *month, *day);
}

/* A leap second (RFC 3339, 5.6, allows :60) has no Unix time, hence is refused. */
static bool
hms_read(const char **p, int64_t *ms)
{
	int hour, minute, second;

	if (!digits_read(p, 2, &hour) || *(*p)++ != ':' || !digits_read(p, 2, &minute) || *(*p)++ != ':' ||
	    !digits_read(p, 2, &second) || hour > 23 || minute > 59 || second > 59)
		return false;
	*ms = ((hour * 60LL + minute) * 60 + second) * 1000;
	return true;
}

static bool
fraction_read(const char **p, int64_t *ms)
{
	int count = 0, value = 0;

	*ms = 0;
	if (**p != '.')
		return true;
	for (++*p; **p >= '0' && **p <= '9'; ++*p, count++) {
		if (count == 9)
			return false;
		if (count < 3)
			value = value * 10 + (**p - '0');
	}
	for (int i = count; i < 3; i++)
		value *= 10;
	*ms = value;
	return count > 0;
}

static bool
offset_read(const char **p, int64_t *ms)
{
	int hour, minute, sign;

	*ms = 0;
	if (**p == 'Z' || **p == 'z') {
		++*p;
		return true;
	}
	if (**p != '+' && **p != '-')
		return false;
	sign = *(*p)++ == '-' ? -1 : 1;
	if (!digits_read(p, 2, &hour) || *(*p)++ != ':' || !digits_read(p, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*ms = sign * (hour * 60LL + minute) * 60000;
	return true;
}

void
time_format(int64_t ms, char text[TIME_TEXT_SIZE])
{
	int64_t days = ms >= 0 ? ms / DAY_MS : (ms - DAY_MS + 1) / DAY_MS;
	int rest = (int)(ms - days * DAY_MS);
	int year, month, day;

	assert(ms >= TIME_LEAST_MS && ms <= TIME_MOST_MS);
	date_from_days(days, &year, &month, &day);
	memcpy(text, "0000-00-00T00:00:00.000Z", sizeof("0000-00-00T00:00:00.000Z"));
	digits_write(text, 4, year);
	digits_write(text + 5, 2, month);
	digits_write(text + 8, 2, day);
	digits_write(text + 11, 2, rest / 3600000);
	digits_write(text + 14, 2, rest / 60000 % 60);
	digits_write(text + 17, 2, rest / 1000 % 60);
	digits_write(text + 20, 3, rest % 1000);
}

bool
time_parse(const char *text, int64_t *ms)
{
	int64_t clock_ms, fraction_ms, offset_ms, result;
	const char *p = text;
	int year, month, day;

	if (!ymd_read(&p, &year, &month, &day) || (*p != 'T' && *p != 't'))
		return false;
	p++;
	if (!hms_read(&p, &clock_ms) || !fraction_read(&p, &fraction_ms) || !offset_read(&p, &offset_ms) || *p)
		return false;
	result = days_from_date(year, month, day) * DAY_MS + clock_ms + fraction_ms - offset_ms;
	if (result < TIME_LEAST_MS || result > TIME_MOST_MS)
		return false;
	*ms = result;
	return true;
}

bool
date_parse(const char *text, int64_t *days)
{
	const char *p = text;
	int year, month, day;

	if (!ymd_read(&p, &year, &month, &day) || *p || year < 1900 || year > 2999)
		return false;
	if (days)
		*days = days_from_date(year, month, day);
	return true;
}

void
date_format(int64_t days, char text[DATE_TEXT_SIZE])
{
	int year, month, day;

	assert(days <= TIME_MOST_MS / DAY_MS);
	date_from_days(days, &year, &month, &day);
	memcpy(text, "0000-00-00", DATE_TEXT_SIZE);
	digits_write(text, 4, year);
	digits_write(text + 5, 2, month);
	digits_write(text + 8, 2, day);
}
