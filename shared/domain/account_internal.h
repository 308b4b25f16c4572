/* account_internal - what account.c and account_view.c share. */
#ifndef DOMAIN_ACCOUNT_INTERNAL_H
#define DOMAIN_ACCOUNT_INTERNAL_H

#include <stddef.h>

#include "domain/account.h"

#define BALANCE_COUNT	6

/* Members of struct balances, in its order. */
const char	*balance_name(size_t i);
int64_t		 balances_remaining(const struct balances *balances);

#endif
