/*
 * extractor - keeps one coopclaims-extract running and gives it documents, one at a time, on the
 * loop. The program is started when the first document comes, started again when it ends or dies
 * (with a growing pause), and killed when it does not answer.
 */
#ifndef DOCUMENTS_EXTRACTOR_H
#define DOCUMENTS_EXTRACTOR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct extraction;
struct extractor;

#define EXTRACTOR_WAITING_MAX 256	/* documents that wait; more are refused as "busy" */

struct extractor_config {
	const char	*program;	/* path; NULL: coopclaims-extract beside this program */
	const char	*landlock;	/* "require" or "prefer" (NULL) */
	const char	*tmp;		/* folder for temporary folders; NULL: /tmp */
	unsigned	 documents;	/* after which the program is renewed; 0: 500 */
};

/*
 * Exactly once for each extractor_run(), never before that returned. extraction: borrowed for the
 * call, NULL when there is none; then reason (static) says why:
 *   "busy"		too many wait: try again later
 *   "unavailable"	the program could not be started until the deadline: see the log
 *   "timeout"		it did not answer until the deadline and was killed
 *   "lost"		it died with the document in it: try again
 *   "protocol"		what it said was wrong; it was killed
 *   "refused"		it said that the request was wrong (not a regular file, open for writing, too large)
 *   "stopped"		extractor_free() came first
 */
typedef void extractor_done(const struct extraction *extraction, const char *reason, void *arg);

/* Keeps a copy of the configuration. NULL: errno says why there is no temporary folder. */
struct extractor *extractor_new(struct event_base *base, const struct extractor_config *config);
/* Ends the program and calls back what is left with "stopped", within the call. Not from a callback. */
void	extractor_free(struct extractor *extractor);

/*
 * Reads the document behind fd, a regular file opened for reading only; fd is duplicated, and its
 * offset moves. name: as the sender calls it; declared: media type or NULL; timeout_ms: from now,
 * until the callback comes at the latest.
 */
void extractor_run(struct extractor *extractor, int fd, const char *name, const char *declared,
    int64_t timeout_ms, extractor_done *done, void *arg);

size_t	extractor_waiting(const struct extractor *extractor);	/* the one being read included */
pid_t	extractor_pid(const struct extractor *extractor);	/* -1: not running now */

#endif
