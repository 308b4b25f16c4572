/*
 * The router: rows, variables, methods. Its answers (404, 405, OPTIONS) are tested over sockets in
 * tests/conformance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/http/router.h"
#include "api/http/server.h"

static struct http_router *router;
static char row_list[] = "list", row_make[] = "make", row_get[] = "get", row_item[] = "item", row_fixed[] = "fixed",
	row_root[] = "root", row_head[] = "head";

static enum http_route
look(enum http_method method, const char *path, struct http_match *match, unsigned *allowed)
{
	static char copy[256];
	const char *segments[16];
	char *save = NULL;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *s = strtok_r(copy, "/", &save); s != NULL; s = strtok_r(NULL, "/", &save))
		segments[n++] = s;
	if (n > 0 && path[strlen(path) - 1] == '/')
		segments[n++] = "";
	return http_router_lookup(router, method, segments, n, match, allowed);
}

static void
test_router_finds_rows_and_variables(void **state)
{
	struct http_match match;

	(void)state;
	assert_int_equal(look(HTTP_GET, "/", &match, NULL), HTTP_ROUTE_FOUND);
	assert_ptr_equal(match.data, row_root);
	assert_int_equal(look(HTTP_GET, "/v1/claims", &match, NULL), HTTP_ROUTE_FOUND);
	assert_ptr_equal(match.data, row_list);
	assert_int_equal(look(HTTP_POST, "/v1/claims", &match, NULL), HTTP_ROUTE_FOUND);
	assert_ptr_equal(match.data, row_make);
	assert_int_equal(look(HTTP_GET, "/v1/claims/clm_1", &match, NULL), HTTP_ROUTE_FOUND);
	assert_ptr_equal(match.data, row_get);
	assert_int_equal(match.vars, 1);
	assert_string_equal(match.var[0], "clm_1");
	assert_int_equal(look(HTTP_DELETE, "/v1/claims/clm_1/invoices/ivc_2", &match, NULL), HTTP_ROUTE_FOUND);
	assert_ptr_equal(match.data, row_item);
	assert_string_equal(match.pattern, "/v1/claims/{id}/invoices/{item}");
	assert_int_equal(match.vars, 2);
	assert_string_equal(match.var[1], "ivc_2");
}

static void
test_router_fixed_segments_win(void **state)
{
	struct http_match match;

	(void)state;
	assert_int_equal(look(HTTP_GET, "/v1/claims/states", &match, NULL), HTTP_ROUTE_FOUND);
	assert_ptr_equal(match.data, row_fixed);
	assert_int_equal(match.vars, 0);
}

static void
test_router_knows_no_path(void **state)
{
	static const char *const paths[] = {
		"/v1", "/v2", "/v1/claims/", "/v1/claims/clm_1/", "/v1/claims/clm_1/invoices",
		"/V1/claims", "/v1/Claims",
		"/v1/claims/clm_1/invoices/ivc_1/more", "/v1/claims/clm_1/invoices/",
	};
	struct http_match match;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (look(HTTP_GET, paths[i], &match, NULL) != HTTP_ROUTE_NO_PATH)
			fail_msg("%s", paths[i]);
	}
}

static void
test_router_tells_the_methods_of_a_path(void **state)
{
	struct http_match match;
	unsigned allowed = 0;

	(void)state;
	assert_int_equal(look(HTTP_PUT, "/v1/claims", &match, &allowed), HTTP_ROUTE_NO_METHOD);
	assert_int_equal(allowed, HTTP_BIT(GET) | HTTP_BIT(HEAD) | HTTP_BIT(POST) | HTTP_BIT(OPTIONS));
	assert_string_equal(match.pattern, "/v1/claims");
	assert_int_equal(look(HTTP_OTHER, "/v1/claims", &match, &allowed), HTTP_ROUTE_NO_METHOD);
	assert_int_equal(look(HTTP_GET, "/v1/claims/a/invoices/b", &match, &allowed), HTTP_ROUTE_NO_METHOD);
	assert_int_equal(allowed, HTTP_BIT(DELETE) | HTTP_BIT(OPTIONS));
}

static void
test_router_head_is_get_unless_it_has_a_row(void **state)
{
	struct http_match match;

	(void)state;
	assert_int_equal(look(HTTP_HEAD, "/v1/claims", &match, NULL), HTTP_ROUTE_FOUND);
	assert_ptr_equal(match.data, row_list);
	assert_int_equal(look(HTTP_HEAD, "/v1/uploads/u", &match, NULL), HTTP_ROUTE_FOUND);
	assert_ptr_equal(match.data, row_head);
	assert_int_equal(look(HTTP_GET, "/v1/uploads/u", &match, NULL), HTTP_ROUTE_NO_METHOD);
}

static void
test_router_grows(void **state)
{
	struct http_router *big = http_router_new();
	static char data[300];
	struct http_match match;
	char pattern[32], text[16];
	const char *segment = text;

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(pattern, sizeof(pattern), "/r%d", i);
		http_router_add(big, HTTP_BIT(GET), pattern, &data[i]);
	}
	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "r%d", i);
		assert_int_equal(http_router_lookup(big, HTTP_GET, &segment, 1, &match, NULL), HTTP_ROUTE_FOUND);
		assert_ptr_equal(match.data, &data[i]);
	}
	http_router_free(big);
}

static int
setup(void **state)
{
	(void)state;
	router = http_router_new();
	http_router_add(router, HTTP_BIT(GET), "/", row_root);
	http_router_add(router, HTTP_BIT(GET), "/v1/claims", row_list);
	http_router_add(router, HTTP_BIT(POST), "/v1/claims", row_make);
	http_router_add(router, HTTP_BIT(GET) | HTTP_BIT(PATCH), "/v1/claims/{id}", row_get);
	http_router_add(router, HTTP_BIT(GET), "/v1/claims/states", row_fixed);
	http_router_add(router, HTTP_BIT(DELETE), "/v1/claims/{id}/invoices/{item}", row_item);
	http_router_add(router, HTTP_BIT(HEAD) | HTTP_BIT(PATCH), "/v1/uploads/{id}", row_head);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	http_router_free(router);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_router_finds_rows_and_variables),
		cmocka_unit_test(test_router_fixed_segments_win),
		cmocka_unit_test(test_router_knows_no_path),
		cmocka_unit_test(test_router_tells_the_methods_of_a_path),
		cmocka_unit_test(test_router_head_is_get_unless_it_has_a_row),
		cmocka_unit_test(test_router_grows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
