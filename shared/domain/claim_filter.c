/* claim_filter - see claim_filter.h. One row a parameter; a value is compared as it stands in the row's text. */
#include "domain/claim_filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/words.h"
#include "schema/resources.h"

#define TERMS_MAX	32
#define VALUES_MAX	100	/* of one parameter */
#define WORDS_ASKED_MAX	8	/* of q */
#define TEXT_SIZE	512	/* of a value that was asked for */

struct term {
	const struct parameter	*parameter;
	size_t			 count;
	char			**values;	/* as given; count of them, then NULL */
	char			**raw;		/* the same as JSON strings */
	char			 bound[TIME_TEXT_SIZE];	/* of a range of times or days */
	int64_t			 number;	/* of a range of amounts, in 10^-4; of a flag 0, 1 */
	enum claim_column	 column;
	struct words		 words;		/* of q */
};

struct claim_filter {
	struct term	terms[TERMS_MAX];
	size_t		count;
};

struct parameter {
	const char		*name;
	enum claim_column	 column;
	int	(*read)(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
	bool	(*matches)(const struct term *term, const struct claim_row *row);
	const char		*of;		/* prefix of ids; member whose enum values it takes; which end of a range */
	const char		*index;		/* what finds it; NULL: nothing */
};

static int	read_enum(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static int	read_ids(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static int	read_texts(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static int	read_flag(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static int	read_assigned(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static int	read_amount(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static int	read_time(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static int	read_updated(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static int	read_day(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static int	read_words(struct term *term, const char *value, const struct actor *actor, struct problem *problem);
static bool	is_one(const struct term *term, const struct claim_row *row);
static bool	has_one(const struct term *term, const struct claim_row *row);
static bool	is_flag(const struct term *term, const struct claim_row *row);
static bool	is_more(const struct term *term, const struct claim_row *row);
static bool	is_assigned(const struct term *term, const struct claim_row *row);
static bool	in_amounts(const struct term *term, const struct claim_row *row);
static bool	in_texts(const struct term *term, const struct claim_row *row);
static bool	has_words(const struct term *term, const struct claim_row *row);
static struct term *term_add(struct claim_filter *filter, const struct parameter *parameter);
static void	term_value(struct term *term, const char *value, size_t len);

static const struct parameter parameters[] = {
	{ "state", COLUMN_state, read_enum, is_one, "state", "state" },
	{ "waiting_on", COLUMN_waiting_on, read_enum, is_one, "waiting_on", NULL },
	{ "payment_status", COLUMN_payment_status, read_enum, is_one, "status", NULL },
	{ "program_id", COLUMN_program_id, read_ids, is_one, "prg", NULL },
	{ "period_id", COLUMN_period_id, read_ids, is_one, "per", NULL },
	{ "activity_id", COLUMN_activity_id, read_ids, is_one, "act", NULL },
	{ "location_id", COLUMN_location_id, read_ids, is_one, "loc", NULL },
	{ "organization_id", COLUMN_organization_id, read_ids, is_one, "org", NULL },
	{ "created_by", COLUMN_created_by, read_ids, is_one, "usr", NULL },
	{ "reviewer_id", COLUMN_reviewer_id, read_ids, is_one, "usr", "reviewer_id" },
	{ "assigned", COLUMN_reviewer_id, read_assigned, is_assigned, NULL, "reviewer_id" },
	{ "on_hold", COLUMN_on_hold, read_flag, is_flag, NULL, NULL },
	{ "external_reference", COLUMN_external_reference, read_texts, is_one, NULL, "external_reference" },
	{ "tag", COLUMN_tags, read_texts, has_one, NULL, "tag" },
	{ "amount_from", COLUMN_claimed, read_amount, in_amounts, "from", NULL },
	{ "amount_to", COLUMN_claimed, read_amount, in_amounts, "to", NULL },
	{ "currency", COLUMN_currency, read_texts, is_one, NULL, NULL },
	{ "submitted_from", COLUMN_submitted_at, read_time, in_texts, "from", NULL },
	{ "submitted_to", COLUMN_submitted_at, read_time, in_texts, "to", NULL },
	{ "activity_from", COLUMN_activity_to, read_day, in_texts, "from", NULL },
	{ "activity_to", COLUMN_activity_from, read_day, in_texts, "to", NULL },
	{ "updated_from", COLUMN_updated_at, read_updated, in_texts, "from", NULL },
	{ "updated_to", COLUMN_updated_at, read_updated, in_texts, "to", NULL },
	{ "due_before", COLUMN_due_at, read_time, in_texts, "before", NULL },
	{ "has_open_requests", COLUMN_open_requests, read_flag, is_more, NULL, NULL },
	{ "q", COLUMN_name, read_words, has_words, NULL, "words" },
};

/* Who may see what, in the words of a filter. */
static const struct parameter own = { "", COLUMN_organization_id, NULL, is_one, NULL, NULL };
static const struct parameter locations = { "", COLUMN_location_id, NULL, is_one, NULL, NULL };
static const struct parameter programs = { "", COLUMN_program_id, NULL, is_one, NULL, NULL };

struct claim_filter *
claim_filter_new(void)
{
	return xcalloc(1, sizeof(struct claim_filter));
}

void
claim_filter_free(struct claim_filter *filter)
{
	for (size_t i = 0; filter != NULL && i < filter->count; i++) {
		for (size_t n = 0; n < filter->terms[i].count; n++) {
			free(filter->terms[i].values[n]);
			free(filter->terms[i].raw[n]);
		}
		free(filter->terms[i].values);
		free(filter->terms[i].raw);
	}
	free(filter);
}

int
claim_filter_add(struct claim_filter *filter, const char *name, const char *value, const struct actor *actor,
    struct problem *problem)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (strcmp(parameters[i].name, name) == 0)
			return parameters[i].read(term_add(filter, &parameters[i]), value, actor, problem);
	return 0;
}

static struct term *
term_add(struct claim_filter *filter, const struct parameter *parameter)
{
	struct term *term = &filter->terms[filter->count++];

	assert(filter->count <= TERMS_MAX);
	term->parameter = parameter;
	term->column = parameter->column;
	term->values = xcalloc(VALUES_MAX + 1, sizeof(*term->values));
	term->raw = xcalloc(VALUES_MAX + 1, sizeof(*term->raw));
	return term;
}

static void
term_value(struct term *term, const char *value, size_t len)
{
	struct buf raw = BUF_INIT(0);

	json_write_string(&raw, value, len);
	term->values[term->count] = xstrndup(value, len);
	term->raw[term->count++] = buf_take(&raw);
}

static int
refuse(struct problem *problem, const struct term *term, const char *what)
{
	problem_set(problem, "invalid_parameter", "%s must be %s", term->parameter->name, what);
	return -1;
}

/* Calls `fits` with each value between commas. */
static int
read_list(struct term *term, const char *value, bool (*fits)(const struct term *term, const char *text, size_t len),
    struct problem *problem, const char *what)
{
	for (;;) {
		size_t len = strcspn(value, ",");

		if (len == 0 || !fits(term, value, len))
			return refuse(problem, term, what);
		if (term->count == VALUES_MAX)
			return refuse(problem, term, "at most 100 values");
		term_value(term, value, len);
		if (value[len] == '\0')
			return 0;
		value += len + 1;
	}
}

static bool
fits_enum(const struct term *term, const char *text, size_t len)
{
	const struct member *member = schema_member(&schema_claim, term->parameter->of);

	if (strcmp(term->parameter->of, "status") == 0)
		member = schema_member(schema_member(&schema_claim, "payment")->sub, "status");
	for (size_t i = 0; member->values[i] != NULL; i++)
		if (strlen(member->values[i]) == len && strncmp(member->values[i], text, len) == 0)
			return true;
	return false;
}

static int
read_enum(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	(void)actor;
	return read_list(term, value, fits_enum, problem, strcmp(term->parameter->name, "state") == 0 ?
	    "one or more states with commas; GET /v1/claim-states names them" :
	    "one or more of the values that the member has in /openapi.json");
}

static bool
fits_id(const struct term *term, const char *text, size_t len)
{
	char id[ID_SIZE] = "";

	if (len >= sizeof(id))
		return false;
	memcpy(id, text, len);
	return id_valid(id, term->parameter->of) || (strcmp(id, "me") == 0 && strcmp(term->parameter->of, "usr") == 0);
}

static int
read_ids(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	if (read_list(term, value, fits_id, problem, strcmp(term->parameter->of, "usr") == 0 ?
	    "ids of users, or me" : "one or more ids of that kind with commas") == -1)
		return -1;
	for (size_t i = 0; i < term->count; i++) {
		if (strcmp(term->values[i], "me") != 0)
			continue;
		free(term->values[i]);
		free(term->raw[i]);
		term->values[i] = xstrdup(actor->id);
		term->raw[i] = xasprintf("\"%s\"", actor->id);
	}
	return 0;
}

static bool
fits_text(const struct term *term, const char *text, size_t len)
{
	(void)term;
	(void)text;
	return len < TEXT_SIZE;
}

static int
read_texts(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	(void)actor;
	return read_list(term, value, fits_text, problem, "one or more values with commas");
}

static int
read_flag(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	(void)actor;
	term->number = strcmp(value, "true") == 0;
	return term->number == 1 || strcmp(value, "false") == 0 ? 0 : refuse(problem, term, "true or false");
}

/* "me" becomes the caller's id; without a value: number says whether anybody. */
static int
read_assigned(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	if (strcmp(value, "me") == 0)
		term_value(term, actor->id, strlen(actor->id));
	term->number = strcmp(value, "any") == 0;
	return term->count > 0 || term->number == 1 || strcmp(value, "none") == 0 ? 0 :
	    refuse(problem, term, "none, me or any");
}

static int
read_amount(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	(void)actor;
	return decimal_parse(value, 4, &term->number) ? 0 : refuse(problem, term, "an amount as 1234.50");
}

/* A time, or a date: that day in UTC, from its start or to its end. */
static int
read_time(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	bool to = strcmp(term->parameter->of, "to") == 0;
	int64_t ms, days;

	(void)actor;
	if (date_parse(value, &days))
		ms = (days + to) * 86400000 - to;
	else if (!time_parse(value, &ms))
		return refuse(problem, term, "a time as 2026-09-15T08:00:00Z, or a date");
	time_format(ms, term->bound);
	return 0;
}

static int
read_updated(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	if (!actor_sees_internal(actor))
		term->column = COLUMN_partner_updated_at;
	return read_time(term, value, actor, problem);
}

static int
read_day(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	(void)actor;
	if (!date_parse(value, NULL))
		return refuse(problem, term, "a date as 2026-09-15");
	strcpy(term->bound, value);
	return 0;
}

static int
read_words(struct term *term, const char *value, const struct actor *actor, struct problem *problem)
{
	(void)actor;
	words_add(&term->words, value);
	if (term->words.count == 0 || term->words.count > WORDS_ASKED_MAX)
		return refuse(problem, term, "one to eight words");
	for (unsigned i = 0; i < term->words.count; i++)
		term_value(term, term->words.list[i], strlen(term->words.list[i]));
	return 0;
}

void
claim_filter_limit(struct claim_filter *filter, const struct actor *actor)
{
	const struct {
		const struct parameter	*parameter;
		const json_t		*ids;
	} limits[] = { { &locations, actor->location_ids }, { &programs, actor->program_ids } };

	if (actor->kind == ACTOR_USER && !actor->vendor)
		term_value(term_add(filter, &own), actor->organization_id, strlen(actor->organization_id));
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct term *term = json_array_size(limits[i].ids) == 0 ? NULL : term_add(filter, limits[i].parameter);
		const json_t *id;
		size_t n;

		json_array_foreach (limits[i].ids, n, id)
			if (n < VALUES_MAX)
				term_value(term, json_string_value(id), json_string_length(id));
	}
}

bool
claim_filter_matches(const struct claim_filter *filter, const struct claim_row *row)
{
	for (size_t i = 0; i < filter->count; i++)
		if (!filter->terms[i].parameter->matches(&filter->terms[i], row))
			return false;
	return true;
}

bool
claim_filter_is_empty(const struct claim_filter *filter)
{
	return filter->count == 0;
}

static bool
is_raw(const struct term *term, const char *text, size_t len)
{
	for (size_t i = 0; i < term->count; i++)
		if (strncmp(term->raw[i], text, len) == 0 && term->raw[i][len] == '\0')
			return true;
	return false;
}

static bool
is_one(const struct term *term, const struct claim_row *row)
{
	const char *text = row->at[term->column].text;

	return text != NULL && is_raw(term, text, row->at[term->column].len);
}

/* ["autumn","webinar"] */
static bool
has_one(const struct term *term, const struct claim_row *row)
{
	const char *at = row->at[term->column].text, *end = at == NULL ? NULL : at + row->at[term->column].len;

	while (at != NULL && at < end) {
		const char *start = at + 1;

		if (*start != '"')
			return false;
		for (at = start + 1; at < end && *at != '"'; at++)
			at += *at == '\\';
		if (at >= end)
			return false;
		at++;
		if (is_raw(term, start, (size_t)(at - start)))
			return true;
	}
	return false;
}

static bool
is_flag(const struct term *term, const struct claim_row *row)
{
	const char *text = row->at[term->column].text;

	return (text != NULL && *text == 't') == (term->number == 1);
}

static bool
is_more(const struct term *term, const struct claim_row *row)
{
	return (claim_row_int(row, term->column) > 0) == (term->number == 1);
}

static bool
is_assigned(const struct term *term, const struct claim_row *row)
{
	if (term->count > 0)
		return is_one(term, row);
	return (row->at[term->column].text != NULL) == (term->number == 1);
}

static bool
in_amounts(const struct term *term, const struct claim_row *row)
{
	const struct currency *currency;
	int64_t scaled = claim_row_int(row, COLUMN_claimed);
	char code[4];

	if (!claim_row_string(row, COLUMN_currency, code, sizeof(code)) || (currency = currency_find(code)) == NULL)
		return false;
	for (int digits = currency->digits; digits < 4; digits++)
		scaled *= 10;
	return strcmp(term->parameter->of, "from") == 0 ? scaled >= term->number : scaled <= term->number;
}

/* Times and dates compare as texts: they are all of one form. */
static bool
in_texts(const struct term *term, const struct claim_row *row)
{
	char text[TIME_TEXT_SIZE];
	int order;

	if (!claim_row_string(row, term->column, text, sizeof(text)))
		return false;
	order = strcmp(text, term->bound);
	switch (term->parameter->of[0]) {
	case 'f':
		return order >= 0;
	case 't':
		return order <= 0;
	}
	return order < 0;
}

static bool
has_words(const struct term *term, const struct claim_row *row)
{
	static const enum claim_column searched[] = { COLUMN_name, COLUMN_number, COLUMN_external_reference };
	struct words words = { .count = 0 };
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(searched); i++)
		if (claim_row_string(row, searched[i], text, sizeof(text)))
			words_add(&words, text);
	for (size_t i = 0; i < term->count; i++)
		if (!words_begin(&words, term->values[i]))
			return false;
	return true;
}

size_t
claim_filter_terms(const struct claim_filter *filter, struct claim_term *terms, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < filter->count && n < max; i++) {
		const struct term *term = &filter->terms[i];

		if (term->parameter->index != NULL && term->count > 0)
			terms[n++] = (struct claim_term){ term->parameter->index, (const char *const *)term->values };
	}
	return n;
}

const char *const *
claim_filter_values(const struct claim_filter *filter, const char *name)
{
	for (size_t i = 0; i < filter->count; i++)
		if (strcmp(filter->terms[i].parameter->name, name) == 0)
			return (const char *const *)filter->terms[i].values;
	return NULL;
}
