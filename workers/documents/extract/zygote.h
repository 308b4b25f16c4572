/*
 * zygote - takes documents from the worker, one after the other, and has each read by children of
 * its own.
 */
#ifndef EXTRACT_ZYGOTE_H
#define EXTRACT_ZYGOTE_H

struct zygote;

#define REQUEST_MAX	16384		/* bytes of a request */
#define DOCUMENT_MAX	(512ll << 20)	/* bytes of a document */

/*
 * Says hello, then serves up to `documents` documents (0: without end). 0: the worker has closed
 * its end, or the last one is done; -1: the worker broke the protocol or stopped reading (logged).
 */
int	zygote_serve(struct zygote *zygote, unsigned documents);

#endif
