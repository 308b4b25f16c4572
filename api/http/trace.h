/* trace - W3C Trace Context, level 1: traceparent and tracestate. */
#ifndef HTTP_TRACE_H
#define HTTP_TRACE_H

#include <stdbool.h>

struct http_trace;

/*
 * Takes part in the trace of `parent` (NULL: none) with a new span; state (NULL: none) is borrowed. false:
 * malformed, nothing written.
 */
bool	trace_read(struct http_trace *trace, const char *parent, const char *state);
void	trace_new(struct http_trace *trace);

#endif
