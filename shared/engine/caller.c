/* caller - who asks, from his token, user and organisation as they are now. Suspended and disabled take effect at once. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/json.h"
#include "domain/access.h"
#include "domain/resource.h"
#include "engine/internal.h"

static const char token_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int	token_resolve(struct load *load, struct problem *problem);
static int	session_resolve(struct load *load, struct problem *problem);
static int	user_resolve(struct load *load, struct problem *problem);
static int	contributor_resolve(struct load *load, struct problem *problem);
static int	refuse(struct problem *problem, const char *code, const char *detail);

bool
credentials_parse(const char *token, unsigned partitions, struct credentials *credentials)
{
	static const char *const prefixes[] = { "cct", "cci", "cin", "ccs", "ccp" };
	size_t len = strlen(token);
	bool known = false;
	int partition;

	memset(credentials, 0, sizeof(*credentials));
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		known |= strncmp(token, prefixes[i], 3) == 0;
	if (!known || len != 4 + 2 + 43 || token[3] != '_' || strspn(token + 4, token_letters) != len - 4)
		return false;
	partition = partition_parse(token + 4);
	if (partition < 0 || (unsigned)partition >= partitions)
		return false;
	credentials->partition = (unsigned)partition;
	memcpy(credentials->prefix, token, 3);
	sha256_hex(token, len, credentials->sha256);
	return true;
}

void
credentials_new(const char *prefix, unsigned partition, char text[TOKEN_TEXT_SIZE], struct credentials *credentials)
{
	uint8_t secret[32];
	char encoded[BASE64URL_SIZE(sizeof(secret))], where[3];

	random_bytes(secret, sizeof(secret));
	base64url_encode(secret, sizeof(secret), encoded);
	partition_format(partition, where);
	snprintf(text, TOKEN_TEXT_SIZE, "%.3s_%.2s%s", prefix, where, encoded);
	memset(credentials, 0, sizeof(*credentials));
	memcpy(credentials->prefix, prefix, 3);
	credentials->partition = partition;
	sha256_hex(text, strlen(text), credentials->sha256);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(encoded, sizeof(encoded));
}

int
caller_resolve(struct load *load, struct problem *problem)
{
	if (strcmp(load->credentials.prefix, "ccs") == 0)
		return session_resolve(load, problem);
	if (load->slot[SLOT_TOKEN].aggregate == NULL)
		return refuse(problem, "invalid_token", "This token is not known here; ask for a new one");
	if (strcmp(load->credentials.prefix, "cct") == 0)
		return token_resolve(load, problem);
	if (strcmp(load->credentials.prefix, "cci") == 0)
		return contributor_resolve(load, problem);
	if (!resource_is_active(load->slot[SLOT_ORGANIZATION].aggregate))
		return refuse(problem, "invalid_token", "The organisation of this claim is not active");
	return 0;	/* an invitation's link: the command looks at it itself */
}

static int
token_resolve(struct load *load, struct problem *problem)
{
	const struct aggregate *token = load->slot[SLOT_TOKEN].aggregate;
	int64_t ends;

	if (!resource_exists(token))
		return refuse(problem, "invalid_token", "This token was withdrawn; ask for a new one");
	load->expires_at = json_str(token->head, "expires_at");
	if (load->expires_at != NULL && time_parse(load->expires_at, &ends) && ends <= load->now_ms)
		return refuse(problem, "token_expired", "This token has expired; ask for a new one");
	if (user_resolve(load, problem) == -1)
		return -1;
	load->actor.token_id = token->id;
	load->scopes = json_get(token->head, "scopes");
	return 0;
}

/* Its record was read in this request; a new password or disabling its user has ended it. */
static int
session_resolve(struct load *load, struct problem *problem)
{
	const struct aggregate *user = load->slot[SLOT_USER].aggregate;

	if (load->session_ends_ms <= load->now_ms)
		return refuse(problem, "token_expired", "This session has ended; sign in again");
	if (user == NULL || json_int(user->head, "session_epoch") != load->session_epoch)
		return refuse(problem, "invalid_token", "This session was ended; sign in again");
	load->scopes = NULL;
	return user_resolve(load, problem);
}

static int
user_resolve(struct load *load, struct problem *problem)
{
	const struct aggregate *user = load->slot[SLOT_USER].aggregate;
	const struct aggregate *organization = load->slot[SLOT_ORGANIZATION].aggregate;
	struct actor *actor = &load->actor;
	const char *kind;

	if (!resource_is_active(user))
		return refuse(problem, "invalid_token", "The user of this token is not active");
	if (!resource_is_active(load->slot[SLOT_ORGANIZATION].aggregate))
		return refuse(problem, "invalid_token", "The organisation of this token is not active");
	memset(actor, 0, sizeof(*actor));
	actor->kind = ACTOR_USER;
	actor->id = user->id;
	actor->name = json_str(user->head, "name");
	actor->organization_id = organization->id;
	kind = json_str(organization->head, "kind");
	actor->vendor = kind != NULL && strcmp(kind, "vendor") == 0;
	actor->roles = access_user_roles(user, actor->vendor);
	actor->location_ids = json_get(user->head, "location_ids");
	actor->program_ids = json_get(user->head, "program_ids");
	return 0;
}

static int
contributor_resolve(struct load *load, struct problem *problem)
{
	const struct aggregate *claim = load->slot[SLOT_TOKEN].aggregate;
	struct actor *actor = &load->actor;
	json_t *item;
	const char *id, *digest, *state;
	int64_t ends;

	json_object_foreach (claim->items, id, item) {
		if (strncmp(id, "col_", 4) != 0)
			continue;
		digest = json_str(item, "token_sha256");
		if (digest == NULL || strcmp(digest, load->credentials.sha256) != 0)
			continue;
		state = json_str(item, "state");
		if (state == NULL || strcmp(state, "joined") != 0)
			return refuse(problem, "invalid_token", "You were taken off this claim");
		load->expires_at = json_str(item, "expires_at");
		if (!resource_is_active(load->slot[SLOT_ORGANIZATION].aggregate))
			return refuse(problem, "invalid_token", "The organisation of this claim is not active");
		if (load->expires_at != NULL && time_parse(load->expires_at, &ends) && ends <= load->now_ms)
			return refuse(problem, "token_expired", "This link has expired; ask for a new invitation");
		memset(actor, 0, sizeof(*actor));
		actor->kind = ACTOR_CONTRIBUTOR;
		actor->id = id;
		actor->name = json_str(item, "name");
		actor->organization_id = json_str(claim->head, "organization_id");
		actor->claim_id = claim->id;
		actor->roles = ROLE_CONTRIBUTOR;
		actor->permissions = json_get(item, "permissions");
		return 0;
	}
	return refuse(problem, "invalid_token", "This token was replaced or withdrawn; open the invitation again");
}

static int
refuse(struct problem *problem, const char *code, const char *detail)
{
	problem_set(problem, code, "%s", detail);
	return -1;
}
