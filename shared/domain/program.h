/* program - a programme, its periods (items per_), its rule sets (aggregates rst_ with activities act_ as items). */
#ifndef DOMAIN_PROGRAM_H
#define DOMAIN_PROGRAM_H

#include "domain/world.h"

struct buf;
struct problem;

#define RULES_ACTIVITIES_MAX	200
/* The job that a change of dates or clocks makes: timers of the programme's claims and accounts are computed anew. */
#define PROGRAM_TIMERS_KIND	"program.timers"

/* Borrowed; NULL: not there. */
json_t	*program_period(const struct aggregate *program, const char *period_id);
json_t	*rules_activity(const struct aggregate *rules, const char *activity_id);
/* Ids of the items with this prefix ("per", "act"), in order of creation. gives an array of strings. */
json_t	*program_item_ids(const struct aggregate *aggregate, const char *prefix);
/*
 * From its dates and now, in the programme's zone; never stored:
 * "upcoming" before both the usage and the claiming period, "open" (in use, not claimable yet), "claiming",
 * "closing" (after the claiming period, until evidence_until), "closed".
 */
const char *period_state(const struct aggregate *program, const json_t *period, int64_t now_ms);
/* May a claim be submitted now: first to last day of the claiming period, in the programme's zone. */
bool	period_is_claimable(const struct aggregate *program, const json_t *period, int64_t now_ms);
/* Are answers, resubmits and disputes still possible: to the end of evidence_until. */
bool	period_takes_evidence(const struct aggregate *program, const json_t *period, int64_t now_ms);

/* The first ms after the period's earning, and after its last day of evidence. */
int64_t	period_earned_ms(const struct aggregate *program, const json_t *period);
int64_t	period_closed_ms(const struct aggregate *program, const json_t *period);
/* The period whose earning begins next after that of this one. NULL: none. Borrowed of the programme. */
const char *program_next_period(const struct aggregate *program, const char *period_id);
/* When a period of it opens, closes to claims or is over next (Unix ms); 0: none will. Of a draft nothing is told. */
int64_t	program_next_due(const struct aggregate *program);
/* Adds period.opened, period.closing, period.closed of world->target, as far as they are due and were not told. */
void	program_deadline(const struct world *world, struct outcome *outcome);

/* `member` of an activity, requirement or metric in the language, or as it is there. Borrowed; NULL: it has none. */
const char *program_text(const json_t *object, const char *member, enum language language);

void	program_write(struct buf *out, const struct world *world, const struct aggregate *program);
void	period_write(struct buf *out, const struct world *world, const struct aggregate *program,
	    const char *period_id);
void	rules_write(struct buf *out, const struct aggregate *rules);
void	activity_write(struct buf *out, const struct aggregate *rules, const char *activity_id);

/*
 * The form of an activity that is there: JSON Schema 2020-12 of a claim with `invoices`, `metrics` and `documents`, titles in
 * the language. What is valid has all that a submit needs of metrics and proofs. gives.
 */
json_t	*activity_form(const struct aggregate *program, const struct aggregate *rules, const char *activity_id,
	    enum language language);

/*
 * The period of a sandbox: its usage period is the six months that began on the first of the month two months
 * before now (in the zone), its earning period the six months before that; claimable from the first day of use
 * to 46 days after the last, evidence until 90 days later. gives a period as a client would post it.
 */
json_t	*program_sandbox_period(int64_t now_ms, const char *zone);

/* Dates in order? 0, or -1: every fault was added to *problem, pointers begin with `pointer` ("#"). */
int	period_check(const json_t *period, const char *pointer, struct problem *problem);

/* Do the days of the period overlap with those of another one of the programme? As period_check(). */
int	period_check_apart(const struct aggregate *program, const char *period_id, const json_t *period,
	    struct problem *problem);

/*
 * What the table cannot say of a programme: its zone, weekend and currencies. Adds faults to *problem; pointers
 * below "#".
 */
void	program_check(const struct world *world, const json_t *program, struct problem *problem);
/*
 * The same of an activity (whole, as schema_create() gives it): evidence kinds, depth and size of expressions,
 * caps in every currency of the programme (NULL: unknown, not checked). Pointers begin with `pointer`.
 */
void	activity_check(const json_t *activity, const json_t *currencies, const char *pointer, struct problem *problem);
/*
 * Each kind of cap with an amount is there in every one of the currencies: a claim in another would go uncapped. `below`:
 * the fault is at the cap below `pointer`, else at `pointer` itself.
 */
void	activity_check_currencies(const json_t *activity, const json_t *currencies, const char *pointer, bool below,
	    struct problem *problem);

/*
 * One command of a program admin. world->target: the programme (sequence 0: a creation); `rules`: the rule set that
 * the command is about (NULL: none, or there is none yet); events of target 1 are that one's. command->name:
 * create, update (of the programme; facts.sandbox of a creation), period.create, period.update, rule_set.create
 * (the new one's id is outcome->item_id; a copy of world->rules, the one in force), rule_set.update,
 * rule_set.publish, rule_set.remove, activity.create, activity.update, activity.remove (in the draft).
 * -1: 404, 403, 412, 409 (`invalid_state`, `already_exists`), 422; *outcome is untouched.
 * Rules: README.md, "Programmes".
 */
int	program_decide(const struct world *world, const struct aggregate *rules, const struct command *command,
	    struct outcome *outcome, struct problem *problem);
/* A draft is for the vendor's people alone. */
bool	program_visible(const struct aggregate *program, const struct actor *actor);
bool	rules_visible(const struct aggregate *rules, const struct actor *actor);

/*
 * Checks a pack (format: shared/programs/README.md) and decides the creation of the programme with its period
 * (NULL: none) and published rule set. The events of the two outcomes are for the two aggregates whose ids are
 * in program->item_id and rules->item_id; world->target, when it is a prg_, gives the programme's id. The
 * programme belongs to world->organization, or else to the actor's. sandbox: marks it as one.
 * -1: *problem lists every fault of the pack, pointers into it; both outcomes are untouched.
 */
int	program_import(const struct world *world, const json_t *pack, const json_t *period, bool sandbox,
	    struct outcome *program, struct outcome *rules, struct problem *problem);

/*
 * The programme and these rules (NULL: none) as a pack: what program_import() takes, without the state. The same programme
 * gives the same pack, wherever it was imported. gives.
 */
json_t	*program_export(const struct aggregate *program, const struct aggregate *rules);
/*
 * How the pack differs from world->target and the rules in force: a pack_diff {program: [{pointer, old, new}], added, removed:
 * [key], changed: [{key, changes}]}. NULL: *problem lists every fault of the pack. gives.
 */
json_t	*program_diff(const struct world *world, const json_t *pack, struct problem *problem);

/*
 * A claim (world->target, with its account, programme and rules) under `rules`: a simulation {claim_id, .., changes: [{code,
 * requirement, before, after}]} of what would be judged otherwise. NULL: nothing. gives.
 */
json_t	*program_simulate(const struct world *world, const struct aggregate *rules);

#endif
