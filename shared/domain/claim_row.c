/* claim_row - what lists filter and sort by. Written with every change of a claim, so straight into the buffer. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim_internal.h"

static void	write_or_null(struct buf *out, const json_t *value);
static void	write_id(struct buf *out, const struct aggregate *claim);
static void	write_claimed(struct buf *out, const struct aggregate *claim);
static void	write_open_requests(struct buf *out, const struct aggregate *claim);
static void	write_payment_status(struct buf *out, const struct aggregate *claim);
static void	write_waiting_on(struct buf *out, const struct aggregate *claim);

/* In canonical order, that of the names. Those without a function are members of the head. */
static const struct {
	const char *name;
	void	(*write)(struct buf *out, const struct aggregate *claim);
} columns[] = {
	{ "activity_from",	NULL },
	{ "activity_id",	NULL },
	{ "activity_to",	NULL },
	{ "claimed",		write_claimed },
	{ "created_at",		NULL },
	{ "created_by",		NULL },
	{ "currency",		NULL },
	{ "decided_at",		NULL },
	{ "external_reference",	NULL },
	{ "id",			write_id },
	{ "location_id",	NULL },
	{ "name",		NULL },
	{ "number",		NULL },
	{ "open_requests",	write_open_requests },
	{ "organization_id",	NULL },
	{ "partner_updated_at",	NULL },
	{ "payment_status",	write_payment_status },
	{ "period_id",		NULL },
	{ "program_id",		NULL },
	{ "reviewer_id",	NULL },
	{ "state",		NULL },
	{ "submitted_at",	NULL },
	{ "tags",		NULL },
	{ "updated_at",		NULL },
	{ "waiting_on",		write_waiting_on },
};

void
claim_row(struct buf *out, const struct aggregate *claim)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		buf_addch(out, i == 0 ? '{' : ',');
		json_write_string(out, columns[i].name, strlen(columns[i].name));
		buf_addch(out, ':');
		if (columns[i].write != NULL)
			columns[i].write(out, claim);
		else
			write_or_null(out, json_object_get(claim->head, columns[i].name));
	}
	buf_addch(out, '}');
}

static void
write_or_null(struct buf *out, const json_t *value)
{
	if (value == NULL)
		buf_add(out, "null", 4);
	else
		json_write_canonical(out, value);
}

static void
write_id(struct buf *out, const struct aggregate *claim)
{
	json_write_string(out, claim->id, strlen(claim->id));
}

static void
write_claimed(struct buf *out, const struct aggregate *claim)
{
	buf_addint(out, claim_claimed_minor(claim));
}

static void
write_open_requests(struct buf *out, const struct aggregate *claim)
{
	buf_addint(out, (int64_t)claim_requests_open(claim));
}

static void
write_payment_status(struct buf *out, const struct aggregate *claim)
{
	write_or_null(out, json_object_get(json_get(claim->head, "payment"), "status"));
}

static void
write_waiting_on(struct buf *out, const struct aggregate *claim)
{
	const char *on = claim_state_row(claim_state_parse(json_str(claim->head, "state")))->waiting_on;

	if (on == NULL)
		buf_add(out, "null", 4);
	else
		json_write_string(out, on, strlen(on));
}
