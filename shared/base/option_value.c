/* option_value - see option_internal.h. */
#include "base/option_internal.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xmalloc.h"

struct unit {
	const char	*name;
	int64_t		 factor;
};

static const struct unit *units_of(const struct option_row *row);
static bool	number_read(const struct option_row *row, const char *text, int64_t *number);
static bool	number_set(const struct option_row *row, void *slot, const char *text, char *why);
static bool	bool_set(void *slot, const char *text, char *why);

/* The largest first, the unit of a bare number last ("" is how that one is read; the entry before it is how it is written). */
static const struct unit no_units[] = { { "", 1 } };
static const struct unit size_units[] = { { "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "B", 1 }, { "", 1 } };
static const struct unit time_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "min", 60000 }, { "s", 1000 }, { "ms", 1 }, { "", 1000 },
};

static const struct {
	const char	*text;
	bool		 value;
} bools[] = {
	{ "yes", true }, { "true", true }, { "1", true }, { "on", true },
	{ "no", false }, { "false", false }, { "0", false }, { "off", false },
};

void
option_variable(const char *name, char variable[OPTION_VARIABLE_SIZE])
{
	char *p = stpcpy(variable, "COOPCLAIMS_");

	assert(strlen(name) < OPTION_NAME_SIZE);
	for (; *name; name++)
		*p++ = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
	*p = '\0';
}

static const struct unit *
units_of(const struct option_row *row)
{
	if (row->type == OPTION_BYTES)
		return size_units;
	return row->type == OPTION_MS ? time_units : no_units;
}

/* Digits, blanks, a unit; a minus for plain numbers only. false also when it does not fit into 64 bits. */
static bool
number_read(const struct option_row *row, const char *text, int64_t *number)
{
	const struct unit *unit = units_of(row);
	bool negative = *text == '-' && row->type == OPTION_INT;
	const char *p = text + negative;
	int64_t n = 0;

	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
			return false;
	}
	while (*p == ' ')
		p++;
	while (strcmp(unit->name, p) != 0) {
		if (*unit->name == '\0')
			return false;
		unit++;
	}
	if (__builtin_mul_overflow(n, unit->factor, &n))
		return false;
	*number = negative ? -n : n;
	return true;
}

void
option_number_format(const struct option_row *row, int64_t number, char text[OPTION_TEXT_SIZE])
{
	const struct unit *unit = units_of(row);

	while (*unit->name && (number == 0 ? unit[1].name[0] != '\0' : number % unit->factor != 0))
		unit++;
	snprintf(text, OPTION_TEXT_SIZE, "%lld%s", (long long)(number / unit->factor), unit->name);
}

void
option_expected(const struct option_row *row, char *text, size_t size)
{
	char least[OPTION_TEXT_SIZE], most[OPTION_TEXT_SIZE];

	option_number_format(row, row->min, least);
	option_number_format(row, row->max, most);
	switch (row->type) {
	case OPTION_INT:
		snprintf(text, size, "a number from %s to %s", least, most);
		break;
	case OPTION_BYTES:
		snprintf(text, size, "a size from %s to %s, in bytes or with KiB, MiB or GiB", least, most);
		break;
	case OPTION_MS:
		snprintf(text, size, "a time from %s to %s, in seconds or with ms, s, min, h or d", least, most);
		break;
	case OPTION_BOOL:
		snprintf(text, size, "yes or no");
		break;
	case OPTION_LIST:
		snprintf(text, size, "values with commas between them");
		break;
	case OPTION_SECRET:
	case OPTION_STRING:
		snprintf(text, size, "a text");
		break;
	}
}

static bool
number_set(const struct option_row *row, void *slot, const char *text, char *why)
{
	char expected[OPTION_WHY_SIZE / 2];
	int64_t number;

	if (number_read(row, text, &number) && number >= row->min && number <= row->max) {
		memcpy(slot, &number, sizeof(number));
		return true;
	}
	option_expected(row, expected, sizeof(expected));
	snprintf(why, OPTION_WHY_SIZE, "\"%.60s\" is not %s", text, expected);
	return false;
}

static bool
bool_set(void *slot, const char *text, char *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(bools); i++) {
		if (strcasecmp(bools[i].text, text) == 0) {
			memcpy(slot, &bools[i].value, sizeof(bool));
			return true;
		}
	}
	snprintf(why, OPTION_WHY_SIZE, "\"%.60s\" is not yes or no", text);
	return false;
}

bool
option_value_set(const struct option_row *row, void *config, const char *text, char why[OPTION_WHY_SIZE])
{
	void *slot = option_slot(row, config);
	char *copy;

	if (row->type == OPTION_BOOL)
		return bool_set(slot, text, why);
	if (!option_is_text(row))
		return number_set(row, slot, text, why);
	memcpy(&copy, slot, sizeof(copy));
	free(copy);
	copy = xstrdup(text);
	memcpy(slot, &copy, sizeof(copy));
	return true;
}
