/* Whom a connection is counted for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "api/http/address.h"

static const struct sockaddr *
make(const char *text)
{
	static struct sockaddr_storage storage;

	memset(&storage, 0, sizeof(storage));
	if (strchr(text, ':') != NULL) {
		storage.ss_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&storage)->sin6_addr), 1);
	} else {
		storage.ss_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &((struct sockaddr_in *)&storage)->sin_addr), 1);
	}
	return (const struct sockaddr *)&storage;
}

static void
test_address_text_and_home(void **state)
{
	static const struct {
		const char	*from, *text;
		bool		 local;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1", true }, { "127.9.9.9", "127.9.9.9", true },
		{ "192.0.2.7", "192.0.2.7", false },
		{ "::1", "::1", true }, { "2001:db8::1", "2001:db8::1", false },
		{ "::ffff:127.0.0.1", "127.0.0.1", true },
		{ "::ffff:192.0.2.7", "192.0.2.7", false },
	};
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char text[48];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		address_text(make(rows[i].from), text, sizeof(text));
		assert_string_equal(text, rows[i].text);
		assert_int_equal(address_is_local(make(rows[i].from)), rows[i].local);
	}
	address_text((struct sockaddr *)&un, text, sizeof(text));
	assert_string_equal(text, "unix");
	assert_true(address_is_local((struct sockaddr *)&un));
}

static void
test_address_counts_by_host_and_by_ipv6_network(void **state)
{
	struct address_table *table = address_table_new();
	struct address *v4 = address_enter(table, make("192.0.2.1"));
	struct address *mapped = address_enter(table, make("::ffff:192.0.2.1"));
	struct address *other = address_enter(table, make("192.0.2.2"));
	struct address *v6 = address_enter(table, make("2001:db8:0:1::1"));
	struct address *v6b = address_enter(table, make("2001:db8:0:1:ffff::"));
	struct address *v6c = address_enter(table, make("2001:db8:0:2::1"));

	(void)state;
	assert_ptr_equal(v4, mapped);
	assert_int_equal(address_count(v4), 2);
	assert_ptr_not_equal(v4, other);
	assert_ptr_equal(v6, v6b);
	assert_int_equal(address_count(v6), 2);
	assert_ptr_not_equal(v6, v6c);
	address_leave(table, mapped);
	assert_int_equal(address_count(v4), 1);
	address_leave(table, v4);
	v4 = address_enter(table, make("192.0.2.1"));
	assert_int_equal(address_count(v4), 1);
	address_leave(table, v4);
	address_leave(table, NULL);
	address_table_free(table);	/* with the rest still in it */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_text_and_home),
		cmocka_unit_test(test_address_counts_by_host_and_by_ipv6_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
