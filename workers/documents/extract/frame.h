/* frame - what children say to the zygote and the zygote to the worker: PROTOCOL.md, sections 3 and 5. */
#ifndef EXTRACT_FRAME_H
#define EXTRACT_FRAME_H

#include <stdint.h>

#include "workers/documents/extract/stage.h"

#define FRAME_BODY_MAX	32768u		/* bytes after the head */

enum frame_kind {
	FRAME_HELLO	= 'H',	/* zygote: ready */
	FRAME_VALUE	= 'V',
	FRAME_CHECK	= 'C',
	FRAME_BLOB	= 'B',	/* announces one blob */
	FRAME_DATA	= 'D',	/* the next bytes of it */
	FRAME_STAGE	= 'S',	/* a stage has ended; what came before it since the last one is its */
	FRAME_END	= 'E',	/* the document has ended */
	FRAME_REFUSED	= 'X',	/* the request was wrong */
};

/* Before every body. Same machine, same program: byte order is the machine's. */
struct frame_head {
	uint8_t		kind;
	uint8_t		stage;		/* index; 0 where none is meant */
	uint16_t	zero;
	uint32_t	id;		/* of the request; 0 from a child */
	uint32_t	len;		/* of the body, <= FRAME_BODY_MAX */
};

/* The body of a child's FRAME_STAGE; the zygote makes JSON of it. */
struct frame_stage {
	uint32_t	status;		/* enum stage_status, <= STAGE_FAILED */
	uint32_t	cpu_us;
	struct facts	facts;
};

#endif
