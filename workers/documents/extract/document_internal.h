/*
 * document_internal - one document being read: document.c has the chain of inside children, tool.c
 * the tools.
 */
#ifndef EXTRACT_DOCUMENT_INTERNAL_H
#define EXTRACT_DOCUMENT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "workers/documents/extract/document.h"
#include "workers/documents/extract/stage.h"

struct reading {
	const struct zygote	*z;
	const struct request	*request;
	struct doc		 doc;
	unsigned		 reported;	/* stages the worker has been told of */
	int			 tool_out, tool_err;	/* memfd, -1: none */
	bool			 tool_died;	/* by a signal */
	uint64_t		 tool_ms, tool_cpu_ms;
};

/*
 * Tells the worker how stage n ended, and keeps what that means for the document. ms and cpu_ms are
 * without the tool's.
 * -1: the worker is gone.
 */
int	reading_report(struct reading *reading, int n, enum stage_status status, uint64_t ms, uint64_t cpu_ms);

/* Maps a file for reading; empty when there is nothing to map. -1: errno. */
int	reading_map(int fd, size_t size, struct bytes *bytes);

/*
 * 1: the tool's output waits to be read by stage n; 0: the stage is lost, and the worker knows; -1:
 * the worker is gone.
 */
int	reading_run_tool(struct reading *reading, int n);
void	reading_forget_tool(struct reading *reading);

#endif
