/* What the rows of the routes promise together: the vocabularies that /openapi.json lists for requests are those that work. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "api/resources/route.h"
#include "domain/access.h"
#include "schema/resources.h"

static bool
is_asked(const char *scope)
{
	size_t count;
	const struct route_table *const *tables = route_tables(&count);

	for (size_t t = 0; t < count; t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct route *route = &tables[t]->rows[i];

			if (!(route->flags & (ROUTE_PUBLIC | ROUTE_ANY_SCOPE)) &&
			    strcmp(access_scope(route->permission), scope) == 0)
				return true;
		}
	return false;
}

static bool
is_listed(const char *const *values, const char *scope)
{
	while (*values != NULL && strcmp(*values, scope) != 0)
		values++;
	return *values != NULL;
}

/* A token can have the scopes that some route asks for, and no other. */
static void
test_scopes_are_those_that_routes_ask_for(void **state)
{
	const char *const *scopes = schema_member(&schema_token, "scopes")->values;
	size_t count, asked = 0;
	const struct route_table *const *tables = route_tables(&count);

	(void)state;
	for (size_t i = 0; scopes[i] != NULL; i++)
		if (!is_asked(scopes[i]))
			fail_msg("no route asks for the scope %s", scopes[i]);
	for (size_t t = 0; t < count; t++)
		for (size_t i = 0; i < tables[t]->count; i++, asked++)
			if (!is_listed(scopes, access_scope(tables[t]->rows[i].permission)))
				fail_msg("%s asks for the scope %s, which no token can have", tables[t]->rows[i].id,
				    access_scope(tables[t]->rows[i].permission));
	assert_true(asked > 80);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scopes_are_those_that_routes_ask_for),
	};

	return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
