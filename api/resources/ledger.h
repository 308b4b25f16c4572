/* ledger - the entries of a fund account: handlers of its routes. */
#ifndef API_RESOURCES_LEDGER_H
#define API_RESOURCES_LEDGER_H

struct call;

void	ledger_list(struct call *call);		/* type, claim_id, from, to, limit, cursor */
void	ledger_get(struct call *call);

#endif
