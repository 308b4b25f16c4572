/*
 * call - one request on its way: route row -> who asks -> body -> command or read -> reply. Everything it holds goes in
 * call_end(), once. The client may leave at any time; the call runs to its end all the same.
 */
#ifndef API_RESOURCES_CALL_H
#define API_RESOURCES_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "api/http/media.h"
#include "api/http/router.h"
#include "api/http/server.h"
#include "api/resources/api.h"
#include "api/resources/route.h"
#include "base/buf.h"
#include "base/problem.h"
#include "engine/engine.h"

struct call {
	LIST_ENTRY(call)	 entry;		/* of api->calls */
	struct api		*api;
	struct http_request	*request;
	const struct route	*route;
	struct http_match	 match;
	struct prefer		 prefer;
	struct credentials	 credentials;	/* prefix "": none */
	struct load		 load;		/* of reads */
	struct world		 world;		/* after the load */
	json_t			*body;		/* parsed; NULL: none */
	struct problem		 broken;	/* of a body that cannot be read */
	char			*idempotency_key;	/* as the client meant it; arena */
	int64_t			 if_match;	/* -1: none */
	char			 id[ID_SIZE];	/* {id}, "" when it cannot be one */
	char			 item[ID_SIZE];	/* {item} */
	uint64_t		 body_hash;	/* hash64() of the reply, where it is known; 0: it is not */
	void			*data;		/* a handler's own; freed by `release` */
	void			(*release)(void *data);
};

/* The one way out for problems; adds WWW-Authenticate and the like. The call goes. */
void	call_refuse(struct call *call, const struct problem *problem);
void	call_refusef(struct call *call, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* 503 with Retry-After, or 500: a read of the store failed. */
void	call_refuse_store(struct call *call, enum store_status status);
/*
 * 200 with ETag (revision -1: none) or 304, and Link, Location as set before by http_reply_header(). takes body's
 * content.
 */
void	call_reply(struct call *call, int status, struct buf *body, int64_t revision);
void	call_reply_as(struct call *call, int status, const char *media, struct buf *body, int64_t revision);
/* Any other reply was given: frees the call. */
void	call_end(struct call *call);
/* At the end of the process, when the store has gone: nobody will answer those that are left. */
void	calls_drop(struct api *api);

/* Reads who asks, and the target when there is one; then comes `then`, with the call as its argument. */
void	call_load(struct call *call, load_cb *then);
/*
 * After call->load: problem of it (or NULL); is the target there for this caller, and may he? false: it was
 * refused. Sets call->world.
 */
bool	call_may(struct call *call, const struct problem *problem);

/*
 * A new execution for this call, with credentials, key, trace; the target slot set from {id} unless the route
 * creates.
 */
struct execution *call_execution(struct call *call);
/* Runs it and answers with its reply. */
void	call_execute(struct call *call, struct execution *x);
/* The common end of an execution: its reply, or why there is none. The call goes. */
void	call_done(struct execution *x, const struct problem *problem);
/* For a RAW route whose body is JSON after all: reads it into call->body, then calls handle again. */
void	call_take_body(struct call *call);
/* For load.once_scope; of the arena. NULL: there is no key. */
const char *call_once_scope(struct call *call);
/* The common render: the item of the outcome, or the claim. */
void	call_render(struct execution *x, struct buf *out);
/* Is it an id of this kind and of a partition that is there? */
bool	call_id_valid(const struct api *api, const char *id, const char *prefix);

/* Query parameters that were checked against the row. */
const char *call_param(const struct call *call, const char *name);
/* limit (1-200, default 50, cut) of a list. false: refused. */
bool	call_limit(struct call *call, unsigned *limit);
/* A time; *ms is untouched when it is not given. false: refused. */
bool	call_time(struct call *call, const char *name, int64_t *ms);
/* Is include_total=true asked for? false: refused. */
bool	call_include_total(struct call *call, bool *wanted);

/*
 * A page of a list from rows that are all in memory: `write` appends one. ids: array of strings, the cursor is the
 * last id.
 */
void	call_reply_list(struct call *call, json_t *ids,
	    void (*write)(struct call *call, const char *id, struct buf *out));
/* The caller's world with what was loaded of one of many in it: the aggregate and what it belongs to. */
struct world call_row_world(const struct call *call, const struct load *load);
/* A page whose rows are written into `data`, comma separated, with Link. takes data's content. total -1: null. */
void	call_reply_page(struct call *call, struct buf *data, bool has_more, const char *next_cursor, int64_t total);
/* Wraps rows that were written into `data` (comma separated). */
void	list_write(struct buf *out, const struct buf *data, bool has_more, const char *next_cursor, int64_t total);

#endif
