/*
 * claim_row - the index row of a claim: what lists filter and sort by, one flat object in canonical JSON beside the
 * claim. Written with every change of it, read by the hundred for a page. Its form is kept: shared/store/README.md
 * section 5.
 */
#ifndef DOMAIN_CLAIM_ROW_H
#define DOMAIN_CLAIM_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/aggregate.h"

struct buf;

#define CLAIM_INDEX_VERSION	2	/* of rows and index entries: what older programs wrote is 1 */

/* X(name, version since which rows have it), in canonical order */
#define CLAIM_ROW_COLUMNS(X)                                                                                           \
	X(activity_from, 1) X(activity_id, 1) X(activity_to, 1) X(claimed, 1) X(created_at, 1) X(created_by, 1)        \
	X(currency, 1) X(decided_at, 1) X(due_at, 2) X(external_reference, 1) X(id, 1) X(location_id, 1) X(name, 1)     \
	X(number, 1) X(on_hold, 2) X(open_requests, 1) X(organization_id, 1) X(partner_updated_at, 1)                  \
	X(payment_status, 1) X(period_id, 1) X(program_id, 1) X(reviewer_id, 1) X(state, 1) X(submitted_at, 1)          \
	X(tags, 1) X(updated_at, 1) X(waiting_on, 1)

enum claim_column {
#define X(name, since) COLUMN_##name,
	CLAIM_ROW_COLUMNS(X)
#undef X
	COLUMN_COUNT
};

/*
 * Appends the row in the form of claim->index_version (0: the current one), with claim->index_due_ms as due_at.
 */
void	claim_row(struct buf *out, const struct aggregate *claim);

/* A row taken apart: each value as it stands in the text, which it borrows. */
struct claim_row {
	struct {
		const char	*text;		/* NULL: the row has it not, or null */
		size_t		 len;
	} at[COLUMN_COUNT];
};
/* false: it is none. Members that are not known are passed over. */
bool	claim_row_read(struct claim_row *row, const char *text, size_t len);
/* The string of a column; false: there is none, or it does not fit. Escapes are undone. */
bool	claim_row_string(const struct claim_row *row, enum claim_column column, char *out, size_t size);
int64_t	claim_row_int(const struct claim_row *row, enum claim_column column);	/* 0 without one */

/*
 * Unix ms (store's clock) of the next date that binds the claim in its state, as it is known now: the end of the
 * claiming period of a draft, of the review, of the first open request, the day by which it should be paid. 0: none.
 */
int64_t	claim_due_ms(const struct aggregate *claim, const struct aggregate *program);
/* Does it wait for somebody of the vendor to judge it? */
bool	claim_awaits_review(const struct aggregate *claim);
/* What it claims in units of 10^-4, so that amounts of all currencies compare by their numbers. */
int64_t	claim_claimed_scaled(const struct aggregate *claim);

#endif
