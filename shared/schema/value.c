/* value - one value of a client, by the type of its member. */
#include "schema/check_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/json.h"

typedef json_t *value_fn(const struct check *check, const struct path *path, const struct member *member,
    const json_t *value);

static value_fn	value_id, value_enum, value_bool, value_int, value_decimal, value_money, value_date, value_time,
		value_currency, value_country, value_format, value_object, value_list, value_json;
static json_t	*same(const json_t *value);
static json_t	*wrong_type(const struct check *check, const struct path *path, const char *expected, const char *words);
static json_t	*wrong_format(const struct check *check, const struct path *path, const char *format, const char *words);
static bool	 in_range(const struct check *check, const struct path *path, int64_t value, int64_t least, int64_t most,
		    int digits);
static int	 decimal_shape(const char *text);
static bool	 money_amount(const struct check *check, const struct path *path, const struct member *member,
		    const struct currency *currency, const json_t *value);
static const struct currency *money_currency(const struct check *check, const struct path *path, const json_t *value);
static bool	 list_items(const struct check *check, const struct path *path, const struct member *member,
		    const json_t *value, json_t *list);
static bool	 has_nul(const json_t *value);

static const struct {
	value_fn	*check;
	const char	*format;	/* FORMAT types: the format's name, NULL: the member's `of` */
} types[] = {
	[MEMBER_STRING]		= { check_text, NULL },
	[MEMBER_TEXT]		= { check_text, NULL },
	[MEMBER_ID]		= { value_id, NULL },
	[MEMBER_ENUM]		= { value_enum, NULL },
	[MEMBER_BOOL]		= { value_bool, NULL },
	[MEMBER_INT]		= { value_int, NULL },
	[MEMBER_DECIMAL]	= { value_decimal, NULL },
	[MEMBER_MONEY]		= { value_money, NULL },
	[MEMBER_DATE]		= { value_date, NULL },
	[MEMBER_TIME]		= { value_time, NULL },
	[MEMBER_CURRENCY]	= { value_currency, NULL },
	[MEMBER_COUNTRY]	= { value_country, NULL },
	[MEMBER_EMAIL]		= { value_format, "email" },
	[MEMBER_URL]		= { value_format, "url" },
	[MEMBER_OBJECT]		= { value_object, NULL },
	[MEMBER_LIST]		= { value_list, NULL },
	[MEMBER_JSON]		= { value_json, NULL },
	[MEMBER_ANY]		= { NULL, NULL },
	[MEMBER_FORMAT]		= { value_format, NULL },
	[MEMBER_MAP]		= { NULL, NULL },
};

json_t *
check_value(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	assert(types[member->type].check);
	return types[member->type].check(check, path, member, value);
}

/* Values of clients are shared with what is made from them: neither side writes into a value. */
static json_t *
same(const json_t *value)
{
	return json_incref((json_t *)(uintptr_t)value);
}

static json_t *
wrong_type(const struct check *check, const struct path *path, const char *expected, const char *words)
{
	check_fault(check, path, "invalid_type", json_pack("{s:s}", "expected", expected), "Give %s", words);
	return NULL;
}

static json_t *
wrong_format(const struct check *check, const struct path *path, const char *format, const char *words)
{
	check_fault(check, path, "invalid_format", json_pack("{s:s}", "format", format), "Give %s", words);
	return NULL;
}

static json_t *
value_id(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	const char *text = check_string(check, path, value);

	if (text == NULL)
		return NULL;
	if (id_valid(text, member->of))
		return same(value);
	if (member->of)
		check_fault(check, path, "invalid_format", json_pack("{s:s, s:s}", "format", "id", "prefix", member->of),
		    "Give an id that this server made: %s_ and 26 characters", member->of);
	else
		wrong_format(check, path, "id", "an id that this server made: three letters, _ and 26 characters");
	return NULL;
}

static json_t *
value_enum(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	const char *text = check_string(check, path, value);
	struct buf words = BUF_INIT(480);		/* what a detail holds */
	json_t *allowed;

	if (text == NULL)
		return NULL;
	for (const char *const *v = member->values; *v; v++)
		if (strcmp(text, *v) == 0)
			return same(value);
	allowed = json_array();
	for (const char *const *v = member->values; *v; v++) {
		json_array_append_new(allowed, json_string(*v));
		buf_addf(&words, v == member->values ? "%s" : ", %s", *v);
	}
	check_fault(check, path, "invalid_enum", json_pack("{s:o}", "allowed", allowed), "Give one of: %s", words.data);
	buf_done(&words);
	return NULL;
}

static json_t *
value_bool(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	(void)member;
	return json_is_boolean(value) ? same(value) : wrong_type(check, path, "boolean", "true or false");
}

static json_t *
value_int(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	if (!json_is_integer(value))
		return wrong_type(check, path, "integer", "a whole number, without quotes and point");
	return in_range(check, path, json_integer_value(value), member->min, member->max, -1) ? same(value) : NULL;
}

/* digits -1: params and words have plain integers, else decimals. */
static bool
in_range(const struct check *check, const struct path *path, int64_t value, int64_t least, int64_t most, int digits)
{
	bool small = value < least;
	int64_t limit = small ? least : most;
	char text[DECIMAL_SIZE];

	if (value >= least && value <= most)
		return true;
	if (digits >= 0)
		decimal_format(limit, digits, text);
	else
		snprintf(text, sizeof(text), "%lld", (long long)limit);
	check_fault(check, path, small ? "too_small" : "too_large",
	    json_pack("{s:o}", small ? "min" : "max", digits >= 0 ? json_string(text) : json_integer(limit)),
	    small ? "Give %s or more" : "Give %s or less", text);
	return false;
}

/* Fraction digits of a decimal in the one form that is taken: -?(0|[1-9]d*)(.d+)?, no "-0"; -1: another form. */
static int
decimal_shape(const char *text)
{
	const char *p = text + (*text == '-');
	size_t whole = strspn(p, "0123456789"), fraction = 0;

	if (whole == 0 || (p[0] == '0' && whole > 1))
		return -1;
	if (p[whole] == '.') {
		fraction = strspn(p + whole + 1, "0123456789");
		if (fraction == 0)
			return -1;
		if (p[whole + 1 + fraction] != '\0')
			return -1;
	} else if (p[whole] != '\0') {
		return -1;
	}
	if (*text == '-' && p[strspn(p, "0.")] == '\0')
		return -1;
	return fraction > 99 ? 99 : (int)fraction;
}

static json_t *
value_decimal(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	char text[DECIMAL_SIZE];
	const char *given;
	int64_t number;
	int digits;

	if (!json_is_string(value))
		return wrong_type(check, path, "string", "a decimal number in quotes, such as \"20.00\"");
	given = check_string(check, path, value);
	if (given == NULL)
		return NULL;
	digits = decimal_shape(given);
	if (digits == -1 || digits > member->digits) {
		check_fault(check, path, "invalid_format",
		    json_pack("{s:s, s:i}", "format", "decimal", "digits", member->digits),
		    "Give a decimal number with at most %d digits after the point", member->digits);
		return NULL;
	}
	if (!decimal_parse(given, member->digits, &number))		/* the form is right: too large for us */
		number = given[0] == '-' ? INT64_MIN : INT64_MAX;
	if (!in_range(check, path, number, member->min, member->max, member->digits))
		return NULL;
	if ((member->flags & MEMBER_GIVEN) || digits == member->digits)
		return same(value);
	decimal_format(number, member->digits, text);
	return json_string(text);
}

static json_t *
value_money(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	static const struct member rows[] = {
		{ .name = "amount", .flags = MEMBER_WRITE },
		{ .name = "currency", .flags = MEMBER_WRITE },
		{ .name = NULL },
	};
	static const struct schema money = { "money", NULL, rows, 0 };
	const struct path amount_path = { path, "amount", 0 }, currency_path = { path, "currency", 0 };
	const struct currency *currency;
	json_t *amount, *code;
	bool right;

	if (!json_is_object(value))
		return wrong_type(check, path, "object", "an amount such as {\"amount\": \"1234.50\", \"currency\": \"EUR\"}");
	amount = json_object_get(value, "amount");
	code = json_object_get(value, "currency");
	currency = money_currency(check, &currency_path, code);
	right = money_amount(check, &amount_path, member, currency, amount) && currency;
	if (json_object_size(value) != (size_t)(amount != NULL) + (code != NULL)) {
		check_unknown(check, path, &money, value);
		right = false;
	}
	if (!right)
		return NULL;
	if (strcmp(json_object_iter_key(json_object_iter((json_t *)(uintptr_t)value)), "amount") == 0)
		return same(value);
	return json_pack("{s:O, s:O}", "amount", amount, "currency", code);
}

static const struct currency *
money_currency(const struct check *check, const struct path *path, const json_t *value)
{
	const char *wanted = check->context ? check->context->currency : NULL;
	const struct currency *currency;
	const char *code;

	if (value == NULL || json_is_null(value)) {
		check_fault(check, path, "required", NULL, "currency is required: an ISO 4217 code such as %s",
		    wanted ? wanted : "EUR");
		return NULL;
	}
	code = check_string(check, path, value);
	if (code == NULL)
		return NULL;
	currency = currency_find(code);
	if (currency == NULL) {
		wrong_format(check, path, "currency", "an ISO 4217 code such as EUR");
		return NULL;
	}
	if (wanted && strcmp(wanted, code) != 0) {
		check_fault(check, path, "currency_mismatch", json_pack("{s:s}", "expected", wanted), "Give the amount in %s",
		    wanted);
		return NULL;
	}
	return currency;
}

/* currency NULL: it is wrong itself, so only the form can be judged. */
static bool
money_amount(const struct check *check, const struct path *path, const struct member *member,
    const struct currency *currency, const json_t *value)
{
	int digits = currency ? currency->digits : 0, shape;
	int64_t minor;
	const char *text;

	if (value == NULL || json_is_null(value)) {
		check_fault(check, path, "required", NULL, "amount is required: a decimal number in quotes");
		return false;
	}
	if (!json_is_string(value)) {
		check_fault(check, path, "invalid_money", currency ? json_pack("{s:i}", "digits", digits) : NULL,
		    "Give the amount in quotes, as \"1234.50\"");
		return false;
	}
	text = check_string(check, path, value);
	if (text == NULL)
		return false;
	shape = decimal_shape(text);
	if (currency == NULL) {
		if (shape == -1)
			check_fault(check, path, "invalid_money", NULL, "Give a decimal number such as 1234.50");
		return false;
	}
	if (shape != digits) {
		check_fault(check, path, "invalid_money", json_pack("{s:i}", "digits", digits),
		    "%s has %d digits: write 1234%s%.*s", currency->code, digits, digits ? "." : "", digits, "5000");
		return false;
	}
	if (!decimal_parse_exact(text, digits, &minor))			/* the form is right: beyond what money can be */
		minor = text[0] == '-' ? INT64_MIN : INT64_MAX;
	return in_range(check, path, minor, member->min, member->max, digits);
}

static json_t *
value_date(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	const char *text = check_string(check, path, value);

	(void)member;
	if (text == NULL)
		return NULL;
	return date_parse(text, NULL) ? same(value) : wrong_format(check, path, "date", "a date that exists, as 2026-09-10");
}

static json_t *
value_time(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	const char *given = check_string(check, path, value);
	char text[TIME_TEXT_SIZE];
	int64_t ms;

	(void)member;
	if (given == NULL)
		return NULL;
	if (!time_parse(given, &ms))
		return wrong_format(check, path, "date-time", "a time with its offset, as 2026-09-15T08:00:00.000Z");
	time_format(ms, text);
	return strcmp(text, given) == 0 ? same(value) : json_string(text);
}

static json_t *
value_currency(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	const char *text = check_string(check, path, value);

	(void)member;
	if (text == NULL)
		return NULL;
	return currency_find(text) ? same(value) : wrong_format(check, path, "currency", "an ISO 4217 code such as EUR");
}

static json_t *
value_country(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	const char *text = check_string(check, path, value);

	(void)member;
	if (text == NULL)
		return NULL;
	if (strlen(text) == 2 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2)
		return same(value);
	return wrong_format(check, path, "country", "an ISO 3166-1 code: two capital letters, as NL");
}

static json_t *
value_format(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	const char *name = types[member->type].format ? types[member->type].format : member->of;
	const struct format *format = format_find(name);
	json_t *text = check_text(check, path, member, value);

	if (text == NULL || format->valid(json_string_value(text)))
		return text;
	json_decref(text);
	check_fault(check, path, format->code ? format->code : "invalid_format", json_pack("{s:s}", "format", name), "Give %s",
	    format->words);
	return NULL;
}

static json_t *
value_object(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	if (!json_is_object(value))
		return wrong_type(check, path, "object", "an object");
	return check_object(check, path, member->sub, value);
}

static json_t *
value_list(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	size_t count = json_array_size(value);
	json_t *list;

	if (!json_is_array(value))
		return wrong_type(check, path, "array", "a list");
	if ((int64_t)count > member->max) {
		check_fault(check, path, "too_many", json_pack("{s:I}", "max", (json_int_t)member->max),
		    "Give at most %lld; these are %zu", (long long)member->max, count);
		return NULL;
	}
	if ((int64_t)count < member->min) {
		check_fault(check, path, "too_short", json_pack("{s:I}", "min", (json_int_t)member->min), "Give at least %lld",
		    (long long)member->min);
		return NULL;
	}
	list = json_array();
	if (list_items(check, path, member, value, list))
		return list;
	json_decref(list);
	return NULL;
}

/* Every item is looked at, so that every fault is told. */
static bool
list_items(const struct check *check, const struct path *path, const struct member *member, const json_t *value,
    json_t *list)
{
	struct member one = *member;
	struct path here = { path, NULL, 0 };
	json_t *item, *clean;
	bool right = true;
	size_t twin;

	one.type = member->item;
	one.min = 1;
	one.max = member->item_max;
	json_array_foreach (value, here.index, item) {
		clean = check_value(check, &here, &one, item);
		right = right && clean;
		if (clean == NULL)
			continue;
		if (member->flags & MEMBER_UNIQUE) {
			for (twin = 0; twin < json_array_size(list); twin++)
				if (json_equal(json_array_get(list, twin), clean))
					break;
			if (twin < json_array_size(list)) {
				check_fault(check, &here, "not_unique", NULL, "This is in the list already: leave it out");
				right = false;
			}
		}
		json_array_append_new(list, clean);
	}
	return right;
}

static json_t *
value_json(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	struct buf text = BUF_INIT((size_t)member->max);
	bool full;

	if (!json_is_object(value))
		return wrong_type(check, path, "object", "an object");
	if (has_nul(value)) {
		check_fault(check, path, "invalid_format", NULL, "Leave out the character U+0000");
		return NULL;
	}
	json_write(&text, value);
	full = text.full;
	buf_done(&text);
	if (!full)
		return same(value);
	check_fault(check, path, "too_long", json_pack("{s:I}", "max", (json_int_t)member->max),
	    "Give at most %lld bytes of JSON", (long long)member->max);
	return NULL;
}

static bool
has_nul(const json_t *value)
{
	const char *name;
	json_t *child;
	size_t i;

	if (json_is_string(value))
		return memchr(json_string_value(value), '\0', json_string_length(value)) != NULL;
	json_array_foreach (value, i, child)
		if (has_nul(child))
			return true;
	json_object_foreach ((json_t *)(uintptr_t)value, name, child)
		if (has_nul(child))
			return true;
	return false;
}
