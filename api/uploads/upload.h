/*
 * upload - the bytes of one document on their way into its claim:
 *
 *	load -> [admit] -> mark -> receive -> seal -> load again, decide -> reference -> place -> commit
 *
 * All that can be refused is refused before bytes are read, or else before they take their place; the commit
 * has the last word. form.c and put.c differ in how they come by what is said of the document, and by its
 * bytes.
 */
#ifndef UPLOADS_UPLOAD_H
#define UPLOADS_UPLOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/http/media.h"
#include "api/http/server.h"
#include "api/uploads/refused.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/id.h"
#include "store/store.h"

struct blob_write;
struct call;
struct event;
struct form;
struct problem;

struct upload {
	struct call		*call;
	char			 id[ID_SIZE];		/* of the document */
	json_t			*said;			/* object: text parts, or the announcement; owned */
	json_t *print; /* what an idempotency key stands for, without the bytes; owned */
	bool			 announced;
	char			*name;			/* of the file, NULL: not known; owned */
	char			 media_type[MEDIA_MAX];	/* as declared, or application/octet-stream */
	bool			 digest_given;		/* Content-Digest or Repr-Digest */
	uint8_t			 digest[SHA256_BYTES];
	const struct http_sink	*sink;			/* set by form or put, with arg = this struct */
	void (*ready)(struct upload *upload); /* loaded, visible, permitted by scope: go on or refuse */
	struct form		*form;			/* form.c's */

	int64_t			 room;			/* the most bytes it may have */
	int64_t			 max_bytes;		/* of the whole body */
	int64_t			 size;
	struct buf		 first;			/* until they were looked at */
	bool			 looked;
	struct blob_write	*write;			/* NULL: not begun, or out of our hands */
	char			 sha256[SHA256_HEX_SIZE];
	char			 blob_key[STORE_KEY_SIZE];	/* its reference was written; "" not yet */
	char			 mark_key[STORE_KEY_SIZE];	/* the mark of a key in use; "" none */
	struct event		*mark_timer;
};

/* Takes the call: loads who asks and the claim, then calls ready. */
struct upload *upload_new(struct call *call, void (*ready)(struct upload *upload));
/* Would the claim take such a document from this caller, as it was loaded? 0, or -1 with the problem. Sets room. */
int	upload_admit(struct upload *upload, struct problem *problem);
/* Marks the key as in use, then reads the body through the sink; max_bytes of the whole body. */
void	upload_receive(struct upload *upload, int64_t max_bytes);
/* The next bytes of the file. 0, or -1 with the problem: refuse. */
int	upload_bytes(struct upload *upload, const char *data, size_t len, struct problem *problem);
/* All bytes are here: goes the rest of the way, and ends the call. */
void	upload_finish(struct upload *upload);
/* Ends the call with the problem (and frees that); what was written goes. */
void	upload_refuse(struct upload *upload, struct problem *problem);
/* For sink.abort: nobody waits for an answer any more. */
void	upload_abandon(struct upload *upload);

/* form.c: frees what it has. NULL is fine. */
void	form_free(struct form *form);

#endif
