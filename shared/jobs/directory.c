#include "jobs/directory.h"

#include <stdio.h>

#include "base/xmalloc.h"
#include "jobs/scripts.h"

#define TEXT(n) TEXT_OF(n)
#define TEXT_OF(n) #n

static const struct keys { const char *set, *hash; } keys[] = {
	[DIRECTORY_APIS] =	{ "{sys}:apis", "{sys}:apis:about" },
	[DIRECTORY_WORKERS] =	{ "{sys}:workers", "{sys}:workers:about" },
};

void
directory_announce(struct store *store, enum directory directory, const char *id, const char *about, store_cb *cb,
    void *arg)
{
	const char *argv[] = { keys[directory].set, keys[directory].hash, id, about, TEXT(DIRECTORY_LIFE_MS) };

	store_eval(store, &jobs_announce_script, 2, ARRAY_SIZE(argv), argv, NULL, cb, arg);
}

void
directory_leave(struct store *store, enum directory directory, const char *id, store_cb *cb, void *arg)
{
	const char *argv[] = { keys[directory].set, keys[directory].hash, id };

	store_eval(store, &jobs_leave_script, 2, ARRAY_SIZE(argv), argv, NULL, cb, arg);
}

void
directory_read(struct store *store, enum directory directory, store_cb *cb, void *arg)
{
	const char *argv[] = { keys[directory].set, keys[directory].hash, TEXT(DIRECTORY_MAX) };

	store_eval(store, &jobs_directory_script, 2, ARRAY_SIZE(argv), argv, NULL, cb, arg);
}
