/* actions - the bodies of claim actions. */
#include "schema/rows.h"

static const struct member no_members[] = {
	END
};
const struct schema schema_empty = { "empty", "An object without members.", no_members, 0 };

static const struct member reason_members[] = {
	{ TEXT("reason", WR_NULL | PERSON, REASON_MAX_CHARS, "Why; it is kept in the history.", "The wrong invoice was attached") },
	END
};
const struct schema schema_reason = { "reason", "An action with a reason.", reason_members, 0 };

static const struct member message_members[] = {
	{ TEXT("message", WR_NULL | PERSON, TEXT_MAX_CHARS, "Goes along with it.", "Thanks") },
	END
};
const struct schema schema_message = { "message", "An action with a message.", message_members, 0 };
