/* calendar - see calendar.h. ICU's C API; one calendar a zone is kept, for opening one costs more than a request. */
#include "domain/calendar.h"

#include <assert.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "base/xmalloc.h"

#define ZONES_KEPT	16	/* a store has few programmes; beyond that the longest unused one is closed */
#define STARTS_KEPT	64	/* of a zone: a programme asks for the same few days all the time */
#define DAY_MS		86400000LL

struct zone {
	char		 name[CALENDAR_ZONE_MAX + 1];
	UCalendar	*calendar;
	uint64_t	 used;
	struct {
		bool	 known;
		int64_t	 days, ms;
	}		 starts[STARTS_KEPT];	/* of days, by their number */
};

static bool	 zone_text(const char *zone, UChar text[CALENDAR_ZONE_MAX + 1]);
static struct zone *zone_find(const char *name);
static UCalendar *zone_open(const char *zone);
static int64_t	 day_start_ms(const char *zone, int64_t days);
static int64_t	 day_start_find(UCalendar *calendar, int64_t days);
static int64_t	 date_days(const char *date);
static unsigned	 weekend_bits(const json_t *weekend);
static bool	 is_holiday(const json_t *holidays, const char *date);

/*
 * A cache and no state: what it gives depends on the zone alone. One a thread, since a UCalendar is not to be
 * shared.
 */
static _Thread_local struct zone zones[ZONES_KEPT];
static _Thread_local uint64_t zones_used;

/* ICU takes its text as UTF-16; names of zones are ASCII. */
static bool
zone_text(const char *zone, UChar text[CALENDAR_ZONE_MAX + 1])
{
	size_t len = strlen(zone);

	if (len == 0 || len > CALENDAR_ZONE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (zone[i] <= ' ' || zone[i] >= 0x7f)
			return false;
	}
	u_charsToUChars(zone, text, (int32_t)len + 1);
	return true;
}

/*
 * ICU also knows names that say no place: offsets ("GMT+5", "Etc/GMT-3"), abbreviations of its own ("ACT",
 * "PST"), "Etc/Unknown".
 * They are left out: a programme's days follow the law of a place.
 */
bool
calendar_zone_valid(const char *zone)
{
	UChar text[CALENDAR_ZONE_MAX + 1], canonical[128];
	UErrorCode status = U_ZERO_ERROR;
	UBool is_system = 0;

	if (strcmp(zone, "UTC") == 0)
		return true;
	if (strchr(zone, '/') == NULL || strncmp(zone, "Etc/", 4) == 0 || strncmp(zone, "SystemV/", 8) == 0)
		return false;
	if (!zone_text(zone, text))
		return false;
	ucal_getCanonicalTimeZoneID(text, -1, canonical, sizeof(canonical) / sizeof(canonical[0]), &is_system, &status);
	return U_SUCCESS(status) && is_system;
}

/* Gregorian whatever the process's locale is; a skipped midnight is the change itself, a doubled one the first. */
static UCalendar *
zone_open(const char *zone)
{
	UChar text[CALENDAR_ZONE_MAX + 1];
	UErrorCode status = U_ZERO_ERROR;
	UCalendar *calendar;
	bool ok = zone_text(zone, text);

	assert(ok);
	calendar = ucal_open(text, -1, "en_US", UCAL_GREGORIAN, &status);
	assert(U_SUCCESS(status));
	ucal_setAttribute(calendar, UCAL_SKIPPED_WALL_TIME, UCAL_WALLTIME_NEXT_VALID);
	ucal_setAttribute(calendar, UCAL_REPEATED_WALL_TIME, UCAL_WALLTIME_FIRST);
	return calendar;
}

static struct zone *
zone_find(const char *name)
{
	struct zone *oldest = &zones[0];

	for (size_t i = 0; i < ZONES_KEPT; i++) {
		if (zones[i].calendar != NULL && strcmp(zones[i].name, name) == 0) {
			zones[i].used = ++zones_used;
			return &zones[i];
		}
		if (zones[i].used < oldest->used)
			oldest = &zones[i];
	}
	if (oldest->calendar != NULL)
		ucal_close(oldest->calendar);
	memset(oldest, 0, sizeof(*oldest));
	oldest->calendar = zone_open(name);
	strcpy(oldest->name, name);	/* zone_open() asserted its length */
	oldest->used = ++zones_used;
	return oldest;
}

void
calendar_date(const char *zone, int64_t ms, char date[DATE_TEXT_SIZE])
{
	UCalendar *calendar = zone_find(zone)->calendar;
	UErrorCode status = U_ZERO_ERROR;
	int64_t local;

	ucal_setMillis(calendar, (UDate)ms, &status);
	local = ms + ucal_get(calendar, UCAL_ZONE_OFFSET, &status) + ucal_get(calendar, UCAL_DST_OFFSET, &status);
	assert(U_SUCCESS(status));
	date_format(local / DAY_MS - (local % DAY_MS < 0), date);
}

static int64_t
date_days(const char *date)
{
	int64_t days = 0;
	bool ok = date_parse(date, &days);

	assert(ok);
	return days;
}

static int64_t
day_start_ms(const char *zone, int64_t days)
{
	struct zone *kept = zone_find(zone);
	size_t i = (size_t)((uint64_t)days % STARTS_KEPT);

	if (!kept->starts[i].known || kept->starts[i].days != days) {
		kept->starts[i].ms = day_start_find(kept->calendar, days);
		kept->starts[i].days = days;
		kept->starts[i].known = true;
	}
	return kept->starts[i].ms;
}

static int64_t
day_start_find(UCalendar *calendar, int64_t days)
{
	UErrorCode status = U_ZERO_ERROR;
	char date[DATE_TEXT_SIZE];
	int year, month, day;
	UDate ms;

	date_format(days, date);
	year = (date[0] - '0') * 1000 + (date[1] - '0') * 100 + (date[2] - '0') * 10 + date[3] - '0';
	month = (date[5] - '0') * 10 + date[6] - '0';
	day = (date[8] - '0') * 10 + date[9] - '0';
	ucal_clear(calendar);
	ucal_setDateTime(calendar, year, UCAL_JANUARY + month - 1, day, 0, 0, 0, &status);
	ms = ucal_getMillis(calendar, &status);
	assert(U_SUCCESS(status));
	return (int64_t)ms;
}

int64_t
calendar_day_start_ms(const char *zone, const char *date)
{
	return day_start_ms(zone, date_days(date));
}

int64_t
calendar_day_end_ms(const char *zone, const char *date)
{
	return day_start_ms(zone, date_days(date) + 1) - 1;
}

/* Bit 1 Monday ... bit 7 Sunday; 0 when nothing would be left of the week. */
static unsigned
weekend_bits(const json_t *weekend)
{
	unsigned bits = 0;
	const json_t *day;
	size_t i;

	json_array_foreach (weekend, i, day) {
		if (json_integer_value(day) >= 1 && json_integer_value(day) <= 7)
			bits |= 1u << json_integer_value(day);
	}
	return bits == 0xfe ? 0 : bits;
}

static bool
is_holiday(const json_t *holidays, const char *date)
{
	const json_t *holiday;
	size_t i;

	json_array_foreach (holidays, i, holiday) {
		if (json_is_string(holiday) && strcmp(json_string_value(holiday), date) == 0)
			return true;
	}
	return false;
}

void
calendar_add_business_days(const char *date, int n, const json_t *weekend, const json_t *holidays,
    char out[DATE_TEXT_SIZE])
{
	int64_t days = date_days(date);
	unsigned free_days = weekend_bits(weekend);
	char next[DATE_TEXT_SIZE];

	assert(n >= 0);
	date_format(days, next);
	while (n > 0) {
		/* Day 0, 1970-01-01, was a Thursday: ISO weekday 4. */
		unsigned weekday = (unsigned)((++days % 7 + 7 + 3) % 7 + 1);

		date_format(days, next);
		if (!(free_days & 1u << weekday) && !is_holiday(holidays, next))
			n--;
	}
	memcpy(out, next, DATE_TEXT_SIZE);
}

void
calendar_add_days(const char *date, int n, char out[DATE_TEXT_SIZE])
{
	date_format(date_days(date) + n, out);
}

int64_t
calendar_days_between(const char *from, const char *to)
{
	return date_days(to) - date_days(from);
}
