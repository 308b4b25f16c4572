/* programme - programmes with their periods, activities and rule sets; fund accounts and their ledger; the clock. */
#include "schema/rows.h"

enum {
	CURRENCIES_MAX		= 20,
	HOLIDAYS_MAX		= 400,
	ZONE_MAX_CHARS		= 64,
	EXPENSE_TYPES_MAX	= 50,
	METRICS_MAX		= 50,
	REQUIREMENTS_MAX	= 50,
	NEED_MAX_BYTES		= 4096,
	TRANSLATIONS_MAX_BYTES	= 16384,
	CAPS_MAX		= 20,
	PERCENT_DIGITS		= 2,
	PERCENT_MAX		= 10000,	/* 100.00 */
	EFFECT_MAX_BYTES	= 1024,
	DAYS_MAX		= 3660,
	MONTHS_MAX		= 240,
};

static const char *const program_states[] = { "draft", "active", "closed", NULL };
static const char *const period_states[] = { "upcoming", "open", "claiming", "closing", "closed", NULL };
static const char *const rule_set_states[] = { "draft", "published", NULL };
static const char *const ledger_types[] = { "accrual", "threshold_conversion", "rollover_in", "rollover_out", "reserve",
	"release", "commit", "uncommit", "pay", "unpay", "expire", "adjust", "clawback", NULL };

/* Those that finance enters by hand; the others follow from claims. */
static const char *const entry_types[] = { "accrual", "adjust", "rollover_in", "rollover_out", "threshold_conversion",
	"expire", "clawback", NULL };

static const struct member clocks_members[] = {
	{ INT("review_business_days", WR, 1, DAYS_MAX, "For a review.", 2), FALLBACK(2) },
	{ INT("dispute_review_business_days", WR, 1, DAYS_MAX, "For deciding a dispute.", 5), FALLBACK(5) },
	{ INT("dispute_window_days", WR, 0, DAYS_MAX, "For opening a dispute.", 30), FALLBACK(30) },
	{ INT("answer_business_days", WR, 1, DAYS_MAX, "For answering a request.", 14), FALLBACK(14) },
	{ INT("payment_business_days", WR, 1, DAYS_MAX, "For paying what is approved.", 45), FALLBACK(45) },
	{ INT("retention_months", WR, 0, MONTHS_MAX, "For keeping originals after the activity.", 24), FALLBACK(24) },
	{ LIST_OF("draft_warning_days", WR, 10, INT, DAYS_MAX, "Days before the end of claiming on which a draft warns.",
	    [30, 7, 1]), FALLBACK([30, 7, 1]) },
	END
};
static const struct schema schema_clocks = { "clocks", "How long things may take.", clocks_members, 0 };

static const struct member program_members[] = {
	{ STRING("name", WR_REQ, NAME_MAX_CHARS, "Its name.", "Co-op 2026") },
	{ STRING("code", WR_REQ, KEY_MAX_CHARS, "Its short name.", "COOP26") },
	{ STRING("time_zone", WR_REQ, ZONE_MAX_CHARS, "IANA name: whose midnight counts.", "Europe/Amsterdam") },
	{ LIST_OF("currencies", WR_REQ, CURRENCIES_MAX, CURRENCY, 0, "Currencies of its claims.", ["EUR"]), .min = 1 },
	{ ENUM("state", WR, program_states, "Claims are taken in an active one.", "active"), FALLBACK("draft") },
	{ BOOL("sandbox", RO, "Whether its clock can be moved.", false) },
	{ ID("current_rule_set_id", RO_NULL, "rst", "The rules in force.", "rst_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("draft_rule_set_id", RO_NULL | MEMBER_INTERNAL, "rst", "The rules that are being made.", null) },
	{ OBJECT("clocks", WR, schema_clocks, "How long things may take.") },
	{ MONEY("second_approval_above", WR_NULL, 0, "A decision above it needs a second person; null: none does.",
	    {"amount": "10000.00", "currency": "EUR"}) },
	{ LIST_OF("thresholds", WR, CURRENCIES_MAX, MONEY, MONEY_MAX_MINOR,
	    "Who earned less in an earning period has nothing of it as co-op: it is converted. One a currency.",
	    [{"amount": "10000.00", "currency": "EUR"}]) },
	{ DECIMAL("rollover_percent", WR_NULL, 2, 1, PERCENT_MAX,
	    "Of what is left when a period closes, for the next period; null: it expires.", "50.00") },
	{ LIST_OF("rollover_limits", WR, CURRENCIES_MAX, MONEY, MONEY_MAX_MINOR,
	    "The most that goes to the next period. One a currency.",
	    [{"amount": "5000.00", "currency": "EUR"}]) },
	{ LIST_OF("weekend", WR, 7, INT, 7, "Days that are no business days, Monday = 1.", [6, 7]), FALLBACK([6, 7]) },
	{ LIST_OF("holidays", WR, HOLIDAYS_MAX, DATE, 0, "Dates that are no business days.", ["2026-12-25"]) },
	END
};
const struct schema schema_program = { "program", "A vendor's programme.", program_members, SCHEMA_RESOURCE };

static const struct member period_members[] = {
	{ ID("program_id", RO, "prg", "Its programme.", "prg_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("name", WR_REQ, NAME_MAX_CHARS, "Its name.", "2026 second half") },
	{ DATE("earning_from", WR_REQ, "First day of the sales that earn the money.", "2026-01-01") },
	{ DATE("earning_to", WR_REQ, "Last day of the sales that earn the money.", "2026-06-30") },
	{ DATE("usage_from", WR_REQ, "First day on which the activity may happen.", "2026-07-01") },
	{ DATE("usage_to", WR_REQ, "Last day on which the activity may happen.", "2026-12-31") },
	{ DATE("claiming_from", WR_REQ, "First day of claiming.", "2026-08-16") },
	{ DATE("claiming_to", WR_REQ, "Last day of claiming.", "2027-02-15") },
	{ DATE("evidence_until", WR_REQ, "Last day for answers and new evidence.", "2027-03-31") },
	{ ENUM("state", RO, period_states, "From its dates and the date of today.", "open") },
	END
};
const struct schema schema_period = { "period", "When money is earned, used and claimed.", period_members, SCHEMA_RESOURCE };

static const struct member activity_metric_members[] = {
	{ FORMAT("key", WR_REQ, "key", KEY_MAX_CHARS, "Stable name within the activity.", "attendees") },
	{ STRING("label", WR_REQ, NAME_MAX_CHARS, "For people.", "Attendees") },
	{ STRING("unit", WR_NULL, KEY_MAX_CHARS, "Its unit.", "people") },
	{ BOOL("required", WR, "Whether submit needs it.", true), FALLBACK(false) },
	{ JSON("translations", WR, TRANSLATIONS_MAX_BYTES, "Language to its words for `label`.", {"nl": {"label": "Deelnemers"}}) },
	END
};
static const struct schema schema_activity_metric = { "activity_metric", "A number that an activity is measured by.",
	activity_metric_members, 0 };

static const struct member activity_requirement_members[] = {
	{ FORMAT("key", WR_REQ, "key", KEY_MAX_CHARS, "Stable name within the activity: `requirement` of a document.", "poe_event") },
	{ STRING("label", WR_REQ, NAME_MAX_CHARS, "For people.", "Agenda or photos") },
	{ JSON("need", WR_REQ, NEED_MAX_BYTES, "Expression: {kind, min}, or {any: [...]} or {all: [...]} of expressions.",
	    {"any": [{"kind": "agenda", "min": 1}, {"kind": "photo", "min": 2}]}) },
	{ JSON("translations", WR, TRANSLATIONS_MAX_BYTES, "Language to its words for `label`.", {"nl": {"label": "Agenda of foto's"}}) },
	END
};
static const struct schema schema_activity_requirement = { "activity_requirement", "A proof that an activity needs.",
	activity_requirement_members, 0 };

static const char *const cap_kinds[] = { "fixed", "percent_of_earned", "greater_of", NULL };

static const struct member activity_cap_members[] = {
	{ ENUM("kind", WR_REQ, cap_kinds, "How the limit is found; greater_of: of `limit` and `percent`.", "greater_of") },
	{ MONEY("limit", WR_NULL, 0, "Of fixed and greater_of: one cap for each currency of the programme.",
	    {"amount": "5000.00", "currency": "EUR"}) },
	{ DECIMAL("percent", WR_NULL, PERCENT_DIGITS, 1, PERCENT_MAX, "Of what was earned and adjusted.", "25.00") },
	END
};
static const struct schema schema_activity_cap = { "activity_cap", "The most of an activity that one fund account pays.",
	activity_cap_members, 0 };

static const struct member activity_members[] = {
	{ ID("program_id", RO, "prg", "Its programme.", "prg_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("rule_set_id", RO, "rst", "The rule set that it is part of.", "rst_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ FORMAT("key", NEW_REQ, "key", KEY_MAX_CHARS, "Stable name: the same in every rule set.", "webinar") },
	{ STRING("name", WR_REQ, NAME_MAX_CHARS, "For people.", "Webinar") },
	{ STRING("category", WR_NULL, NAME_MAX_CHARS, "What it is listed under.", "Demand generation") },
	{ LIST("requirements", WR, 0, REQUIREMENTS_MAX, schema_activity_requirement, "What proves it: all of them.") },
	{ LIST("metrics", WR, 0, METRICS_MAX, schema_activity_metric, "Numbers that it is measured by.") },
	{ FORMATS("expense_types", WR, 0, EXPENSE_TYPES_MAX, "key", KEY_MAX_CHARS, "What may be claimed.", ["agency", "venue"]) },
	{ LIST("caps", WR, 0, CAPS_MAX, schema_activity_cap, "The most that can be claimed of one fund account: all of them.") },
	{ BOOL("pre_approval", WR, "Whether it needs an approval in advance.", false), FALLBACK(false) },
	{ TEXT("example", WR_NULL, TEXT_MAX_CHARS, "What a good claim of it has.", "An agenda, or two photos of the room") },
	{ JSON("translations", WR, TRANSLATIONS_MAX_BYTES, "Language to its words for `name`, `category`, `example`.",
	    {"nl": {"name": "Webinar", "category": "Vraag wekken"}}) },
	END
};
const struct schema schema_activity = { "activity", "What can be claimed, and what proves it.", activity_members,
	SCHEMA_RESOURCE };

static const struct member rule_set_members[] = {
	{ ID("program_id", RO, "prg", "Its programme.", "prg_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ INT("version", RO, 1, INT64_MAX, "Counts the rule sets of the programme.", 1) },
	{ ENUM("state", RO, rule_set_states, "A published one never changes.", "published") },
	{ TIME("published_at", RO_NULL, "When it came into force.", "2026-06-01T08:00:00.000Z") },
	{ TEXT("note", WR_NULL, NOTE_MAX_CHARS, "What is new in it.", "Webinars need an agenda") },
	END
};
const struct schema schema_rule_set = { "rule_set", "The activities of a programme at one time.", rule_set_members,
	SCHEMA_RESOURCE };

static const struct member pack_members[] = {
	{ INT("format", WR_REQ, 1, 1, "Of packs.", 1) },
	{ OBJECT("program", WR_REQ, schema_program, "The programme; it becomes active.") },
	{ LIST("activities", WR_REQ, 1, 200, schema_activity, "Its rules.") },
	END
};
const struct schema schema_pack = { "pack", "A programme as a file.", pack_members, 0 };

static const struct member pack_change_members[] = {
	{ STRING("pointer", RO, POINTER_MAX_CHARS, "What is different.", "#/caps") },
	{ ANY("old", RO, "As it is here.", []) },
	{ ANY("new", RO, "As it is in the pack.", []) },
	END
};
static const struct schema schema_pack_change = { "pack_change", "A difference.", pack_change_members, 0 };
static const struct member pack_changed_members[] = {
	{ FORMAT("key", RO, "key", KEY_MAX_CHARS, "The activity.", "webinar") },
	{ LIST("changes", RO, 0, 100, schema_pack_change, "Its differences.") },
	END
};
static const struct schema schema_pack_changed = { "pack_changed", "An activity that is different.", pack_changed_members, 0 };
static const struct member pack_diff_members[] = {
	{ LIST("program", RO, 0, 100, schema_pack_change, "Differences of the programme itself.") },
	{ FORMATS("added", RO, 0, 200, "key", KEY_MAX_CHARS, "Activities that the pack has alone.", ["webinar"]) },
	{ FORMATS("removed", RO, 0, 200, "key", KEY_MAX_CHARS, "Activities that the rules in force have alone.", ["webinar"]) },
	{ LIST("changed", RO, 0, 200, schema_pack_changed, "Activities that both have, and differ.") },
	END
};
const struct schema schema_pack_diff = { "pack_diff", "How a pack differs from a programme and its rules in force.",
	pack_diff_members, SCHEMA_NOID };

static const struct member verdict_members[] = {
	{ STRING("code", RO, KEY_MAX_CHARS, "As in blocked_by.", "requirement_missing") },
	{ FORMAT("requirement", RO_NULL, "key", KEY_MAX_CHARS, "The requirement or metric.", "poe_event") },
	{ BOOL("before", RO, "Whether it stands in the way under the claim's rules.", false) },
	{ BOOL("after", RO, "Whether it would under these.", true) },
	END
};
static const struct schema schema_verdict = { "verdict", "What would be judged otherwise.", verdict_members, 0 };
static const struct member simulation_members[] = {
	{ ID("claim_id", RO, "clm", "The claim.", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("number", RO, NUMBER_MAX_CHARS, "Its number.", "2026-07000412") },
	{ STRING("state", RO, KEY_MAX_CHARS, "Its state.", "approved") },
	{ ID("activity_id", RO, "act", "Its activity.", "act_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("rule_set_id", RO, "rst", "The rules that it has.", "rst_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ LIST("changes", RO, 1, 200, schema_verdict, "What would be judged otherwise.") },
	END
};
const struct schema schema_simulation = { "simulation", "A claim that other rules would judge otherwise.", simulation_members,
	SCHEMA_NOID };

static const struct member cap_members[] = {
	{ ID("activity_id", RO_NULL, "act", "The activity.", "act_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("kind", RO, KEY_MAX_CHARS, "How the limit is found.", "percent_of_earned") },
	{ MONEY("limit", RO, 0, "The most.", {"amount": "10000.00", "currency": "EUR"}) },
	{ MONEY("used", RO, 0, "Reserved, approved and paid of it.", {"amount": "4900.00", "currency": "EUR"}) },
	{ MONEY("base", RO_NULL, 0, "What the limit was found from.", {"amount": "40000.00", "currency": "EUR"}) },
	END
};
static const struct schema schema_cap = { "cap", "A limit of an activity on one account.", cap_members, 0 };

static const struct member fund_account_members[] = {
	{ ID("organization_id", NEW_REQ, "org", "The partner.", "org_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("program_id", NEW_REQ, "prg", "The programme.", "prg_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("period_id", NEW_REQ, "per", "The period.", "per_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ CURRENCY("currency", NEW_REQ, "Of all its amounts.", "EUR") },
	{ MONEY("earned", RO, 0, "Accrued by sales.", {"amount": "12000.00", "currency": "EUR"}) },
	{ MONEY("adjusted", RO, -MONEY_MAX_MINOR, "Adjustments, rollovers, conversions.", {"amount": "0.00", "currency": "EUR"}) },
	{ MONEY("reserved", RO, 0, "Claimed, not decided.", {"amount": "4900.00", "currency": "EUR"}) },
	{ MONEY("approved", RO, 0, "Approved, not paid.", {"amount": "0.00", "currency": "EUR"}) },
	{ MONEY("paid", RO, 0, "Paid.", {"amount": "0.00", "currency": "EUR"}) },
	{ MONEY("expired", RO, 0, "Forfeited.", {"amount": "0.00", "currency": "EUR"}) },
	{ MONEY("remaining", RO, 0, "earned + adjusted - reserved - approved - paid - expired.",
	    {"amount": "7100.00", "currency": "EUR"}) },
	{ MONEY("planned", RO, 0, "Claimed by drafts: nothing is set aside for them.", {"amount": "0.00", "currency": "EUR"}) },
	{ DATE("expires_on", RO_NULL, "Last day of claiming.", "2027-02-15") },
	{ INT("days_left", RO_NULL, 0, INT64_MAX, "Days until then.", 153) },
	{ LIST("caps", RO, 0, 100, schema_cap, "Limits of activities.") },
	END
};
const struct schema schema_fund_account = { "fund_account", "A partner's money of one period.", fund_account_members,
	SCHEMA_RESOURCE };

static const struct member ledger_entry_members[] = {
	{ ID("account_id", RO, "acc", "The account.", "acc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ INT("sequence", RO, 1, INT64_MAX, "Counts the entries of the account.", 8) },
	{ ENUM("type", RO, ledger_types, "What moved.", "reserve") },
	{ MONEY("amount", RO, -MONEY_MAX_MINOR, "How much.", {"amount": "4900.00", "currency": "EUR"}) },
	{ JSON("effect", RO, EFFECT_MAX_BYTES, "What it changed: balance to signed decimal.",
	    {"remaining": "-4900.00", "reserved": "4900.00"}) },
	{ ID("claim_id", RO_NULL, "clm", "The claim that caused it.", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("decision_id", RO_NULL, "dec", "The decision that caused it.", null) },
	{ ID("counter_account_id", RO_NULL, "acc", "Of a rollover: the account on the other side.", null) },
	{ OBJECT("cap", RO_NULL, schema_cap, "What bound the claim's activity then: the base that was counted with.") },
	{ OBJECT("actor", RO_NULL, schema_actor, "Who caused it.") },
	{ TEXT("reason", RO_NULL | PERSON, REASON_MAX_CHARS, "Why.", null) },
	{ STRING("external_reference", RO_NULL, REFERENCE_MAX_CHARS, "Its number in another system.", null) },
	END
};
const struct schema schema_ledger_entry = { "ledger_entry", "One movement of an account's money.", ledger_entry_members,
	SCHEMA_RESOURCE };

static const struct member ledger_entry_post_members[] = {
	{ ENUM("type", NEW_REQ, entry_types, "What moves.", "accrual") },
	{ MONEY("amount", NEW_REQ, -MONEY_MAX_MINOR, "How much, in the account's currency; below zero in an `adjust` only.",
	    {"amount": "12000.00", "currency": "EUR"}) },
	{ TEXT("reason", NEW_NULL | PERSON, REASON_MAX_CHARS, "Why; an accrual alone needs none.", "Sales of June") },
	{ STRING("external_reference", NEW_NULL, REFERENCE_MAX_CHARS, "Its number in another system.", "ERP-2026-0611") },
	END
};
const struct schema schema_ledger_entry_post = { "ledger_entry_post", "A movement that finance enters.",
	ledger_entry_post_members, 0 };

static const struct member clock_members[] = {
	{ TIME("now", RO, "The store's time.", "2026-09-15T08:00:00.000Z") },
	{ BOOL("sandbox", RO, "Whether it can be moved.", true) },
	END
};
const struct schema schema_clock = { "clock", "The time by which deadlines are counted.", clock_members, SCHEMA_NOID };

static const struct member clock_put_members[] = {
	{ TIME("now", WR_REQ, "The new time; never earlier than the present one.", "2026-10-15T08:00:00.000Z") },
	END
};
const struct schema schema_clock_put = { "clock_put", "Moves the clock of a sandbox.", clock_put_members, 0 };
