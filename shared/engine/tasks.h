/* tasks - the commands of a task as the engine runs them. domain/task.h has the rules. */
#ifndef ENGINE_TASKS_H
#define ENGINE_TASKS_H

#include "engine/engine.h"

/* All commands of a task; writes its timer, too. The facts are command.facts. */
extern const struct operation operation_task;

#endif
