/* due - see due.h. */
#include "domain/due.h"

#include <stddef.h>
#include <string.h>

#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/claim.h"
#include "domain/program.h"
#include "domain/task.h"

static int64_t	program_due(const struct aggregate *aggregate, const struct aggregate *program);
static int64_t	task_due(const struct aggregate *aggregate, const struct aggregate *program);

static const struct {
	const char	*prefix;
	int64_t		(*next)(const struct aggregate *aggregate, const struct aggregate *program);
} kinds[] = {
	{ "clm", claim_next_due },
	{ "acc", account_next_due },
	{ "prg", program_due },
	{ "tsk", task_due },
};

static int64_t
program_due(const struct aggregate *aggregate, const struct aggregate *program)
{
	(void)program;
	return program_next_due(aggregate);
}

static int64_t
task_due(const struct aggregate *aggregate, const struct aggregate *program)
{
	(void)program;
	return task_next_due(aggregate);
}

int64_t
next_due(const struct aggregate *aggregate, const struct aggregate *program)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(kinds[i].prefix, aggregate->id, 3) == 0)
			return kinds[i].next(aggregate, program);
	return 0;
}

bool
due_kind(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(kinds[i].prefix, id, 3) == 0)
			return true;
	return false;
}
