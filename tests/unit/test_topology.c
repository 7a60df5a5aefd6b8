// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/topology.h"
#include "tests/model_files.h"

#define ROUTER_A "  - { name: router-a, nat: a, outside: 198.51.100.2/24, inside: 10.1.0.1/24 }\n"
#define HOST_A   "  - { name: host-a, behind: router-a, peer: a, addresses: [10.1.0.2/24] }\n"

static int parse(const char *text, struct topology *ret, struct err *e)
{
	return topology_parse("t.yaml", text, strlen(text), ret, e);
}

static void two_homes_is_read_whole(void **state)
{
	struct topology t;
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	model_files_topology("two-homes", &t);
	assert_string_equal(t.name, "two-homes");
	assert_int_equal(t.routers_count, 2);
	assert_int_equal(t.hosts_count, 3);
	assert_string_equal(t.routers[1].name, "router-b");
	assert_string_equal(t.routers[1].nat, "b");
	assert_string_equal(prefix_format(t.routers[1].outside, text), "192.0.2.2/24");
	assert_string_equal(prefix_format(t.routers[1].inside, text), "10.2.0.1/24");
	assert_string_equal(topology_peer(&t, "b")->name, "host-b");
	assert_string_equal(topology_host(&t, "host-b")->behind, "router-b");
	assert_ptr_equal(topology_rendezvous(&t), topology_host(&t, "server"));
	assert_null(topology_host(&t, "server")->behind);
	assert_int_equal(topology_host(&t, "server")->addresses_count, 2);
	assert_string_equal(prefix_format(topology_host(&t, "server")->addresses[1], text),
			    "203.0.113.20/24");
	assert_null(topology_peer(&t, "c"));
	assert_null(topology_router(&t, "host-a"));
	topology_fini(&t);
}

static void every_topology_opens_with_a_drawing_of_its_nodes(void **state)
{
	static const char *const names[] = { "two-homes", "one-home", "home-to-server" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct topology t;

		model_files_topology(names[i], &t);
		assert_null(strstr(t.drawing, "SPDX"));
		assert_null(strchr(t.drawing, '#'));
		assert_true(t.drawing[0] != '\n' && strstr(t.drawing, "\n\n") == NULL);
		for (unsigned j = 0; j < t.routers_count; j++)
			assert_non_null(strstr(t.drawing, t.routers[j].name));
		for (unsigned j = 0; j < t.hosts_count; j++) {
			char text[ADDR_TEXT_SIZE];

			assert_non_null(strstr(t.drawing, t.hosts[j].name));
			for (unsigned k = 0; k < t.hosts[j].addresses_count; k++)
				assert_non_null(
					strstr(t.drawing,
					       addr_format(t.hosts[j].addresses[k].addr, text)));
		}
		topology_fini(&t);
	}
}

static void a_topology_may_have_no_router_and_no_drawing(void **state)
{
	struct topology t;
	struct err e;

	(void)state;
	assert_int_equal(parse("about: x\nhosts: [{name: h, addresses: [192.0.2.2/24]}]\n", &t, &e),
			 0);
	assert_string_equal(t.drawing, "");
	assert_int_equal(t.routers_count, 0);
	assert_null(topology_rendezvous(&t));
	topology_fini(&t);
}

static void a_mistake_has_its_place(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "about: x\nrouters:\n" ROUTER_A "hosts:\n" HOST_A HOST_A,
		  "t.yaml:6:13: there is a node \"host-a\" already" },
		{ "about: x\nrouters:\n" ROUTER_A
		  "hosts:\n  - { name: router-a, addresses: [192.0.2.2/24] }\n",
		  "t.yaml:5:13: there is a node \"router-a\" already" },
		{ "about: x\nhosts:\n" HOST_A, "t.yaml:3:29: there is no router \"router-a\"" },
		{ "about: x\nrouters:\n" ROUTER_A
		  "hosts:\n  - { name: h, behind: router-a, addresses: [10.1.1.2/24] }\n",
		  "t.yaml:5:46: the address is not in the network of router-a" },
		{ "about: x\nrouters:\n" ROUTER_A
		  "hosts:\n  - { name: h, behind: router-a, addresses: [10.1.0.2/25] }\n",
		  "t.yaml:5:46: the address is not in the network of router-a" },
		{ "about: x\nrouters:\n" ROUTER_A
		  "hosts:\n  - { name: h, behind: router-a, addresses: [10.1.0.1/24] }\n",
		  "t.yaml:5:46: the address is that of \"router-a\"" },
		{ "about: x\nrouters:\n" ROUTER_A "hosts:\n" HOST_A
		  "  - { name: h, behind: router-a, addresses: [10.1.0.2/24] }\n",
		  "t.yaml:6:46: the address is that of \"host-a\"" },
		{ "about: x\nrouters:\n" ROUTER_A "hosts:\n" HOST_A
		  "  - { name: h, behind: router-a, peer: a, addresses: [10.1.0.3/24] }\n",
		  "t.yaml:6:40: the role \"a\" is that of \"host-a\" already" },
		{ "about: x\nrouters:\n" ROUTER_A
		  "  - { name: r, nat: a, outside: 192.0.2.2/24, inside: 10.2.0.1/24 }\nhosts:\n" HOST_A,
		  "t.yaml:4:21: the role \"a\" is that of \"router-a\" already" },
		{ "about: x\nrouters:\n" ROUTER_A
		  "  - { name: r, nat: b, outside: 198.51.100.3/25, inside: 10.2.0.1/24 }\nhosts:\n" HOST_A,
		  "t.yaml:4:33: the prefix overlaps one of \"router-a\"" },
		{ "about: x\nrouters:\n" ROUTER_A
		  "  - { name: r, nat: b, outside: 192.0.2.2/24, inside: 10.1.0.1/16 }\nhosts:\n" HOST_A,
		  "t.yaml:4:55: the prefix overlaps one of \"router-a\"" },
		{ "about: x\nrouters:\n" ROUTER_A
		  "hosts:\n  - { name: h, addresses: [198.51.100.9/24] }\n",
		  "t.yaml:5:28: the prefix overlaps one of \"router-a\"" },
		{ "about: x\nhosts:\n  - { name: h, addresses: [192.0.2.2/24] }\n"
		  "  - { name: i, addresses: [192.0.2.3/24] }\n",
		  "t.yaml:4:28: the prefix overlaps that of \"h\"" },
		{ "about: x\nhosts: [{name: h, addresses: [192.0.2.1/24]}]\n",
		  "t.yaml:2:31: the first address of the prefix is the gateway's, at the other "
		  "end of the link" },
		{ "about: x\nhosts: [{name: h, addresses: [192.0.2.2/24, 192.0.2.1/24]}]\n",
		  "t.yaml:2:45: the first address of the prefix is the gateway's, at the other "
		  "end of the link" },
		{ "about: x\nhosts: [{name: h, addresses: [192.0.2.2/24, 192.0.3.3/24]}]\n",
		  "t.yaml:2:45: the address is not in the network of the first one" },
		{ "about: x\nhosts: [{name: h, addresses: [192.0.2.2/24, 192.0.2.2/24]}]\n",
		  "t.yaml:2:45: the address is here twice" },
		{ "about: x\nhosts: [{name: h, addresses: [192.0.2.2]}]\n",
		  "t.yaml:2:31: \"192.0.2.2\" is no IPv4 address with a prefix length, as in "
		  "10.1.0.2/24" },
		{ "about: x\nhosts: [{name: h, addresses: [192.0.2.255/24]}]\n",
		  "t.yaml:2:31: 192.0.2.255/24 is the first or last of its network, which no host "
		  "can have" },
		{ "about: x\nhosts: [{name: h, addresses: [192.0.2.2/31]}]\n",
		  "t.yaml:2:31: the prefix length is 31, but can be 8 to 30" },
		{ "about: x\nhosts: [{name: h, addresses: [127.0.0.2/24]}]\n",
		  "t.yaml:2:31: 127.0.0.2/24 cannot be the address of a host" },
		{ "about: x\nhosts: [{name: internet, addresses: [192.0.2.2/24]}]\n",
		  "t.yaml:2:16: the name \"internet\" is natsim's own" },
		{ "about: x\nhosts: [{name: a_b, addresses: [192.0.2.2/24]}]\n",
		  "t.yaml:2:16: \"a_b\" is no name: small letters, digits and dashes only, and no "
		  "dash first" },
		{ "about: x\nhosts: [{name: abcdefghijklmnop, addresses: [192.0.2.2/24]}]\n",
		  "t.yaml:2:16: name is 16 characters long, 15 is the most" },
		{ "about: x\nhosts: [{name: h, peer: c, addresses: [192.0.2.2/24]}]\n",
		  "t.yaml:2:25: a peer's role is a or b, not \"c\"" },
		{ "about: x\nhosts: [{name: h, rendezvous: yes, addresses: [192.0.2.2/24]}]\n",
		  "t.yaml:2:31: the rendezvous must be directly on the Internet and have two "
		  "addresses" },
		{ "about: x\nhosts: []\n", "t.yaml:2:8: hosts has 0 entries, 1 is the least" },
		{ "about: x\n", "t.yaml:1:1: key \"hosts\" is missing in the file" },
		{ "", "t.yaml:1:1: the file is empty" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct topology t = { .name = "untouched" };
		struct err e = { .text = "" };

		if (parse(cases[i].text, &t, &e) >= 0)
			fail_msg("case %zu was taken", i);
		assert_string_equal(e.text, cases[i].expected);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_string_equal(t.name, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_homes_is_read_whole),
		cmocka_unit_test(every_topology_opens_with_a_drawing_of_its_nodes),
		cmocka_unit_test(a_topology_may_have_no_router_and_no_drawing),
		cmocka_unit_test(a_mistake_has_its_place),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
