/* The engine on a real Redis: lines, conflicts of two processes' engines, keys, deadlines, fences,
 * and what is damaged. */
#include "engine/engine.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "api/commands/make.h"
#include "api/commands/sandbox.h"
#include "api/commands/session.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "domain/claim.h"
#include "domain/program.h"
#include "engine/history.h"
#include "redis_fixture.h"

#define PARTITIONS	16

/* A sandbox in a Redis of its own, and two engines on it as two processes have them. */
struct world_here {
	struct redis		 redis;
	struct settings		 settings;
	struct session		 session;
	json_t			*sandbox;
	struct store		*stores[2];
	struct engine		*engines[2];
	struct credentials	 claimant;
	char			 claim[ID_SIZE];
};
static struct world_here w;

/* One command, and what came of it. */
struct tried {
	struct execution	*x;
	int			 order;		/* 1: it ended first */
	char			 code[40];	/* "" it was done */
	bool			 replayed, early;
	char			*body;
	char			 item_id[ID_SIZE];
	int64_t			 at_us;
};
static struct tried tries[600];
static int tried_count, ended;
static bool starting;

static void
ended_cb(struct execution *x, const struct problem *problem)
{
	struct tried *t = x->arg;

	assert_int_equal(t->order, 0);		/* once */
	t->order = ++ended;
	t->early = starting;
	t->at_us = clock_mono_us();
	if (problem != NULL) {
		snprintf(t->code, sizeof(t->code), "%s", problem->code);
		return;
	}
	t->replayed = x->reply.replayed;
	if (x->reply.body.len > 0)
		t->body = xstrndup(x->reply.body.data, x->reply.body.len);
	memcpy(t->item_id, x->outcome.item_id, ID_SIZE);
}

static void
render(struct execution *x, struct buf *out)
{
	buf_addf(out, "%s of %s", x->command.name, x->world.target->id);
}

static struct execution *
prepared(int engine, const char *command, json_t *body)
{
	struct tried *t = &tries[tried_count++];
	struct execution *x = execution_new(w.engines[engine]);

	assert_true((size_t)tried_count <= ARRAY_SIZE(tries));
	*t = (struct tried){ .x = x };
	x->operation = &operation_claim;
	x->load.credentials = w.claimant;
	load_set(&x->load, SLOT_TARGET, w.claim);
	x->command.name = command;
	x->command.body = body;
	x->reply.status = 200;
	x->render = render;
	x->done = ended_cb;
	x->arg = t;
	return x;
}

static struct execution *
comment(int engine, int number)
{
	char text[32];

	snprintf(text, sizeof(text), "comment %d", number);
	return prepared(engine, "comment.add", json_pack("{s:s}", "text", text));
}

static void
run(struct execution *x)
{
	starting = true;
	engine_execute(x);
	starting = false;
}

static void
wait_all(void)
{
	assert_true(loop_until(w.session.base, &ended, tried_count));
	for (int i = 0; i < tried_count; i++)
		assert_false(tries[i].early);		/* never before engine_execute() has returned */
}

static void
forget(void)
{
	for (int i = 0; i < tried_count; i++)
		free(tries[i].body);
	tried_count = ended = 0;
}

/* ---- reading back ---- */

struct read_back {
	json_t	*rows;
	int	 done;
};

static void
rows_read(enum store_status status, json_t *rows, void *arg)
{
	struct read_back *r = arg;

	assert_int_equal(status, STORE_OK);
	r->rows = json_incref(rows);
	r->done = 1;
}

/* Texts of all comment.added, in the order of the history. gives. */
static json_t *
comments_of(const char *claim)
{
	struct read_back r = { NULL, 0 };
	json_t *texts = json_array(), *row;
	int64_t from = 1;
	size_t i, n;

	do {
		r.done = 0;
		history_read(w.engines[0], claim, from, 0, 200, false, rows_read, &r);
		assert_true(loop_until(w.session.base, &r.done, 1));
		n = json_array_size(r.rows);
		json_array_foreach (r.rows, i, row) {
			from = json_int(row, "sequence") + 1;
			if (strcmp(json_str(row, "type"), "comment.added") == 0)
				json_array_append(texts, json_object_get(json_object_get(row, "data"), "text"));
		}
		json_decref(r.rows);
	} while (n == 200);
	return texts;
}

static void
new_claim(void)
{
	struct execution *x = prepared(0, "create",
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", "A claim", "program_id",
		json_str(w.sandbox, "program_id"), "location_id",
		json_str(json_object_get(w.sandbox, "locations"), "partner_a"), "period_id",
		json_str(w.sandbox, "period_id"), "activity_id",
		json_str(json_object_get(w.sandbox, "activities"), "webinar"), "currency", "EUR"));

	load_set(&x->load, SLOT_TARGET, "");
	x->creates = true;
	x->prefix = "clm";
	x->partition = w.claimant.partition;
	load_set(&x->load, SLOT_PROGRAM, json_str(w.sandbox, "program_id"));
	load_set(&x->load, SLOT_LOCATION, json_str(json_object_get(w.sandbox, "locations"), "partner_a"));
	strcpy(x->load.account_key[1], json_str(w.sandbox, "program_id"));
	strcpy(x->load.account_key[2], json_str(w.sandbox, "period_id"));
	run(x);
	wait_all();
	assert_string_equal(tries[tried_count - 1].code, "");
	assert_non_null(tries[tried_count - 1].body);
	memcpy(w.claim, strstr(tries[tried_count - 1].body, "clm_"), ID_SIZE);
	forget();
}

static struct engine *
engine_here(struct store *store, int64_t request_ms)
{
	const struct engine_config config = { .partitions = PARTITIONS, .sandbox = true, .cache_bytes = 1 << 20,
		.request_ms = request_ms, .seal_secret = "a secret" };

	return engine_new(w.session.base, store, &config, NULL);
}

static int
set_up(void **state)
{
	struct problem problem = PROBLEM_INIT;

	(void)state;
	redis_start(&w.redis, 0, NULL);
	w.settings = (struct settings){ .redis = w.redis.address, .redis_connect_ms = PATIENCE_MS,
		.redis_command_ms = PATIENCE_MS, .cache_bytes = 8 << 20, .request_ms = PATIENCE_MS, .data = w.redis.dir };
	assert_int_equal(session_open(&w.session, &w.settings, "test", &problem), 0);
	assert_int_equal(session_use(&w.session, PARTITIONS, true, &problem), 0);
	w.sandbox = sandbox_make(&w.session, &problem);
	if (w.sandbox == NULL)
		fail_msg("%s", problem.detail);
	assert_true(credentials_parse(
	    json_str(json_object_get(w.sandbox, "tokens"), "claimant"), PARTITIONS, &w.claimant));
	for (int i = 0; i < 2; i++) {
		w.stores[i] = redis_store(&w.redis, w.session.base);
		w.engines[i] = engine_here(w.stores[i], PATIENCE_MS);
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		store_free(w.stores[i]);
		engine_free(w.engines[i]);
	}
	session_close(&w.session);
	json_decref(w.sandbox);
	redis_stop(&w.redis);
	return 0;
}

/* Another deadline for the engines; the store has three times as long. */
static void
engines_with(int64_t request_ms)
{
	for (int i = 0; i < 2; i++) {
		store_free(w.stores[i]);
		engine_free(w.engines[i]);
		w.stores[i] = redis_store_within(&w.redis, w.session.base, 3 * request_ms);
		w.engines[i] = engine_here(w.stores[i], request_ms);
	}
}

/* ---- tests ---- */

static void
test_commands_on_one_claim_are_done_in_the_order_they_came(void **state)
{
	json_t *texts, *text;
	char want[32];
	size_t i;

	(void)state;
	new_claim();
	for (int n = 0; n < 60; n++)
		run(comment(0, n));
	wait_all();
	for (int n = 0; n < 60; n++) {
		assert_string_equal(tries[n].code, "");
		assert_int_equal(tries[n].order, n + 1);
	}
	texts = comments_of(w.claim);
	assert_int_equal(json_array_size(texts), 60);
	json_array_foreach (texts, i, text) {
		snprintf(want, sizeof(want), "comment %zu", i);
		assert_string_equal(json_string_value(text), want);
	}
	json_decref(texts);
	forget();
}

static void
test_two_engines_lose_no_comment_and_make_none_twice(void **state)
{
	json_t *texts, *text, *seen = json_object();
	size_t i;

	(void)state;
	new_claim();
	for (int n = 0; n < 80; n++)
		run(comment(n % 2, n));
	wait_all();
	for (int n = 0; n < 80; n++)
		assert_string_equal(tries[n].code, "");
	texts = comments_of(w.claim);
	json_array_foreach (texts, i, text)
		json_object_set_new(seen, json_string_value(text), json_true());
	assert_int_equal(json_array_size(texts), 80);
	assert_int_equal(json_object_size(seen), 80);
	json_decref(texts);
	json_decref(seen);
	forget();
}

static struct execution *
keyed(int engine, int number, const char *key, const char *print)
{
	struct execution *x = comment(engine, number);

	x->idempotency_key = key;
	x->load.once_scope = key;
	x->load.once_partition = (unsigned)id_partition(w.claim);
	snprintf(x->fingerprint, sizeof(x->fingerprint), "%064d", atoi(print));
	return x;
}

static void
test_a_key_has_one_effect_and_one_reply(void **state)
{
	json_t *texts;
	int fresh = 0;

	(void)state;
	new_claim();
	for (int n = 0; n < 12; n++)		/* at once, in both engines */
		run(keyed(n % 2, 1, "one key", "1"));
	wait_all();
	for (int n = 0; n < 12; n++) {
		assert_string_equal(tries[n].code, "");
		assert_string_equal(tries[n].body, tries[0].body);
		fresh += !tries[n].replayed;
	}
	assert_int_equal(fresh, 1);
	run(keyed(0, 2, "one key", "2"));	/* another intention */
	wait_all();
	assert_string_equal(tries[12].code, "idempotency_key_reused");
	texts = comments_of(w.claim);
	assert_int_equal(json_array_size(texts), 1);
	json_decref(texts);
	forget();
}

static void
test_a_refusal_leaves_the_key_free(void **state)
{
	struct execution *x;

	(void)state;
	new_claim();
	x = keyed(0, 1, "a key", "1");
	json_object_set_new(x->command.body, "unheard_of", json_true());
	run(x);
	wait_all();
	assert_string_equal(tries[0].code, "validation_failed");
	run(keyed(0, 1, "a key", "2"));
	wait_all();
	assert_string_equal(tries[1].code, "");
	assert_false(tries[1].replayed);
	forget();
}

static int
may_not(struct execution *x, struct problem *problem)
{
	(void)x;
	problem_set(problem, "insufficient_scope", "No");
	return -1;
}

static void
test_a_kept_reply_is_not_for_whoever_may_not(void **state)
{
	struct execution *x;

	(void)state;
	new_claim();
	run(keyed(0, 1, "key", "1"));
	wait_all();
	x = keyed(0, 1, "key", "1");
	x->permit = may_not;
	run(x);
	wait_all();
	assert_string_equal(tries[0].code, "");
	assert_string_equal(tries[1].code, "insufficient_scope");
	forget();
}

static void
test_what_is_not_there_is_not_found(void **state)
{
	struct execution *x = comment(0, 1);
	char id[ID_SIZE];

	(void)state;
	id_new(id, "clm", w.claimant.partition);
	load_set(&x->load, SLOT_TARGET, id);
	run(x);
	wait_all();
	assert_string_equal(tries[0].code, "not_found");
	forget();
}

static void
test_a_command_fenced_by_a_job_of_others_changes_nothing(void **state)
{
	struct execution *x;
	json_t *texts;

	(void)state;
	new_claim();
	x = comment(0, 1);
	snprintf(x->fence_key, sizeof(x->fence_key), "document.read.%s", w.claim);
	x->fence_attempt = 3;
	run(x);
	wait_all();
	assert_string_equal(tries[0].code, "busy");
	texts = comments_of(w.claim);
	assert_int_equal(json_array_size(texts), 0);
	json_decref(texts);
	forget();
}

static void
test_a_step_of_a_job_happens_once(void **state)
{
	json_t *texts;

	(void)state;
	new_claim();
	for (int n = 0; n < 3; n++) {
		struct execution *x = comment(n % 2, n);

		snprintf(x->once_step, sizeof(x->once_step), "job-1:comment");
		run(x);
	}
	wait_all();
	for (int n = 0; n < 3; n++)
		assert_string_equal(tries[n].code, "");
	texts = comments_of(w.claim);
	assert_int_equal(json_array_size(texts), 1);
	json_decref(texts);
	forget();
}

static void
test_a_line_is_bounded(void **state)
{
	int busy = 0, done = 0;

	(void)state;
	new_claim();
	for (int n = 0; n < 300; n++)
		run(comment(0, n));
	wait_all();
	for (int n = 0; n < 300; n++) {
		if (tries[n].code[0] == '\0')
			done++;
		else if (strcmp(tries[n].code, "busy") == 0)
			busy++;
	}
	assert_int_equal(done, 257);		/* one at it, 256 behind */
	assert_int_equal(busy, 43);
	forget();
}

static void
test_whoever_stands_in_line_has_a_deadline(void **state)
{
	int64_t start_us;

	(void)state;
	new_claim();
	engines_with(400);
	for (bool learnt = false; !learnt; forget()) {	/* what is cached; 400 ms may be too short for that, too */
		run(comment(0, 0));
		wait_all();
		learnt = tries[0].code[0] == '\0';
	}
	kill(w.redis.pid, SIGSTOP);
	start_us = clock_mono_us();
	for (int n = 0; n < 20; n++)
		run(comment(0, n));
	assert_true(loop_until(w.session.base, &ended, 19));
	for (int n = 1; n < 20; n++) {
		assert_string_equal(tries[n].code, "timeout");
		assert_true(tries[n].at_us - start_us >= 400000);
	}
	wait_all();				/* the first waits for Redis itself */
	assert_int_equal(tries[0].order, 20);
	assert_true(strcmp(tries[0].code, "timeout") == 0 || strcmp(tries[0].code, "unavailable") == 0);
	kill(w.redis.pid, SIGCONT);
	forget();
	engines_with(PATIENCE_MS);
	run(comment(0, 99));			/* the line is free again */
	wait_all();
	assert_string_equal(tries[0].code, "");
	forget();
}

static bool
is_up(void *arg)
{
	return store_is_up(arg);
}

/* Redis goes at every moment of many commands; each ends once, and what was said to be done is there once. */
static void
test_every_command_ends_once_when_redis_goes(void **state)
{
	json_t *texts, *seen, *text;
	char want[32];
	size_t i;

	(void)state;
	redis_stop(&w.redis);
	for (int i2 = 0; i2 < 2; i2++) {
		store_free(w.stores[i2]);
		engine_free(w.engines[i2]);
	}
	session_close(&w.session);
	json_decref(w.sandbox);
	{		/* once more, on one that keeps what it was told */
		struct problem problem = PROBLEM_INIT;

		redis_start(&w.redis, REDIS_AOF, NULL);
		w.settings.redis = w.redis.address;
		assert_int_equal(session_open(&w.session, &w.settings, "test", &problem), 0);
		assert_int_equal(session_use(&w.session, PARTITIONS, true, &problem), 0);
		w.sandbox = sandbox_make(&w.session, &problem);
		assert_non_null(w.sandbox);
		credentials_parse(json_str(json_object_get(w.sandbox, "tokens"), "claimant"), PARTITIONS, &w.claimant);
		for (int e = 0; e < 2; e++) {
			w.stores[e] = redis_store(&w.redis, w.session.base);
			w.engines[e] = engine_here(w.stores[e], PATIENCE_MS);
		}
	}
	new_claim();
	engines_with(500);	/* what is cut off waits for Redis until then */
	for (int round = 0; round < 6; round++) {
		int from = tried_count, until = ended + 3 * round;

		for (int n = 0; n < 30; n++)
			run(comment(n % 2, tried_count));
		assert_int_equal(tried_count, from + 30);
		assert_true(loop_until(w.session.base, &ended, until));
		redis_kill(&w.redis, SIGKILL);
		wait_all();
		redis_restart(&w.redis, REDIS_AOF, true);
		for (int e = 0; e < 2; e++)
			assert_true(loop_while_not(w.session.base, is_up, w.stores[e]));
	}
	texts = comments_of(w.claim);
	seen = json_object();
	json_array_foreach (texts, i, text) {
		assert_null(json_object_get(seen, json_string_value(text)));
		json_object_set_new(seen, json_string_value(text), json_true());
	}
	for (int n = 0; n < tried_count; n++) {
		snprintf(want, sizeof(want), "comment %d", n);
		if (tries[n].code[0] == '\0')
			assert_non_null(json_object_get(seen, want));
		else
			assert_true(strcmp(tries[n].code, "unavailable") == 0 || strcmp(tries[n].code, "timeout") == 0);
	}
	json_decref(seen);
	json_decref(texts);
	forget();
}

static void
test_a_damaged_snapshot_is_no_crash(void **state)
{
	static const char *const heads[] = { "{}", "[]", "7", "{\"state\":null}",
		"{\"state\":\"editing\"}", "nonsense" };
	char key[STORE_KEY_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		new_claim();
		store_key_snapshot(key, w.claim);
		freeReplyObject(redis_ask(&w.redis, "HSET %s head %s", key, heads[i]));
		run(comment(1, 1));		/* its cache has nothing of it */
		wait_all();
		assert_string_equal(tries[0].code, "internal");
		forget();
	}
	new_claim();
	store_key_snapshot(key, w.claim);
	freeReplyObject(redis_ask(&w.redis, "HSET %s chk_1 %s", key, "{\"state\":\"open\"}"));
	run(comment(1, 1));
	wait_all();
	assert_string_equal(tries[0].code, "internal");
	forget();
}

/* Another programme of the vendor with an account for the partner: a draft may move there. */
static void
other_programme(char program_id[ID_SIZE], char period_id[ID_SIZE], char activity_id[ID_SIZE], char account_id[ID_SIZE])
{
	const json_t *organizations = json_object_get(w.sandbox, "organizations");
	struct problem problem = PROBLEM_INIT;
	struct buf text = BUF_INIT(1 << 20);
	const struct aggregate *program, *rules;
	json_t *pack, *period, *ids;

	assert_int_equal(buf_load(&text, "shared/programs/example.json"), 0);
	pack = json_read_own(text.data, text.len);
	buf_done(&text);
	period = program_sandbox_period(clock_real_ms(), "Europe/Amsterdam");
	if (make_program(&w.session, json_str(organizations, "vendor"), pack, period, true,
		&program, &rules, &problem) == -1)
		fail_msg("%s", problem.detail);
	strcpy(program_id, program->id);
	ids = program_item_ids(program, "per");
	strcpy(period_id, json_string_value(json_array_get(ids, 0)));
	json_decref(ids);
	ids = program_item_ids(rules, "act");
	strcpy(activity_id, json_string_value(json_array_get(ids, 0)));
	json_decref(ids);
	assert_int_equal(make_account(&w.session, json_str(organizations, "partner_a"), program_id,
			     period_id, "EUR", 100, account_id, &problem),
	    0);
	aggregate_unref(program);
	aggregate_unref(rules);
	json_decref(pack);
	json_decref(period);
}

/* Is the claim in it? command: ZSCORE, SISMEMBER or HEXISTS. */
static bool
in_set(const char *command, const char *what, const char *of)
{
	char key[STORE_KEY_SIZE];
	redisReply *reply;
	bool is;

	store_key(key, (unsigned)id_partition(w.claim), "%s%s", what, of);
	reply = redis_ask(&w.redis, "%s %s %s", command, key, w.claim);
	is = reply->type == REDIS_REPLY_STRING || (reply->type == REDIS_REPLY_INTEGER && reply->integer == 1);
	freeReplyObject(reply);
	return is;
}

static void
in_scope(const char *program, bool is)
{
	static const char *const sorts[] = { ":created_at", ":updated_at" };
	char name[2 * ID_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++) {
		snprintf(name, sizeof(name), "%s%s", program, sorts[i]);
		assert_int_equal(in_set("ZSCORE", "ix:g:", name), is);
	}
	snprintf(name, sizeof(name), "%s:state:editing", program);
	assert_int_equal(in_set("SISMEMBER", "ix:g:", name), is);
}

static void
test_a_draft_that_moves_leaves_nothing_behind(void **state)
{
	char program[ID_SIZE], period[ID_SIZE], activity[ID_SIZE], account[ID_SIZE], key[STORE_KEY_SIZE];
	const char *old = json_str(w.sandbox, "program_id");
	redisReply *old_account;
	struct execution *x;

	(void)state;
	other_programme(program, period, activity, account);
	new_claim();
	store_key(key, (unsigned)id_partition(w.claim), "accounts:%s",
	    json_str(json_object_get(w.sandbox, "organizations"), "partner_a"));
	old_account = redis_ask(&w.redis, "HGET %s %s:%s", key, old, json_str(w.sandbox, "period_id"));
	in_scope(old, true);
	assert_true(in_set("HEXISTS", "plan:", old_account->str));
	x = prepared(0, "update",
	    json_pack("{s:s, s:s, s:s}", "program_id", program, "period_id", period, "activity_id",
		activity));
	strcpy(x->load.moves_to[0], program);
	strcpy(x->load.moves_to[1], period);
	run(x);
	wait_all();
	assert_string_equal(tries[0].code, "");
	in_scope(old, false);
	in_scope(program, true);
	assert_false(in_set("HEXISTS", "plan:", old_account->str));
	assert_true(in_set("HEXISTS", "plan:", account));
	freeReplyObject(old_account);
	forget();
}

static void
load_ended(struct load *load, const struct problem *problem, void *arg)
{
	(void)load;
	assert_null(problem);
	++*(int *)arg;
}

static void
test_a_load_of_nothing_answers_later(void **state)
{
	struct load *load = xcalloc(1, sizeof(*load));
	int count = 0;

	(void)state;
	load->engine = w.engines[0];
	load_start(load, load_ended, &count);
	assert_int_equal(count, 0);
	assert_true(loop_until(w.session.base, &count, 1));
	load_done(load);
	free(load);
}

static void
test_what_stands_in_line_at_the_end_is_told(void **state)
{
	struct engine *engine;
	struct store *store;

	(void)state;
	new_claim();
	store = redis_store(&w.redis, w.session.base);
	engine = engine_here(store, PATIENCE_MS);
	for (int n = 0; n < 10; n++) {
		struct execution *x = comment(0, n);

		x->engine = x->load.engine = engine;
		run(x);
	}
	store_free(store);
	engine_free(engine);
	assert_int_equal(ended, 10);
	for (int n = 0; n < 10; n++)
		assert_string_equal(tries[n].code, "unavailable");
	forget();
}

/* A read that waits for the connection to come back, and asks once more when it is told that it does not. */
struct asking {
	struct store	*store;
	struct store_read read;
	struct store_want want;
	int		 answered, again;
};

static void
asked_again(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)reply;
	assert_int_equal(status, STORE_UNAVAILABLE);
	((struct asking *)arg)->again++;
}

static void
asked(enum store_status status, struct store_read *read, void *arg)
{
	struct asking *a = arg;

	(void)read;
	assert_int_equal(status, STORE_UNAVAILABLE);
	a->answered++;
	store_commandf(a->store, asked_again, a, "PING");
}

static void
test_a_store_that_goes_refuses_what_its_answers_ask_for(void **state)
{
	struct redis redis;
	struct asking a = { .read = { .count = 1 } };

	(void)state;
	redis_start(&redis, 0, NULL);
	a.store = redis_store(&redis, w.session.base);
	a.read.wants = &a.want;
	id_new(a.want.id, "clm", 0);
	kill(redis.pid, SIGSTOP);
	store_read(a.store, &a.read, asked, &a);
	loop_for(w.session.base, 50);		/* it was sent */
	redis_kill(&redis, SIGKILL);
	loop_for(w.session.base, 20);		/* and waits for another connection */
	assert_int_equal(a.answered, 0);
	store_free(a.store);
	assert_int_equal(a.answered, 1);
	assert_int_equal(a.again, 1);
	redis_stop(&redis);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_on_one_claim_are_done_in_the_order_they_came),
		cmocka_unit_test(test_two_engines_lose_no_comment_and_make_none_twice),
		cmocka_unit_test(test_a_key_has_one_effect_and_one_reply),
		cmocka_unit_test(test_a_refusal_leaves_the_key_free),
		cmocka_unit_test(test_a_kept_reply_is_not_for_whoever_may_not),
		cmocka_unit_test(test_what_is_not_there_is_not_found),
		cmocka_unit_test(test_a_command_fenced_by_a_job_of_others_changes_nothing),
		cmocka_unit_test(test_a_step_of_a_job_happens_once),
		cmocka_unit_test(test_a_line_is_bounded),
		cmocka_unit_test(test_whoever_stands_in_line_has_a_deadline),
		cmocka_unit_test(test_a_draft_that_moves_leaves_nothing_behind),
		cmocka_unit_test(test_a_damaged_snapshot_is_no_crash),
		cmocka_unit_test(test_a_load_of_nothing_answers_later),
		cmocka_unit_test(test_what_stands_in_line_at_the_end_is_told),
		cmocka_unit_test(test_a_store_that_goes_refuses_what_its_answers_ask_for),
		cmocka_unit_test(test_every_command_ends_once_when_redis_goes),
	};

	return cmocka_run_group_tests_name("engine", tests, set_up, tear_down);
}
