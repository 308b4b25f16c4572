/* event_view - what an entry shows, and the sentence that tells it. */
#include "domain/event_view.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/world.h"
#include "schema/codes.h"
#include "schema/resources.h"

/* {amount}: data.NAME as "EUR 4,900.00"; {name}: data.NAME as it is. A type that is not here is told by its label. */
static const struct {
	const char *type;
	const char *text;
} sentences[] = {
	{ "claim.created", "Created as {number}" },
	{ "claim.submitted", "Submitted for {claimed}" },
	{ "claim.editing", "Taken back for editing" },
	{ "claim.under_review", "Taken up for review" },
	{ "claim.action_required", "More information was asked for" },
	{ "claim.approved", "Approved: {approved}" },
	{ "claim.partially_approved", "Approved in part: {approved}" },
	{ "claim.rejected", "Rejected" },
	{ "claim.cancelled", "Cancelled" },
	{ "decision.made", "Decided: {approved} approved" },
	{ "payment.status_changed", "Payment is {to}" },
	{ "check.opened", "Check {code} opened" },
	{ "check.cleared", "Check {code} cleared" },
	{ "fund_account.changed", "{type} of {amount}" },
};

/* "EUR 4,900.00", "EUR 4.900,00". */
static void
add_money(struct buf *out, const json_t *money, enum language language)
{
	const char *amount = json_str(money, "amount");
	size_t whole = strcspn(amount, "."), start = amount[0] == '-' ? 1 : 0;

	buf_addf(out, "%s ", json_str(money, "currency"));
	for (size_t i = 0; amount[i] != '\0'; i++) {
		if (i > start && i < whole && (whole - i) % 3 == 0)
			buf_addch(out, language == LANGUAGE_NL ? '.' : ',');
		buf_addch(out, amount[i] == '.' && language == LANGUAGE_NL ? ',' : amount[i]);
	}
}

static void
add_value(struct buf *out, const json_t *data, const char *name, enum language language)
{
	json_t *value = json_get(data, name);

	if (json_is_object(value) && json_str(value, "amount") != NULL && json_str(value, "currency") != NULL)
		add_money(out, value, language);
	else if (json_is_string(value))
		buf_addstr(out, json_string_value(value));
	else if (json_is_integer(value))
		buf_addint(out, json_integer_value(value));
	else
		buf_addch(out, '-');
}

static void
add_sentence(struct buf *out, const char *text, const json_t *data, enum language language)
{
	char name[32];
	size_t n;

	while (*text != '\0') {
		if (*text != '{') {
			buf_addch(out, *text++);
			continue;
		}
		n = strcspn(++text, "}");
		memcpy(name, text, n);
		name[n] = '\0';
		add_value(out, data, name, language);
		text += n + 1;
	}
}

const char *
event_sentence(size_t i)
{
	return i < ARRAY_SIZE(sentences) ? sentences[i].text : NULL;
}

char *
event_summary(const json_t *entry, enum language language)
{
	const char *type = json_str(entry, "type"), *sentence = NULL;
	const struct code *code = code_find(CODES_EVENT_TYPES, type);
	struct buf out = BUF_INIT(0);

	for (size_t i = 0; i < ARRAY_SIZE(sentences); i++)
		if (strcmp(sentences[i].type, type) == 0)
			sentence = sentences[i].text;
	if (sentence != NULL)
		add_sentence(&out, text_in(language, sentence), json_get(entry, "data"), language);
	else
		buf_addstr(&out, code == NULL ? type : text_in(language, code->label));
	return buf_take(&out);
}

bool
event_visible(const json_t *entry, const struct actor *actor)
{
	const char *visibility = json_str(entry, "visibility");

	return (visibility != NULL && strcmp(visibility, "all") == 0) || actor_sees_internal(actor);
}

void
event_write(struct buf *out, const json_t *entry, enum language language)
{
	json_t *computed = json_object();
	const char *aggregate = json_str(entry, "aggregate_id");
	char *summary = event_summary(entry, language);

	json_set(computed, "summary", json_string(summary));
	json_set_str(computed, "claim_id", aggregate != NULL && strncmp(aggregate, "clm_", 4) == 0 ? aggregate :
	    json_str(json_get(entry, "data"), "claim_id"));
	schema_write(out, &schema_event, entry, computed, NULL);
	json_decref(computed);
	free(summary);
}
