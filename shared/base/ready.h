/*
 * ready - tells whoever started this process that it is ready: our own supervisor by one byte into a pipe (COOPCLAIMS_READY_FD),
 * systemd by its datagram (sd_notify(3)). Both are courtesies: nobody there is no failure.
 */
#ifndef BASE_READY_H
#define BASE_READY_H

#define READY_FD_VARIABLE "COOPCLAIMS_READY_FD"

void	ready_tell(void);			/* once */
void	ready_notify(const char *state);	/* "STOPPING=1" and the like, to systemd alone */

#endif
