/*
 * document - reading one document: the chain of children, the limits that their parent holds, and
 * what goes to the worker. Runs in the zygote, which parses nothing: it moves frames whose heads it
 * has checked.
 */
#ifndef EXTRACT_DOCUMENT_H
#define EXTRACT_DOCUMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct magic_set;
struct sandbox;

/* What lasts from one document to the next. */
struct zygote {
	const struct sandbox	*sandbox;
	struct magic_set	*magic;
	const char		*tmp;		/* folder for the folders of tools */
	int			 control;	/* the worker */
	int			 null;
	pid_t			 pid;
	size_t			 mapped;	/* bytes of address space in use between documents */
};

struct request {
	uint32_t	 id;
	char		*name, *declared;	/* never NULL */
	uint32_t	 wanted;		/* set of stages */
	int		 fd;			/* regular file, opened for reading only */
	size_t		 size;
};

/*
 * Reads it and tells the worker all, FRAME_END included; request->fd is closed then, and -1 (not
 * when it was refused). last: no request is taken after this one. -1: the worker is gone.
 */
int	document_read(const struct zygote *zygote, struct request *request, bool last);

/* Sends one frame. -1: the worker is gone, or has not read for ten seconds. */
int	control_send(int control, uint8_t kind, uint8_t stage, uint32_t id, const void *body, size_t len);

#endif
