/* people - organisations, locations, users, their tokens, and the colleagues who are invited to one claim. */
#include "schema/rows.h"

enum {
	ADDRESS_MAX_CHARS	= 500,
	ASK_FOR_MAX		= 20,
	ASK_MAX_CHARS		= 500,
	PASSWORD_MIN_CHARS	= 10,
	ROLES_MAX		= 10,
	SECRET_MAX_CHARS	= 200,
};

static const char *const organization_kinds[] = { "partner", "vendor", NULL };
static const char *const organization_states[] = { "active", "suspended", NULL };
static const char *const location_states[] = { "active", "inactive", NULL };
static const char *const locales[] = { "en", "nl", NULL };
static const char *const user_states[] = { "invited", "active", "disabled", NULL };
static const char *const user_roles[] = { "partner_admin", "claimant", "viewer", "reviewer", "senior_reviewer", "finance",
	"program_admin", "auditor", "operator", NULL };
static const char *const all_roles[] = { "partner_admin", "claimant", "viewer", "contributor", "reviewer", "senior_reviewer",
	"finance", "program_admin", "auditor", "operator", NULL };
static const char *const scopes[] = { "claims:read", "claims:write", "review", "funds:read", "finance", "programs:write",
	"webhooks", "users", "admin", NULL };
static const char *const permissions[] = { "upload", "annotate", "comment", NULL };
static const char *const invitation_states[] = { "pending", "accepted", "expired", "revoked", NULL };
static const char *const collaborator_states[] = { "invited", "joined", "removed", NULL };

static const struct member organization_members[] = {
	{ STRING("name", WR_REQ, NAME_MAX_CHARS, "Its name.", "Noord Systems") },
	{ ENUM("kind", NEW, organization_kinds, "Whose side it is on.", "partner"), FALLBACK("partner") },
	{ COUNTRY("country", WR_NULL, "ISO 3166-1 code.", "NL") },
	{ STRING("tax_id", WR_NULL, TAX_ID_MAX_CHARS, "VAT or tax number.", "NL001234567B01") },
	{ STRING("external_reference", WR_NULL, REFERENCE_MAX_CHARS, "Its number in another system.", "10042") },
	{ ENUM("state", WR, organization_states, "Nobody of a suspended one gets in.", "active"), FALLBACK("active") },
	END
};
const struct schema schema_organization = { "organization", "A partner, or the vendor.", organization_members,
	SCHEMA_RESOURCE };

static const struct member location_members[] = {
	{ ID("organization_id", NEW_NULL, "org", "Whose it is; null in a request: the caller's.",
	    "org_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("name", WR_REQ, NAME_MAX_CHARS, "Its name.", "Utrecht") },
	{ STRING("external_reference", WR_NULL, REFERENCE_MAX_CHARS, "Its number in another system.", "UTR-1") },
	{ TEXT("address", WR_NULL, ADDRESS_MAX_CHARS, "Postal address, in lines.", "Stationsplein 1") },
	{ ENUM("state", WR, location_states, "An inactive one takes no new claims.", "active"), FALLBACK("active") },
	END
};
const struct schema schema_location = { "location", "A place of a partner.", location_members, SCHEMA_RESOURCE };

static const struct member user_members[] = {
	{ ID("organization_id", NEW_NULL, "org", "Where he works; null in a request: the caller's.",
	    "org_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ EMAIL("email", WR_REQ | PERSON, "Where mail goes; one user an address.", "anna@example.com") },
	{ STRING("name", WR_REQ | PERSON, PERSON_MAX_CHARS, "His name.", "A. Visser") },
	{ ENUM("locale", WR, locales, "Language of mails.", "en"), FALLBACK("en") },
	{ ENUMS("roles", WR, 0, ROLES_MAX, user_roles, "What he may do.", ["claimant"]) },
	{ IDS("location_ids", WR, SCOPE_IDS_MAX, "loc", "Locations that he is limited to; empty: no limit.", []) },
	{ IDS("program_ids", WR, SCOPE_IDS_MAX, "prg", "Programmes that he is limited to; empty: no limit.", []) },
	{ ENUM("state", WR, user_states, "Only an active one gets in. One who is invited becomes active with his password.",
	    "active"), FALLBACK("invited") },
	{ TIME("last_seen_at", RO_NULL, "To the minute.", "2026-09-15T08:00:00.000Z") },
	{ STRING("url", MEMBER_ONCE, URL_MAX_CHARS, "The link to set his password, of one who is invited: shown at his creation "
	    "only.", "https://claims.example.com/console/#/password?token=..") },
	END
};
const struct schema schema_user = { "user", "A person of an organisation.", user_members, SCHEMA_RESOURCE };

static const struct member me_patch_members[] = {
	{ STRING("name", WR_REQ | PERSON, PERSON_MAX_CHARS, "His name.", "A. Visser") },
	{ ENUM("locale", WR, locales, "Language of mails.", "en"), FALLBACK("en") },
	END
};
const struct schema schema_me_patch = { "me_patch", "What a user changes of himself.", me_patch_members, SCHEMA_NOID };

static const struct member password_link_members[] = {
	{ STRING("url", RO, URL_MAX_CHARS, "The link to set the password: shown this once.",
	    "https://claims.example.com/console/#/password?token=..") },
	{ TIME("expires_at", RO, "When it ends.", "2026-09-22T08:00:00.000Z") },
	END
};
const struct schema schema_password_link = { "password_link", "A link with which a user sets his password.",
	password_link_members, SCHEMA_NOID };

#define PASSWORD(n, least, d) \
	ROW(n, STRING, WR_REQ), .min = least, .max = SECRET_MAX_CHARS, .doc = d, .example = "\"correct horse battery\""

static const struct member password_post_members[] = {
	{ STRING("token", WR_REQ, SECRET_MAX_CHARS, "The token of the link.", "ccp_079fK2..") },
	{ PASSWORD("password", PASSWORD_MIN_CHARS, "The new password, at least 10 characters; blanks at its ends do not count.") },
	END
};
const struct schema schema_password_post = { "password_post", "A password, set by a link.", password_post_members, 0 };

static const struct member password_put_members[] = {
	{ PASSWORD("current", 1, "The password so far.") },
	{ PASSWORD("new", PASSWORD_MIN_CHARS, "The new one, at least 10 characters.") },
	END
};
const struct schema schema_password_put = { "password_put", "A password, changed.", password_put_members, 0 };

static const struct member session_members[] = {
	{ STRING("access_token", RO, SECRET_MAX_CHARS, "For Authorization: Bearer.", "ccs_079fK2..") },
	{ INT("expires_in", RO, 1, INT64_MAX, "Seconds until it ends.", 43200) },
	{ OBJECT("user", RO, schema_user, "Whose it is.") },
	END
};
const struct schema schema_session = { "session", "A sign-in of a user.", session_members, SCHEMA_NOID };

static const struct member session_post_members[] = {
	{ EMAIL("email", WR_REQ, "The user's address.", "anna@example.com") },
	{ PASSWORD("password", 1, "His password.") },
	END
};
const struct schema schema_session_post = { "session_post", "Who signs in.", session_post_members, 0 };

static const struct member token_members[] = {
	{ STRING("name", WR_REQ, NAME_MAX_CHARS, "What it is used for.", "Month-end export") },
	{ ID("user_id", NEW_NULL, "usr", "For whom it acts; null in a request: the caller.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ENUMS("scopes", NEW_REQ, 1, 9, scopes, "What it may do at most.", ["claims:read"]) },
	{ TIME("expires_at", NEW_NULL, "When it ends; null: never.", "2027-09-15T08:00:00.000Z") },
	{ TIME("last_used_at", RO_NULL, "To the minute.", null) },
	{ STRING("prefix", RO, KEY_MAX_CHARS, "How it begins, to tell it from others.", "cct_9fK2") },
	{ STRING("secret", MEMBER_ONCE, SECRET_MAX_CHARS, "The token itself: shown at its creation only.", "cct_9fK2..") },
	END
};
const struct schema schema_token = { "token", "A token with which a program acts for a user.", token_members,
	SCHEMA_RESOURCE };

static const struct member ask_for_members[] = {
	{ FORMAT("requirement", WR_NULL, "key", KEY_MAX_CHARS, "Key of the requirement.", "poe_event") },
	{ TEXT("text", WR_NULL | PERSON, ASK_MAX_CHARS, "In words.", "Please add the agenda") },
	END
};
static const struct schema schema_ask_for = { "ask_for", "What a colleague is asked to add.", ask_for_members, 0 };

static const struct member invitation_members[] = {
	{ EMAIL("email", NEW_REQ | PERSON, "Whom to invite.", "bas@example.com") },
	{ STRING("name", NEW_NULL | PERSON, PERSON_MAX_CHARS, "His name.", "Bas de Vries") },
	{ TEXT("message", NEW_NULL | PERSON, TEXT_MAX_CHARS, "What to tell him.", "Can you help me with this one?") },
	{ LIST("ask_for", NEW, 0, ASK_FOR_MAX, schema_ask_for, "What he is asked to add.") },
	{ ENUMS("permissions", NEW, 1, 3, permissions, "What he may do on this claim.", ["upload", "annotate", "comment"]),
	    FALLBACK(["upload", "annotate", "comment"]) },
	{ ENUM("state", RO, invitation_states, "Whether it still stands.", "pending") },
	{ TIME("expires_at", NEW_NULL, "When the link ends; null in a request: in 7 days. At most 30 days.",
	    "2026-09-22T08:00:00.000Z") },
	{ STRING("url", MEMBER_ONCE, URL_MAX_CHARS, "The link: shown at its creation only.",
	    "https://claims.example.com/console/#/invitation?token=..") },
	END
};
const struct schema schema_invitation = { "invitation", "An invitation of a colleague to one claim.", invitation_members,
	SCHEMA_RESOURCE | SCHEMA_ITEM };

static const struct member invitation_token_members[] = {
	{ STRING("token", WR_REQ, SECRET_MAX_CHARS, "The token of the link.", "0G9fK2..") },
	END
};
const struct schema schema_invitation_token = { "invitation_token", "The link of an invitation.", invitation_token_members, 0 };

static const struct member preview_organization_members[] = {
	{ STRING("name", RO, NAME_MAX_CHARS, "Its name.", "Noord Systems") },
	END
};
static const struct schema schema_preview_organization = { "preview_organization", "The partner that invites.",
	preview_organization_members, 0 };

static const struct member invited_by_members[] = {
	{ STRING("name", RO_NULL, PERSON_MAX_CHARS, "His name.", "A. Visser") },
	END
};
static const struct schema schema_invited_by = { "invited_by", "Who invites.", invited_by_members, 0 };

static const struct member invitation_preview_members[] = {
	{ OBJECT("organization", RO, schema_preview_organization, "The partner that invites.") },
	{ STRING("claim_name", RO, NAME_MAX_CHARS, "Name of the claim.", "Autumn webinar") },
	{ OBJECT("invited_by", RO, schema_invited_by, "Who invites.") },
	{ LIST("ask_for", RO, 0, ASK_FOR_MAX, schema_ask_for, "What is asked for.") },
	{ TIME("expires_at", RO, "When the link ends.", "2026-09-22T08:00:00.000Z") },
	END
};
const struct schema schema_invitation_preview = { "invitation_preview", "What an invitation is about.",
	invitation_preview_members, SCHEMA_NOID };

static const struct member accepted_members[] = {
	{ STRING("access_token", RO, SECRET_MAX_CHARS, "For Authorization: Bearer.", "cci_0G9fK2..") },
	{ ID("claim_id", RO, "clm", "The one claim that it is good for.", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ENUMS("permissions", RO, 0, 3, permissions, "What it allows.", ["upload", "annotate", "comment"]) },
	{ TIME("expires_at", RO, "When it ends.", "2026-09-22T08:00:00.000Z") },
	END
};
const struct schema schema_accepted = { "accepted", "Access of an invited colleague.", accepted_members, SCHEMA_NOID };

static const struct member collaborator_members[] = {
	{ STRING("name", RO_NULL | PERSON, PERSON_MAX_CHARS, "His name.", "Bas de Vries") },
	{ EMAIL("email", RO | PERSON, "His address.", "bas@example.com") },
	{ ENUMS("permissions", RO, 0, 3, permissions, "What he may do.", ["upload", "annotate", "comment"]) },
	{ ENUM("state", RO, collaborator_states, "Whether he joined.", "joined") },
	{ TIME("joined_at", RO_NULL, "When he joined.", "2026-09-15T08:00:00.000Z") },
	END
};
const struct schema schema_collaborator = { "collaborator", "A colleague on one claim.", collaborator_members,
	SCHEMA_RESOURCE | SCHEMA_ITEM };

static const struct member limits_members[] = {
	{ INT("document_bytes", RO, 0, INT64_MAX, "Bytes of a file.", 104857600) },
	{ INT("claim_bytes", RO, 0, INT64_MAX, "Bytes of a claim's files.", 209715200) },
	{ INT("documents", RO, 0, INT64_MAX, "Documents of a claim.", 100) },
	{ INT("invoices", RO, 0, INT64_MAX, "Invoices of a claim.", 50) },
	{ INT("lines", RO, 0, INT64_MAX, "Lines of an invoice or CSR.", 100) },
	{ INT("claim_lines", RO, 0, INT64_MAX, "Lines of a claim.", 500) },
	{ INT("csrs", RO, 0, INT64_MAX, "CSRs of a claim.", 20) },
	{ INT("metrics", RO, 0, INT64_MAX, "Metrics of a claim.", 50) },
	{ INT("requests", RO, 0, INT64_MAX, "Requests of a claim.", 200) },
	{ INT("open_requests", RO, 0, INT64_MAX, "Open requests of a claim.", 20) },
	{ INT("answers", RO, 0, INT64_MAX, "Answers to a request.", 10) },
	{ INT("collaborators", RO, 0, INT64_MAX, "Collaborators of a claim.", 50) },
	{ INT("tags", RO, 0, INT64_MAX, "Tags of a claim.", 20) },
	END
};
static const struct schema schema_limits = { "limits", "The most that this server takes.", limits_members, 0 };

static const struct member me_members[] = {
	{ OBJECT("user", RO_NULL, schema_user, "The user; null for an invited colleague.") },
	{ OBJECT("collaborator", RO_NULL, schema_collaborator, "The invited colleague; null for a user.") },
	{ OBJECT("organization", RO_NULL, schema_organization, "The organisation he acts for.") },
	{ ENUMS("roles", RO, 0, ROLES_MAX, all_roles, "What he may do.", ["claimant"]) },
	{ ENUMS("scopes", RO, 0, 9, scopes, "What the token allows of it.", ["claims:read", "claims:write"]) },
	{ OBJECT("limits", RO, schema_limits, "The most that this server takes.") },
	END
};
const struct schema schema_me = { "me", "Who the caller is.", me_members, SCHEMA_NOID };
