/* upload_internal - what upload.c does for upload_commit.c. */
#ifndef UPLOADS_UPLOAD_INTERNAL_H
#define UPLOADS_UPLOAD_INTERNAL_H

#include "api/uploads/upload.h"

struct redisReply;

/* What the engine knows of the file, for the rules. gives. */
json_t	*upload_facts(const struct upload *upload);
/* What the rules say to the command as things are in call->world; nothing is changed. 0, or -1 with the problem. */
int	upload_trial(struct upload *upload, const char *name, struct problem *problem);
/* Is it seen by its first bytes to be no evidence? 0, or -1 with the problem. */
int	upload_look(struct upload *upload, struct problem *problem);
/* The problem of a disk that failed (errno). */
void	upload_refuse_disk(struct problem *problem, int error);
/* Its key is free, or has its record. */
void	upload_mark_end(struct upload *upload);
void	upload_answer_ignored(enum store_status status, const struct redisReply *reply, void *arg);

#endif
