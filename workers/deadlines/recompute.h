/* recompute - the timers of a programme's claims and fund accounts, after a change of its dates or clocks. */
#ifndef WORKERS_DEADLINES_RECOMPUTE_H
#define WORKERS_DEADLINES_RECOMPUTE_H

struct recompute;
struct worker_process;

/* Adds the job kind PROGRAM_TIMERS_KIND to the process' worker. */
void	recompute_start(struct worker_process *process);

#endif
