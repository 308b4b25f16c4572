/* claim_survey - see claim_survey.h. */
#include "domain/claim_survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/checks.h"
#include "domain/claim_internal.h"

static void	add_cost(struct survey *survey, const char *prefix, const json_t *item, int digits);
static void	add_proof(struct survey *survey, const char *id, const json_t *document);
static void	add_check(struct survey *survey, const json_t *check);
static void	mark_named(struct survey *survey);
static int	proof_compare(const void *a, const void *b);

void
survey_init(struct survey *survey, const struct aggregate *claim)
{
	const struct currency *currency = currency_find(json_str(claim->head, "currency"));
	size_t live = 0;
	const char *id;
	json_t *item;

	memset(survey, 0, sizeof(*survey));
	survey->claim = claim;
	json_object_foreach (claim->items, id, item) {
		switch (id[0]) {
		case 'i':		/* invoices; invitations count nowhere */
		case 'c':		/* CSRs, checks; collaborators count nowhere */
			if (strncmp(id, "chk", 3) == 0)
				add_check(survey, item);
			else
				add_cost(survey, id, item, currency->digits);
			break;
		case 'd':
			if (strncmp(id, "doc", 3) == 0)
				add_proof(survey, id, item);
			break;
		case 'm':
			survey->metrics++;
			break;
		case 'r':
			live += request_is_live(item);
			survey->open_requests += request_is(item, "open");
			break;
		default:
			break;
		}
	}
	if (survey->proof_count > 1)
		qsort(survey->proofs, survey->proof_count, sizeof(*survey->proofs), proof_compare);
	if (live > 0)
		mark_named(survey);
}

void
survey_done(struct survey *survey)
{
	free(survey->proofs);
	memset(survey, 0, sizeof(*survey));
}

/* Stored money in the claim's currency. Sums stay below 70 items times MONEY_MAX_MINOR: no overflow. */
static int64_t
amount_of(const json_t *item, const char *member, int digits)
{
	const char *text = json_str(json_object_get(item, member), "amount");
	int64_t minor = 0;

	if (text != NULL)
		decimal_parse_exact(text, digits, &minor);
	return minor;
}

static void
add_cost(struct survey *survey, const char *id, const json_t *item, int digits)
{
	if (strncmp(id, "ivc", 3) == 0) {
		survey->invoices++;
		survey->net_minor += amount_of(item, "net", digits);
	} else if (strncmp(id, "csr", 3) == 0) {
		survey->csrs++;
		survey->in_house_minor += amount_of(item, "total", digits);
	} else {
		return;
	}
	survey->claimed_minor += amount_of(item, "claimed", digits);
}

static void
add_proof(struct survey *survey, const char *id, const json_t *document)
{
	struct proof *proof;
	const char *status;

	survey->documents++;
	if (strcmp(json_str(document, "purpose"), "proof") != 0)
		return;
	if (survey->proofs == NULL)
		survey->proofs = xmalloc(json_object_size(survey->claim->items) * sizeof(*survey->proofs));
	proof = &survey->proofs[survey->proof_count++];
	proof->id = id;
	proof->kind = json_str(document, "kind");
	proof->requirement = json_str(document, "requirement");
	proof->has_note = json_str(document, "note") != NULL;
	proof->named = false;
	status = json_str(document, "status");
	if (strcmp(status, "scanning") == 0 || strcmp(status, "processing") == 0)
		proof->use = PROOF_PENDING;
	else
		proof->use = strcmp(status, "ready") == 0 ? PROOF_READY : PROOF_REJECTED;
}

static void
add_check(struct survey *survey, const json_t *check)
{
	if (!check_is_open(check))
		return;
	if (json_flag(check, "internal")) {
		survey->internal_checks++;
		return;
	}
	survey->open_checks++;
	survey->blocker = survey->blocker || strcmp(json_str(check, "severity"), "blocker") == 0;
}

static int
proof_compare(const void *a, const void *b)
{
	return strcmp(((const struct proof *)a)->id, ((const struct proof *)b)->id);
}

static void
mark_named(struct survey *survey)
{
	const char *id, *target_id;
	json_t *item;

	json_object_foreach (survey->claim->items, id, item) {
		if (strncmp(id, "req", 3) != 0 || !request_is_live(item))
			continue;
		target_id = json_str(json_get(item, "target"), "id");
		for (size_t i = 0; target_id != NULL && i < survey->proof_count; i++)
			if (strcmp(survey->proofs[i].id, target_id) == 0)
				survey->proofs[i].named = true;
	}
}
