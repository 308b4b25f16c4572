/*
 * log - one JSON object a line on standard error: {"at","level","program","pid","event",...}.
 * Whoever decides what happens next logs, once. Never a token, bank detail or document text.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void	log_init(const char *program, enum log_level least);
/* "debug", "info", "warn", "error"; -1: none of them. */
int	log_level_parse(const char *text);

/*
 * Pairs follow the event, NULL ends them: log_write(LOG_INFO, "job_failed", "s:job", key, "d:attempt", (int64_t)3, NULL).
 * The name's prefix is its type: s: string (NULL is left out), d: int64_t, f: double. Values are escaped and cut to 1 KiB.
 */
void	log_write(enum log_level level, const char *event, ...) __attribute__((sentinel));

#endif
