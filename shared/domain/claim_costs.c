/*
 * claim_costs - invoices, statements of in-house cost and metrics: sums, shares, orders of dates and what is
 * filled in.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "domain/claim_internal.h"
#include "domain/money.h"
#include "schema/schema.h"

#define SHARE_DIGITS	2
#define HOURS_DIGITS	2
#define CLAIM_LINES_MAX	500

static int64_t	decimal_of(const json_t *object, const char *member, int digits);
static int64_t	eligible_minor(const json_t *invoice);
static void	settle_lines(struct deciding *d, json_t *whole, const char *item_id);
static void	settle_claimed(struct deciding *d, json_t *whole, const json_t *old, int64_t most,
    int64_t most_before);

/* A stored decimal, scaled to 10^digits. */
static int64_t
decimal_of(const json_t *object, const char *member, int digits)
{
	const char *text = json_str(object, member);
	int64_t value = 0;

	if (text != NULL && !decimal_parse(text, digits, &value))
		assert(!"stored decimals were checked when they came in");
	return value;
}

/* net x eligible_share, half away from zero. */
static int64_t
eligible_minor(const json_t *invoice)
{
	int64_t eligible = 0;

	money_scale(money_minor(json_get(invoice, "net")), decimal_of(invoice, "eligible_share", SHARE_DIGITS),
	    100, &eligible);
	return eligible;
}

int
settle_invoice(struct deciding *d, json_t *whole, const json_t *old)
{
	int64_t net = money_minor(json_get(whole, "net")), tax = money_minor(json_get(whole, "tax"));
	int64_t gross = money_minor(json_get(whole, "gross"));

	if (net + tax != gross)
		problem_add(d->problem, "body", "#/gross", "inconsistent_sum", NULL,
		    "net and tax do not add up to gross");
	check_date_order(d, whole, "service_from", "service_to", "#/service_to");
	check_document_ids(d, json_get(whole, "document_ids"), "#/document_ids");
	settle_lines(d, whole, old ? d->command->item_id : NULL);
	settle_claimed(d, whole, old, eligible_minor(whole), old ? eligible_minor(old) : 0);
	return 0;
}

int
settle_csr(struct deciding *d, json_t *whole, const json_t *old)
{
	json_t *lines = json_deep_copy(json_object_get(whole, "lines")), *line;
	int64_t total = 0, amount;
	char pointer[64];
	size_t i;

	json_array_foreach (lines, i, line) {
		snprintf(pointer, sizeof(pointer), "#/lines/%zu/to", i);
		check_date_order(d, line, "from", "to", pointer);
		if (!money_scale(money_minor(json_get(line, "rate")), decimal_of(line, "hours", HOURS_DIGITS),
		    100, &amount) ||
		    !money_add(total, amount, &total)) {
			snprintf(pointer, sizeof(pointer), "#/lines/%zu/rate", i);
			problem_add(d->problem, "body", pointer, "too_large", NULL,
			    "The total is more than can be counted");
			amount = 0;
		}
		json_set(line, "amount", money_json(amount, d->currency));
	}
	json_set(whole, "lines", lines);
	json_set(whole, "total", money_json(total, d->currency));
	if (old == NULL)
		json_set_str(whole, "statement_status", "none");
	check_document_ids(d, json_get(whole, "document_ids"), "#/document_ids");
	settle_lines(d, whole, old ? d->command->item_id : NULL);
	settle_claimed(d, whole, old, total, old ? money_minor(json_get(old, "total")) : 0);
	return 0;
}

/*
 * claimed null: all that can be claimed. What was claimed whole before goes along with a new amount unless the
 * patch names it.
 */
static void
settle_claimed(struct deciding *d, json_t *whole, const json_t *old, int64_t most, int64_t most_before)
{
	const json_t *claimed = json_get(whole, "claimed");
	bool was_whole = old != NULL && json_object_get(d->command->body, "claimed") == NULL &&
	    money_minor(json_get(old, "claimed")) == most_before;

	if (claimed == NULL || was_whole) {
		json_set(whole, "claimed", money_json(most, d->currency));
	} else if (money_minor(claimed) > most) {
		json_t *params = json_object();

		json_set(params, "max", money_amount_json(most, d->currency));
		problem_add(d->problem, "body", "#/claimed", "too_large", params,
		    "At most the eligible part can be claimed");
	}
}

/* Lines get names where they have none; each name stands once. At most 500 lines a claim. */
static void
settle_lines(struct deciding *d, json_t *whole, const char *item_id)
{
	const json_t *lines = json_get(whole, "lines");
	json_t *named = json_array(), *names = json_object(), *line, *item;
	int64_t count = (int64_t)json_array_size(lines);
	char name[32], pointer[64];
	const char *id;
	size_t i;

	json_array_foreach (lines, i, line) {
		json_t *copy = json_copy(line);
		const char *given = json_str(copy, "id");

		if (given == NULL) {
			for (size_t n = i + 1; snprintf(name, sizeof(name), "%zu", n),
			    json_get(names, name) != NULL; n++)
				;
			json_set_str(copy, "id", name);
		} else if (json_get(names, given) != NULL) {
			snprintf(pointer, sizeof(pointer), "#/lines/%zu/id", i);
			problem_add(d->problem, "body", pointer, "not_unique", NULL, "Another line has this id");
		}
		json_set(names, json_str(copy, "id"), json_true());
		json_array_append_new(named, copy);
	}
	json_set(whole, "lines", named);
	json_decref(names);
	json_object_foreach (d->claim->items, id, item) {
		if ((strncmp(id, "ivc", 3) == 0 || strncmp(id, "csr", 3) == 0) &&
		    (item_id == NULL || strcmp(id, item_id) != 0))
			count += (int64_t)json_array_size(json_get(item, "lines"));
	}
	if (json_array_size(named) > 0)
		claim_too_many(d, "#/lines", "lines of a claim", count,
		    claim_limit(d->world, "claim_lines", CLAIM_LINES_MAX));
}

/* Label and unit are the activity's; a metric that it does not have is named by its key. */
int
settle_metric(struct deciding *d, json_t *whole, const json_t *old)
{
	const char *key = json_str(whole, "key"), *label = key, *unit = NULL;
	const json_t *metric;
	size_t i;

	(void)old;
	json_array_foreach (json_get(claim_activity(d->world), "metrics"), i, metric) {
		if (strcmp(json_str(metric, "key"), key) == 0) {
			label = json_str(metric, "label");
			unit = json_str(metric, "unit");
		}
	}
	json_set_str(whole, "label", label);
	json_set_str(whole, "unit", unit);
	check_document_ids(d, json_get(whole, "document_ids"), "#/document_ids");
	return 0;
}

void
check_document_ids(struct deciding *d, const json_t *ids, const char *pointer)
{
	char where[128];
	const json_t *id;
	size_t i;

	json_array_foreach (ids, i, id) {
		const char *text = json_string_value(id);

		if (strncmp(text, "doc", 3) == 0 && aggregate_item(d->claim, text) != NULL)
			continue;
		snprintf(where, sizeof(where), "%s/%zu", pointer, i);
		problem_add(d->problem, "body", where, "not_found", NULL, "The claim has no such document");
	}
}

void
check_date_order(struct deciding *d, const json_t *object, const char *from, const char *to, const char *pointer)
{
	const char *first = json_str(object, from), *last = json_str(object, to);
	json_t *params;

	if (first == NULL || last == NULL || strcmp(first, last) <= 0)
		return;
	params = json_object();
	json_set_str(params, "min", first);
	problem_add(d->problem, "body", pointer, "too_small", params, "%s is before %s (%s)", last, from, first);
}
