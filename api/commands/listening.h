/* listening - where an api process gets its listening socket: from whoever started it (sd_listen_fds(3)), or it makes one. */
#ifndef API_COMMANDS_LISTENING_H
#define API_COMMANDS_LISTENING_H

struct settings;
struct problem;

/* The socket that was passed as LISTEN_FDS, or a new one as the settings say. -1: *problem says why. */
int	listening_socket(const struct settings *settings, struct problem *problem);

#endif
