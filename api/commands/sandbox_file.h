/* sandbox_file - DATA/sandbox.json (mode 0600): what "init" made in a sandbox, with the tokens. Written whole or not at all. */
#ifndef API_COMMANDS_SANDBOX_FILE_H
#define API_COMMANDS_SANDBOX_FILE_H

#include <jansson.h>

struct problem;
struct settings;

/* -1: *problem says why (disk full ...). */
int	sandbox_file_write(const struct settings *settings, const json_t *sandbox, struct problem *problem);
/* Changes base_url when the file is there: the port of a later start may differ. */
int	sandbox_file_set_url(const struct settings *settings, const char *url, struct problem *problem);

#endif
