/*
 * pool - see pool.h. Threads take jobs under one mutex and hand them back through an eventfd, so that libevent needs no
 * locks of its own.
 */
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/xmalloc.h"

#define LANE_SLOTS	64	/* hash chains; there are as many lanes as jobs at most */
#define DONE_A_TURN	64	/* completions before the loop gets its turn again */

struct pool_job {
	STAILQ_ENTRY(pool_job) entry;
	struct lane	*lane;		/* NULL: none */
	void		(*work)(void *arg);
	void		(*done)(void *arg);
	void		*arg;
};
STAILQ_HEAD(job_list, pool_job);

/* Lives while one of its jobs is ready or runs; the jobs behind that one wait here. */
struct lane {
	LIST_ENTRY(lane) entry;
	const void	*key;
	struct job_list	 behind;
};
LIST_HEAD(lane_list, lane);

struct pool {
	pthread_mutex_t	 mutex;		/* guards what follows, up to wake_fd */
	pthread_cond_t	 work_there;
	struct job_list	 ready;
	struct job_list	 finished;
	struct lane_list lanes[LANE_SLOTS];
	bool		 stopping;
	atomic_size_t	 waiting;	/* ready, or behind in a lane; read without the mutex */
	int		 wake_fd;
	struct event	*wake;
	unsigned	 thread_count;
	pthread_t	 threads[];
};

static struct lane *lane_find(struct pool *pool, const void *key);
static struct lane *lane_new(struct pool *pool, const void *key);
static void	lane_advance(struct pool *pool, struct lane *lane);
static void	pool_wake(struct pool *pool);
static void	*thread_main(void *arg);
static void	threads_start(struct pool *pool, unsigned threads);
static struct pool_job *finished_take(struct pool *pool);
static void	pool_woken(evutil_socket_t fd, short what, void *arg);
static void	jobs_free(struct job_list *list);

static inline struct lane_list *
lane_slot(struct pool *pool, const void *key)
{
	return &pool->lanes[((uintptr_t)key >> 4) * 0x9e3779b97f4a7c15u >> 58];
}

static struct lane *
lane_find(struct pool *pool, const void *key)
{
	struct lane *lane;

	LIST_FOREACH(lane, lane_slot(pool, key), entry) {
		if (lane->key == key)
			return lane;
	}
	return NULL;
}

static struct lane *
lane_new(struct pool *pool, const void *key)
{
	struct lane *lane = xmalloc(sizeof(*lane));

	lane->key = key;
	STAILQ_INIT(&lane->behind);
	LIST_INSERT_HEAD(lane_slot(pool, key), lane, entry);
	return lane;
}

/* A job of the lane has run: the next one may. */
static void
lane_advance(struct pool *pool, struct lane *lane)
{
	struct pool_job *next = STAILQ_FIRST(&lane->behind);

	if (next == NULL) {
		LIST_REMOVE(lane, entry);
		free(lane);
		return;
	}
	STAILQ_REMOVE_HEAD(&lane->behind, entry);
	STAILQ_INSERT_TAIL(&pool->ready, next, entry);
	pthread_cond_signal(&pool->work_there);
}

static void
pool_wake(struct pool *pool)
{
	const uint64_t one = 1;

	/* EAGAIN would mean that it is readable already. */
	while (write(pool->wake_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		;
}

static void *
thread_main(void *arg)
{
	struct pool *pool = arg;
	struct pool_job *job;
	bool first;

	pthread_mutex_lock(&pool->mutex);
	for (;;) {
		while (!pool->stopping && STAILQ_EMPTY(&pool->ready))
			pthread_cond_wait(&pool->work_there, &pool->mutex);
		if (pool->stopping)
			break;
		job = STAILQ_FIRST(&pool->ready);
		STAILQ_REMOVE_HEAD(&pool->ready, entry);
		pool->waiting--;
		pthread_mutex_unlock(&pool->mutex);

		job->work(job->arg);

		pthread_mutex_lock(&pool->mutex);
		if (job->lane)
			lane_advance(pool, job->lane);
		first = STAILQ_EMPTY(&pool->finished);
		STAILQ_INSERT_TAIL(&pool->finished, job, entry);
		if (first)
			pool_wake(pool);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

/* Signals belong to the loop's thread, hence all are blocked here. */
static void
threads_start(struct pool *pool, unsigned threads)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; pool->thread_count < threads; pool->thread_count++) {
		rc = pthread_create(&pool->threads[pool->thread_count], NULL, thread_main, pool);
		assert(rc == 0);
		pthread_setname_np(pool->threads[pool->thread_count], "pool");
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct pool *
pool_new(struct event_base *base, unsigned threads)
{
	struct pool *pool = xcalloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));

	assert(threads > 0);
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->work_there, NULL);
	STAILQ_INIT(&pool->ready);
	STAILQ_INIT(&pool->finished);
	pool->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(pool->wake_fd != -1);
	pool->wake = event_new(base, pool->wake_fd, EV_READ | EV_PERSIST, pool_woken, pool);
	event_add(pool->wake, NULL);
	threads_start(pool, threads);
	return pool;
}

void
pool_run(struct pool *pool, const void *lane, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct pool_job *job = xmalloc(sizeof(*job));
	struct lane *before;

	*job = (struct pool_job){ .work = work, .done = done, .arg = arg };
	pthread_mutex_lock(&pool->mutex);
	before = lane ? lane_find(pool, lane) : NULL;
	job->lane = lane && before == NULL ? lane_new(pool, lane) : before;
	if (before) {
		STAILQ_INSERT_TAIL(&before->behind, job, entry);
	} else {
		STAILQ_INSERT_TAIL(&pool->ready, job, entry);
		pthread_cond_signal(&pool->work_there);
	}
	pool->waiting++;
	pthread_mutex_unlock(&pool->mutex);
}

size_t
pool_waiting(const struct pool *pool)
{
	/* A figure for a gauge and for turning work away: it need not be of this very moment. */
	return atomic_load_explicit(&pool->waiting, memory_order_relaxed);
}

static struct pool_job *
finished_take(struct pool *pool)
{
	struct pool_job *job;

	pthread_mutex_lock(&pool->mutex);
	job = STAILQ_FIRST(&pool->finished);
	if (job)
		STAILQ_REMOVE_HEAD(&pool->finished, entry);
	pthread_mutex_unlock(&pool->mutex);
	return job;
}

static void
pool_woken(evutil_socket_t fd, short what, void *arg)
{
	struct pool *pool = arg;
	struct pool_job *job;
	uint64_t count;
	ssize_t n;

	(void)what;
	n = read(fd, &count, sizeof(count));
	assert(n == sizeof(count) || errno == EAGAIN || errno == EINTR);
	for (int i = 0; i < DONE_A_TURN; i++) {
		job = finished_take(pool);
		if (job == NULL)
			return;
		job->done(job->arg);
		free(job);
	}
	pool_wake(pool);
}

static void
jobs_free(struct job_list *list)
{
	struct pool_job *job;

	while ((job = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		free(job);
	}
}

void
pool_free(struct pool *pool)
{
	struct pool_job *job;
	struct lane *lane;

	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->mutex);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->work_there);
	pthread_mutex_unlock(&pool->mutex);
	for (unsigned i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);

	while ((job = finished_take(pool)) != NULL) {
		job->done(job->arg);
		free(job);
	}
	jobs_free(&pool->ready);
	for (size_t i = 0; i < LANE_SLOTS; i++) {
		while ((lane = LIST_FIRST(&pool->lanes[i])) != NULL) {
			LIST_REMOVE(lane, entry);
			jobs_free(&lane->behind);
			free(lane);
		}
	}
	event_free(pool->wake);
	close(pool->wake_fd);
	pthread_cond_destroy(&pool->work_there);
	pthread_mutex_destroy(&pool->mutex);
	free(pool);
}
