/* child - the two kinds of children that a document is read in. Neither function returns. */
#ifndef EXTRACT_CHILD_H
#define EXTRACT_CHILD_H

#include <sys/types.h>

#include "workers/documents/extract/sandbox.h"
#include "workers/documents/extract/stage.h"

/* Exit codes of an inside child; 0 after its last stage. */
#define CHILD_MEMORY	86	/* no memory was left */
#define CHILD_ABORT	87	/* an assertion, or a library gave up */
#define CHILD_SETUP	88	/* the sandbox could not be entered, or the answer not be written */

struct child {
	const struct sandbox	*sandbox;
	int			 ruleset;	/* -1 without Landlock */
	pid_t			 parent;
	int			 null;		/* /dev/null */
};

/*
 * Runs stage `first` and those of `wanted` after it that need no tool, and writes their frames to `answer`.
 * mapped: bytes of address space in use now.
 */
void child_inside(const struct child *child, struct doc *doc, int first, uint32_t wanted,
    int answer, size_t mapped) __attribute__((noreturn));

/*
 * Becomes the tool of the stage, with `in` as standard input and `out` and `err` for what it says,
 * in `folder`.
 */
void	child_tool(const struct child *child, const struct stage *stage, int in, int out, int err, int folder,
	    const char *folder_path) __attribute__((noreturn));

#endif
