/*
 * uploads - handlers of the routes that take and give the bytes of documents; api/resources/documents.c has
 * their rows. Each takes a call and ends it.
 */
#ifndef UPLOADS_UPLOADS_H
#define UPLOADS_UPLOADS_H

#include <stdint.h>

struct call;
struct execution;
struct problem;

/* POST {c}/documents, JSON in call->body: 201 awaiting_content. */
void	document_announce(struct call *call);
/* POST {c}/documents as multipart/form-data: text parts, then one `file`. */
void	document_form(struct call *call, const char *boundary);
/* PUT {c}/documents/{id}/content of an announced one. */
void	document_put(struct call *call);
/* GET {c}/documents/{id}/content and /text; the target is loaded and may be seen. */
void	document_content(struct call *call);
void	document_text(struct call *call);

/*
 * Any blob, as a download with a strong ETag and ranges. type NULL: of unknown type; name NULL: not an attachment. Both
 * are borrowed until the call ends.
 */
void	blob_download(struct call *call, const char *sha256, int64_t size, const char *type, const char *name);

/* The end of what made a document: Coopclaims-Document names it, also in a reply that was kept. */
void	document_done(struct execution *x, const struct problem *problem);

#endif
