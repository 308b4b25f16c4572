/* Which addresses are refused, in every spelling that a resolver or a URL parser turns into one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/net.h"
#include "base/problem.h"
#include "base/xmalloc.h"

static const struct {
	const char	*host, *what;	/* NULL: public */
} rows[] = {
	/* public, at the edges of what is not */
	{ "1.1.1.1", NULL },
	{ "8.8.8.8", NULL },
	{ "9.255.255.255", NULL },
	{ "11.0.0.0", NULL },
	{ "100.63.255.255", NULL },
	{ "100.128.0.0", NULL },
	{ "126.255.255.255", NULL },
	{ "128.0.0.0", NULL },
	{ "169.253.255.255", NULL },
	{ "169.255.0.0", NULL },
	{ "172.15.255.255", NULL },
	{ "172.32.0.0", NULL },
	{ "191.255.255.255", NULL },
	{ "192.0.1.0", NULL },
	{ "192.167.255.255", NULL },
	{ "192.169.0.0", NULL },
	{ "198.17.255.255", NULL },
	{ "198.20.0.0", NULL },
	{ "223.255.255.255", NULL },
	{ "2606:4700::1111", NULL },
	{ "2001:200::1", NULL },
	{ "2a00:1450::1", NULL },
	{ "3ffe::1", NULL },
	/* IPv4 */
	{ "0.0.0.0", "unspecified" },
	{ "0.1.2.3", "unspecified" },
	{ "10.0.0.0", "private" },
	{ "10.255.255.255", "private" },
	{ "100.64.0.0", "shared by a provider" },
	{ "100.127.255.255", "shared by a provider" },
	{ "127.0.0.1", "loopback" },
	{ "127.255.255.254", "loopback" },
	{ "169.254.0.1", "link-local" },
	{ "169.254.169.254", "link-local" },
	{ "172.16.0.0", "private" },
	{ "172.31.255.255", "private" },
	{ "192.0.0.1", "reserved" },
	{ "192.0.0.171", "reserved" },
	{ "192.0.2.1", "reserved" },
	{ "192.88.99.1", "reserved" },
	{ "192.168.0.0", "private" },
	{ "192.168.255.255", "private" },
	{ "198.18.0.1", "reserved" },
	{ "198.19.255.255", "reserved" },
	{ "198.51.100.7", "reserved" },
	{ "203.0.113.9", "reserved" },
	{ "224.0.0.1", "multicast" },
	{ "239.255.255.255", "multicast" },
	{ "240.0.0.1", "reserved" },
	{ "255.255.255.255", "reserved" },
	/* the same in the spellings of inet_aton() */
	{ "2130706433", "loopback" },
	{ "0x7f000001", "loopback" },
	{ "0x7f.1", "loopback" },
	{ "017700000001", "loopback" },
	{ "127.1", "loopback" },
	{ "127.0.1", "loopback" },
	{ "0177.0.0.01", "loopback" },
	{ "0", "unspecified" },
	{ "0x0a.0.0.1", "private" },
	{ "012.1", "private" },
	{ "3232235521", "private" },
	{ "2852039166", "link-local" },
	/* IPv6 */
	{ "::", "unspecified" },
	{ "0:0:0:0:0:0:0:0", "unspecified" },
	{ "::1", "loopback" },
	{ "0000::0001", "loopback" },
	{ "::2", "reserved" },
	{ "::7f00:1", "reserved" },
	{ "::127.0.0.1", "reserved" },
	{ "fe80::1", "link-local" },
	{ "febf::1", "link-local" },
	{ "fec0::1", "private" },
	{ "fc00::1", "private" },
	{ "fdff:ffff::1", "private" },
	{ "ff02::1", "multicast" },
	{ "ff0e::1", "multicast" },
	{ "2001::1", "reserved" },
	{ "2001:10::1", "reserved" },
	{ "2001:db8::1", "reserved" },
	{ "3fff::1", "reserved" },
	{ "100::1", "reserved" },
	{ "5f00::1", "reserved" },
	{ "4000::1", "reserved" },
	{ "64:ff9b:1::1", "reserved" },
	/* IPv6 that carries IPv4: mapped, NAT64, 6to4 */
	{ "::ffff:127.0.0.1", "loopback" },
	{ "::ffff:7f00:1", "loopback" },
	{ "::ffff:10.0.0.1", "private" },
	{ "::ffff:169.254.169.254", "link-local" },
	{ "::ffff:0.0.0.0", "unspecified" },
	{ "::ffff:8.8.8.8", NULL },
	{ "64:ff9b::127.0.0.1", "loopback" },
	{ "64:ff9b::a00:1", "private" },
	{ "64:ff9b::8.8.8.8", NULL },
	{ "2002:7f00:1::", "loopback" },
	{ "2002:a00:1::1", "private" },
	{ "2002:c0a8:1::1", "private" },
	{ "2002:808:808::1", NULL },
};

static const char *
refused(const char *host, const struct net_list *allow)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *found;
	const char *what;

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		fail_msg("%s is no address", host);
	what = net_refused(found->ai_addr, allow);
	freeaddrinfo(found);
	return what;
}

static void
test_every_spelling_is_seen_through(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *what = refused(rows[i].host, NULL);

		if ((what == NULL) != (rows[i].what == NULL) || (what != NULL && strcmp(what, rows[i].what) != 0))
			fail_msg("%s: %s, not %s", rows[i].host, what ? what : "public",
			    rows[i].what ? rows[i].what : "public");
	}
}

static void
test_other_families_are_refused(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/redis.sock" };
	char text[NET_TEXT_SIZE];

	(void)state;
	assert_string_equal(net_refused((struct sockaddr *)&un, NULL), "no internet address");
	net_text((struct sockaddr *)&un, text);
	assert_string_equal(text, "?");
}

static void
test_what_is_allowed_is_not_refused(void **state)
{
	struct problem problem = PROBLEM_INIT;
	struct net_list *list = net_list_new(" 10.20.0.0/16, 192.168.7.9,fd00:1::/32\t::1 ", &problem);
	static const struct {
		const char	*host;
		bool		 allowed;
	} asked[] = {
		{ "10.20.0.0", true },
		{ "10.20.255.255", true },
		{ "10.19.255.255", false },
		{ "10.21.0.0", false },
		{ "192.168.7.9", true },
		{ "192.168.7.8", false },
		{ "fd00:1::5", true },
		{ "fd00:2::5", false },
		{ "::1", true },
		{ "127.0.0.1", false },
		{ "::ffff:10.20.1.1", true },
		{ "::ffff:10.21.1.1", false },
		{ "64:ff9b::10.20.1.1", true },
		{ "2002:a14:101::1", true },
		{ "2002:a15:101::1", false },
		{ "8.8.8.8", true },
	};

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		if ((refused(asked[i].host, list) == NULL) != asked[i].allowed)
			fail_msg("%s", asked[i].host);
	net_list_free(list);
	list = net_list_new("0.0.0.0/0 ::/0", &problem);
	assert_null(refused("127.0.0.1", list));
	assert_null(refused("fe80::1", list));
	net_list_free(list);
	list = net_list_new(NULL, &problem);
	assert_string_equal(refused("10.0.0.1", list), "private");
	net_list_free(list);
	net_list_free(NULL);
}

static void
test_networks_that_are_none_are_named(void **state)
{
	static const char *const bad[] = {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1",
	    "10.0.0/8", "example.com", "10.0.0.0/8/8", "/8", "::1/0128", "10.0.0.1, what", "10.0.0.0/8000",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	char many[257 * 9 + 1] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct problem problem = PROBLEM_INIT;

		if (net_list_new(bad[i], &problem) != NULL)
			fail_msg("%s", bad[i]);
		assert_non_null(strstr(problem.detail, "is no network"));
		problem_done(&problem);
	}
	for (int i = 0; i < 257; i++) {
		struct problem problem = PROBLEM_INIT;
		struct net_list *list;

		strcat(many, "10.0.0.1,");
		list = net_list_new(many, &problem);
		assert_int_equal(list != NULL, i < 256);
		net_list_free(list);
		problem_done(&problem);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_spelling_is_seen_through),
		cmocka_unit_test(test_other_families_are_refused),
		cmocka_unit_test(test_what_is_allowed_is_not_refused),
		cmocka_unit_test(test_networks_that_are_none_are_named),
	};

	return cmocka_run_group_tests_name("addresses", tests, NULL, NULL);
}
