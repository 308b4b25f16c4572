/* engine - the process's engine: its store, its cache, its lines, and the limits that a claim has. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "engine/internal.h"
#include "engine/numbers.h"

/* Limits of one claim, as /v1/me shows them: shared/store/README.md section 4. */
static const struct {
	const char	*name;
	int64_t		 value;
} limits[] = {
	{ "document_bytes", 100LL << 20 },
	{ "claim_bytes", 200LL << 20 },
	{ "documents", 100 },
	{ "invoices", 50 },
	{ "lines", 100 },
	{ "claim_lines", 500 },
	{ "csrs", 20 },
	{ "metrics", 50 },
	{ "requests", 200 },
	{ "open_requests", 20 },
	{ "answers", 10 },
	{ "collaborators", 50 },
	{ "tags", 20 },
};

struct engine *
engine_new(struct event_base *base, struct store *store, const struct engine_config *config, struct metrics *metrics)
{
	struct engine *engine = xcalloc(1, sizeof(*engine));

	engine->base = base;
	engine->store = store;
	engine->config = *config;
	engine->cache = cache_new((size_t)config->cache_bytes);
	engine->lines = lines_new(base);
	engine->numbers = numbers_new(store);
	LIST_INIT(&engine->executions);
	LIST_INIT(&engine->loads);
	engine->metrics = metrics;
	if (metrics != NULL) {
		engine->steps = metrics_add(metrics, METRIC_HISTOGRAM, "coopclaims_command_step_seconds",
		    "Time of each step of a command", "step");
		engine->conflicts = metrics_add(metrics, METRIC_COUNTER, "coopclaims_commit_conflicts_total",
		    "Commits that found a newer version and were decided again", NULL);
	}
	engine->limits = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		json_set_int(engine->limits, limits[i].name, limits[i].value);
	return engine;
}

void
engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	loads_end(engine);
	executions_end(engine);
	cache_free(engine->cache);
	lines_free(engine->lines);
	numbers_free(engine->numbers);
	free(engine->seen);
	json_decref(engine->limits);
	free(engine);
}

struct store *
engine_store(const struct engine *engine)
{
	return engine->store;
}

const struct engine_config *
engine_config(const struct engine *engine)
{
	return &engine->config;
}

int64_t
engine_now_ms(const struct engine *engine)
{
	return clock_real_ms() + engine->clock_offset_ms;
}

const json_t *
engine_limits(const struct engine *engine)
{
	return engine->limits;
}
