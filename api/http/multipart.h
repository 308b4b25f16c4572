/*
 * multipart - streaming multipart/form-data (RFC 7578, RFC 2046). Pure and incremental: pieces in, parts out,
 * in constant memory. Strict: CRLF line ends, every part has Content-Disposition: form-data with a name, no
 * nesting, no transfer encoding.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

struct multipart;
struct problem;

#define MULTIPART_NAME_MAX	128
#define MULTIPART_FILENAME_MAX	1024	/* bytes of UTF-8 */
#define MULTIPART_HEAD_MAX	8192	/* field lines of one part */
#define MULTIPART_PARTS_MAX	100

struct multipart_part {				/* borrowed for the call */
	const char	*name;			/* decoded, valid UTF-8, without controls */
	const char	*filename;		/* the same, last path component only; NULL: a plain field */
	const char	*content_type;		/* as sent, NULL: absent */
};

struct multipart_sink {				/* each returns 0, or -1 with *problem set: the parser stops for good */
	int	(*part)(const struct multipart_part *part, void *arg, struct problem *problem);
	/* Of the last part; borrowed. */
	int	(*data)(const char *data, size_t len, void *arg, struct problem *problem);
	/* The last part is whole. */
	int	(*end)(void *arg, struct problem *problem);
};

/* boundary as of media_type_parse(); copied. sink is borrowed for the parser's life. */
struct multipart *multipart_new(const char *boundary, const struct multipart_sink *sink, void *arg);
void	 multipart_free(struct multipart *multipart);

/*
 * Takes the next bytes. -1: *problem says why (400 invalid_request, or the sink's); nothing more is taken after
 * that.
 */
int	 multipart_feed(struct multipart *multipart, const char *data, size_t len, struct problem *problem);
/* The body is over. -1: the closing delimiter was missing. */
int	 multipart_finish(struct multipart *multipart, struct problem *problem);

#endif
