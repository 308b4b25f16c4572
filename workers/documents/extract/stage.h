/*
 * stage - one step of reading a document: one file, one row in stages.c. A stage has no I/O: it
 * reads bytes that are in memory and answers through emit. It runs in a child that may die at any
 * moment; nothing it says is believed as it stands.
 */
#ifndef EXTRACT_STAGE_H
#define EXTRACT_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/documents/extract/bytes.h"
#include "workers/documents/extract/media.h"

struct emit;
struct magic_set;

/*
 * How a stage ended; the names are in PROTOCOL.md, section 4. What follows STAGE_FAILED is said by
 * the parent only.
 */
#define STAGE_STATUS(X) \
	X(OK, "ok")			/* all was read */ \
	X(LIMIT, "limit")		/* a limit left something out; what was emitted stands */ \
	X(OUTPUT, "output")		/* more was emitted than out_bytes: what is over is lost */ \
	X(MEMORY, "memory")		/* no more memory than limits.memory */ \
	X(FAILED, "failed")		/* the content, or the tool, refused */ \
	X(CPU, "cpu") \
	X(WALL, "wall") \
	X(SECCOMP, "seccomp")		/* a system call that the stage has no right to */ \
	X(CRASHED, "crashed")

enum stage_status {
#define X(id, name) STAGE_##id,
	STAGE_STATUS(X)
#undef X
	STAGE_STATUS_COUNT
};

/* What the document turned out to be; anything but VERDICT_READ ends it after this stage. */
enum verdict {
	VERDICT_READ,
	VERDICT_EMPTY,
	VERDICT_UNSUPPORTED,
	VERDICT_ENCRYPTED,
	VERDICT_UNREADABLE,
	VERDICT_COUNT
};

enum lane { LANE_FAST, LANE_SLOW };

#define FACT_LIMIT	(1u << 0)	/* something was left out for a limit */
#define FACT_KNOWN	FACT_LIMIT

#define PAGES_MAX	1000000u
#define PIXELS_MAX	0x7FFFFFFFu	/* a side */

/*
 * What later stages, and the choice among them, need to know. Goes from child to parent, which
 * checks every range.
 */
struct facts {
	uint32_t	media;		/* enum media */
	uint32_t	verdict;	/* enum verdict */
	uint32_t	flags;		/* FACT_... */
	uint32_t	pages;		/* PDF pages, GIF frames, TIFF directories; 0: none or unknown */
	uint32_t	width, height;	/* as displayed, orientation applied; 0: no picture */
};

bool	facts_valid(const struct facts *facts);

/* What a tool left behind. */
struct tool {
	struct bytes	out;		/* standard output */
	struct bytes	err;		/* the start of standard error, then NUL bytes up to TOOL_ERROR_MAX */
	int		exit_code;
	bool		cut;		/* it was stopped at TOOL_FILE_MAX bytes of output */
};

struct doc {
	struct bytes		 bytes;		/* the whole file */
	const char		*name;		/* as the sender calls it, never NULL */
	const char		*declared;	/* media type, "" when none was declared */
	struct facts		 facts;		/* of the stages before */
	struct tool		 tool;		/* of this stage's tool */
	struct magic_set	*magic;
};

struct stage_limits {
	unsigned	cpu_ms;		/* of the tool, and again of run; counted in whole seconds, rounded up */
	unsigned	wall_ms;	/* likewise */
	size_t		memory;		/* bytes of address space beyond what is mapped at start */
	size_t		out_bytes;	/* of everything emitted */
};

struct stage {
	const char		*name;		/* in results; never changes its meaning */
	enum lane		 lane;
	unsigned		 needs;		/* MEDIA_BIT() of each type it reads */
	struct stage_limits	 limits;
	/*
	 * A program that is run first, in the exec sandbox, with the document as its standard
	 * input: absolute path and arguments, NULL-terminated. NULL: none.
	 */
	const char *const	*tool;
	/* Reads `in`, emits to `out`, sets out->facts. */
	enum stage_status	(*run)(const struct doc *in, struct emit *out);
};

#define STAGES_MAX 32
#define TOOL_FILE_MAX (64u << 20)
#define TOOL_ERROR_MAX 65536

/* The stages in the order in which they run, ended by NULL. */
extern const struct stage *const stages[];

/*
 * The first stage from `from` on that is wanted (bit n: stages[n]) for a document with these facts,
 * or -1.
 */
int		 stage_next(int from, uint32_t wanted, const struct facts *facts);
/* -1: no stage of that name. */
int		 stage_index(const char *name);
const char	*stage_status_name(enum stage_status status);
/* Was something left out, so that the document is processed partly? */
bool		 stage_status_limits(enum stage_status status);

#endif
