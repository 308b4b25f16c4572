/* jobs_fixture - jobs in a real Redis, and the ends of the job wire, for test_jobs*.c. */
#ifndef TESTS_JOBS_FIXTURE_H
#define TESTS_JOBS_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "jobs/dispatcher.h"
#include "jobs/frames.h"
#include "jobs/job.h"
#include "jobs/worker.h"
#include "redis_fixture.h"
#include "store/store.h"

#define PARTITIONS 4

struct metrics;

/*
 * How long the ends of the wire bear silence (dispatcher_config, worker_config); 0, as it is: as the product does.
 * With PATIENCE_MS no credit goes because this process stood still.
 */
extern int64_t jobs_silent_ms;

/* A fresh key in `partition`, "test.job_...". */
void	job_key_new(char key[JOB_KEY_SIZE], unsigned partition);
/* Puts a job in place with a commit, as the engine does. body NULL: none. Asserts. */
void job_make(struct event_base *base, struct store *store, const char *key, const char *kind, const char *body,
    int64_t due_ms);
/* Many at once, straight into Redis in the same form. */
void	jobs_fill(const struct redis *redis, const char *kind, unsigned count);

/* A dispatcher at ipc://DIR/NAME; asserts. `advertise` NULL: there. */
struct dispatcher *dispatcher_at(struct event_base *base, struct store *store, const struct redis *redis,
    const char *name, const char *advertise, struct metrics *metrics);
struct worker	*worker_at(struct event_base *base, struct store *store, unsigned slots, const char *name,
		    struct metrics *metrics);
/*
 * The value of a metric's line that begins with `name` ("coopclaims_jobs_dead_total{kind=\"a\"}"), 0 when there is
 * none.
 */
double	metric_value(const struct metrics *metrics, const char *name);

#endif
