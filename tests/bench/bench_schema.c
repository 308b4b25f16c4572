/* bench_schema - nanoseconds of CPU for checking a body, checking a patch and writing a reply. */
#include <stdio.h>
#include <time.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "schema/openapi.h"
#include "schema/resources.h"

#define ROUNDS 100000

static struct bench {
	const struct schema	*schema;
	struct schema_context	 context;
	json_t			*body, *reply, *patch, *stored;
	struct buf		 out;
} bench = { .context = { "EUR", NULL } };

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void
create(void)
{
	struct problem problem = PROBLEM_INIT;

	json_decref(schema_create(bench.schema, bench.body, &bench.context, &problem));
}

static void
patch(void)
{
	struct problem problem = PROBLEM_INIT;

	json_decref(schema_patch(bench.schema, bench.stored, bench.patch, &bench.context, &problem));
}

static void
refuse(void)
{
	struct problem problem = PROBLEM_INIT;

	schema_create(bench.schema, bench.patch, &bench.context, &problem);
	problem_done(&problem);
}

static void
reply(void)
{
	static const struct schema_view view = { .whole = true };

	buf_clear(&bench.out);
	schema_write(&bench.out, bench.schema, bench.reply, NULL, &view);
}

/* The same reply by a tree and Jansson's printer: what schema_write() saves. */
static void
tree(void)
{
	json_t *copy = json_deep_copy(bench.reply);
	char *text = json_dumps(copy, JSON_COMPACT);

	free(text);
	json_decref(copy);
}

static void
measure(const char *what, void (*run)(void))
{
	int64_t start = cpu_ns();

	for (int i = 0; i < ROUNDS; i++)
		run();
	printf("%-10s %-12s %8lld ns\n", bench.schema->name, what, (long long)(cpu_ns() - start) / ROUNDS);
}

int
main(void)
{
	const struct schema *const tables[] = { &schema_claim, &schema_invoice, &schema_comment, &schema_decision_post };
	struct problem problem = PROBLEM_INIT;

	xmalloc_install();
	bench.patch = json_pack("{s:s}", "note", "Half of it was paid in advance");
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		bench.schema = tables[i];
		bench.body = openapi_example(tables[i], SCHEMA_POST);
		bench.reply = openapi_example(tables[i], SCHEMA_REPLY);
		bench.stored = schema_create(tables[i], bench.body, &bench.context, &problem);
		measure("create", create);
		if (bench.schema == &schema_invoice)
			measure("patch", patch);
		measure("refuse", refuse);
		measure("write", reply);
		printf("%-10s %-12s %8zu bytes\n", bench.schema->name, "reply", bench.out.len);
		measure("tree", tree);
		json_decref(bench.stored);
		json_decref(bench.reply);
		json_decref(bench.body);
	}
	json_decref(bench.patch);
	buf_done(&bench.out);
	return 0;
}
