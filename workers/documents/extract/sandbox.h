/*
 * sandbox - what a child may still do once it opens a stranger's file: compute, answer through the
 * descriptors it has, and end. Landlock (no path), seccomp (a short list of system calls), limits
 * on memory, time and files, another user than root, no new privileges, death with its parent.
 * README.md, "The sandbox", says which wall stops what.
 */
#ifndef EXTRACT_SANDBOX_H
#define EXTRACT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/filter.h>

enum sandbox_kind {
	SANDBOX_INSIDE,		/* our own code: no path at all, no file written */
	SANDBOX_TOOL,		/* a program: reads the system's libraries and fonts, writes in its own folder */
	SANDBOX_KINDS
};

enum sandbox_landlock { LANDLOCK_PREFER, LANDLOCK_REQUIRE };

#define SANDBOX_UID	65534	/* nobody, nogroup: what a child of root becomes */
#define SANDBOX_PATHS	16

struct sandbox {
	int			landlock_abi;		/* 0: this kernel has none */
	bool			change_user;		/* we are root and may become nobody */
	int ruleset; /* without a rule, for SANDBOX_INSIDE; -1 without Landlock */
	int			paths[SANDBOX_PATHS];	/* O_PATH of what a tool may read, -1: not on this system */
	struct sock_fprog	filters[SANDBOX_KINDS];
};

struct sandbox_limits {
	unsigned	cpu_s;
	size_t		memory;		/* bytes of address space */
	size_t		file;		/* bytes of a file written, memfd included */
};

/*
 * Prepares what every child shares: compiles the filters, makes the ruleset, sees what the kernel
 * has. -1: *why says what is missing, in words for the operator. Once, in a process of one thread.
 */
int	sandbox_init(struct sandbox *sandbox, enum sandbox_landlock landlock, char *why, size_t why_size);
void	sandbox_done(struct sandbox *sandbox);

/*
 * A ruleset for one tool: what sandbox_init() opened, and `folder` (O_PATH) to write in. -1: errno;
 * also without Landlock.
 */
int	sandbox_tool_ruleset(const struct sandbox *sandbox, int folder);

/*
 * Shuts the calling child in; parent is the process that must outlive it. ruleset is not needed
 * after. Does not return to a caller with fewer walls than asked for: -1 means that the child must
 * end at once, and errno says why.
 */
int	sandbox_enter(const struct sandbox *sandbox, enum sandbox_kind kind, int ruleset,
	    const struct sandbox_limits *limits, pid_t parent);

/*
 * Lowers the soft limits for the next stage of a child that is in already: CPU counts from the
 * start of the child.
 */
int	sandbox_set_stage(unsigned cpu_s, size_t memory);

#endif
