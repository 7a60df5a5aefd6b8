// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/inside.h"

#include <linux/rtnetlink.h>

#include "sim/lab/netns.h"
#include "sim/lab/rtnl.h"

/* Two fresh namespaces and a socket in each. */
struct pair {
	int fds[2];
	struct netlink nls[2];
};

static int open_inside(void *arg, struct err *e)
{
	return rtnl_open(arg, e);
}

static int set_up(void **state)
{
	static struct pair pair;
	struct err e;

	for (int i = 0; i < 2; i++)
		if (netns_new(&pair.fds[i], &e) < 0 ||
		    netns_run(pair.fds[i], open_inside, &pair.nls[i], &e) < 0)
			return -1;
	*state = &pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;

	for (int i = 0; i < 2; i++) {
		netlink_close(&pair->nls[i]);
		(void)close(pair->fds[i]);
	}
	return 0;
}

static const uint8_t near_mac[6] = { 2, 0, 0, 0, 0, 1 }, far_mac[6] = { 2, 0, 0, 0, 0, 2 };

static void make_veth(struct pair *pair, const char *ifname, const char *peer_ifname)
{
	struct err e;
	struct rtnl_veth veth = { .ifname = ifname,
				  .peer_ifname = peer_ifname,
				  .netns_fd = pair->fds[0],
				  .peer_netns_fd = pair->fds[1] };

	memcpy(veth.mac, near_mac, 6);
	memcpy(veth.peer_mac, far_mac, 6);
	ASSERT_OK(rtnl_veth_new(&pair->nls[0], &veth, &e));
}

static struct rtnl_link find(struct netlink *nl, const char *name)
{
	struct err e;
	struct rtnl_link *links = NULL, found = { .index = 0 };
	size_t count = 0;

	ASSERT_OK(rtnl_links(nl, &links, &count, &e));
	for (size_t i = 0; i < count; i++)
		if (strcmp(links[i].name, name) == 0)
			found = links[i];
	free(links);
	return found;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_true(prefix_parse(text, &p));
	return p;
}

static void a_new_veth_has_both_ends_in_their_places_and_down(void **state)
{
	struct pair *pair = *state;

	make_veth(pair, "near", "far");
	struct rtnl_link near = find(&pair->nls[0], "near"), far = find(&pair->nls[1], "far");
	assert_string_equal(near.kind, "veth");
	assert_memory_equal(near.mac, near_mac, 6);
	assert_string_equal(far.kind, "veth");
	assert_memory_equal(far.mac, far_mac, 6);
	assert_false(near.up || far.up);
	assert_int_equal(near.mtu_bytes, 1500);
	assert_int_equal(find(&pair->nls[0], "far").index, 0);
}

static void ends_of_one_name_in_two_namespaces_do_not_clash(void **state)
{
	struct pair *pair = *state;

	make_veth(pair, "same", "same");
	assert_true(find(&pair->nls[0], "same").index > 0);
	assert_true(find(&pair->nls[1], "same").index > 0);
}

static void rtnl_link_up_sets_one_end_up(void **state)
{
	struct err e;
	struct pair *pair = *state;

	make_veth(pair, "near", "far");
	ASSERT_OK(rtnl_link_up(&pair->nls[0], "near", &e));
	assert_true(find(&pair->nls[0], "near").up);
	assert_false(find(&pair->nls[1], "far").up);
}

static void rtnl_enslave_makes_a_port_of_a_bridge(void **state)
{
	struct err e;
	struct pair *pair = *state;

	make_veth(pair, "near", "far");
	ASSERT_OK(rtnl_bridge_new(&pair->nls[0], "inside", &e));
	ASSERT_OK(rtnl_enslave(&pair->nls[0], "near", "inside", &e));
	struct rtnl_link bridge = find(&pair->nls[0], "inside");
	assert_string_equal(bridge.kind, "bridge");
	assert_int_equal(bridge.master, 0);
	assert_int_equal(find(&pair->nls[0], "near").master, bridge.index);
}

static void addresses_come_back_as_they_were_given(void **state)
{
	struct err e;
	struct pair *pair = *state;
	struct rtnl_address *addresses = NULL;
	size_t count = 0;

	make_veth(pair, "near", "far");
	ASSERT_OK(rtnl_address_add(&pair->nls[0], "near", prefix("192.0.2.2/24"), &e));
	ASSERT_OK(rtnl_address_add(&pair->nls[0], "near", prefix("192.0.2.3/24"), &e));
	ASSERT_OK(rtnl_address_add(&pair->nls[0], "near", prefix("198.51.100.7/32"), &e));
	ASSERT_OK(rtnl_addresses(&pair->nls[0], &addresses, &count, &e));
	assert_int_equal(count, 3);
	assert_int_equal(addresses[0].prefix.addr, prefix("192.0.2.2/24").addr);
	assert_int_equal(addresses[0].prefix.length, 24);
	assert_int_equal(addresses[0].index, find(&pair->nls[0], "near").index);
	/* A second address of a network stands behind the first ones of all. */
	assert_int_equal(addresses[1].prefix.addr, prefix("198.51.100.7/32").addr);
	assert_int_equal(addresses[1].prefix.length, 32);
	assert_int_equal(addresses[2].prefix.addr, prefix("192.0.2.3/24").addr);
	free(addresses);
}

static void a_list_of_links_longer_than_one_answer_is_whole(void **state)
{
	struct err e;
	struct pair *pair = *state;
	struct rtnl_address *addresses = NULL;
	size_t count = 0;

	make_veth(pair, "near", "far");
	for (uint32_t i = 1; i <= 1000; i++)
		ASSERT_OK(rtnl_address_add(&pair->nls[0], "near",
					   (struct prefix){ 0x0a000000 + i, 8 }, &e));
	ASSERT_OK(rtnl_addresses(&pair->nls[0], &addresses, &count, &e));
	assert_int_equal(count, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(addresses[i].prefix.addr, 0x0a000001 + i);
	free(addresses);
}

static void routes_come_back_as_they_were_given(void **state)
{
	struct err e;
	struct pair *pair = *state;
	struct rtnl_route *routes = NULL;
	size_t count = 0;

	make_veth(pair, "near", "far");
	ASSERT_OK(rtnl_address_add(&pair->nls[0], "near", prefix("192.0.2.2/24"), &e));
	ASSERT_OK(rtnl_link_up(&pair->nls[0], "near", &e));
	ASSERT_OK(rtnl_route_add(&pair->nls[0], prefix("0.0.0.0/0"), 0xc0000201, &e));
	ASSERT_OK(rtnl_route_add(&pair->nls[0], prefix("10.1.0.9/16"), 0xc0000205, &e));
	ASSERT_OK(rtnl_routes(&pair->nls[0], &routes, &count, &e));
	assert_int_equal(count, 3);
	assert_int_equal(routes[0].prefix.length, 0);
	assert_int_equal(routes[0].gateway, 0xc0000201);
	assert_int_equal(routes[0].index, find(&pair->nls[0], "near").index);
	assert_int_equal(routes[1].prefix.addr, prefix("10.1.0.0/16").addr);
	assert_int_equal(routes[1].prefix.length, 16);
	assert_int_equal(routes[1].gateway, 0xc0000205);
	assert_int_equal(routes[2].prefix.addr, prefix("192.0.2.0/24").addr);
	assert_int_equal(routes[2].gateway, 0);
	free(routes);
}

static void a_refusal_is_in_the_kernels_words(void **state)
{
	struct err e;
	struct pair *pair = *state;

	make_veth(pair, "near", "far");
	ASSERT_OK(rtnl_address_add(&pair->nls[0], "near", prefix("192.0.2.2/24"), &e));
	ASSERT_OK(rtnl_link_up(&pair->nls[0], "near", &e));
	assert_int_equal(rtnl_route_add(&pair->nls[0], prefix("0.0.0.0/0"), 0x08080808, &e),
			 -ENETUNREACH);
	assert_string_equal(e.text, "route 0.0.0.0/0 via 8.8.8.8: Nexthop has invalid gateway: "
				    "Network is unreachable");
	assert_int_equal(e.kind, ERR_MACHINE);
}

static void a_refusal_without_words_has_the_reason(void **state)
{
	struct err e;
	struct pair *pair = *state;

	assert_int_equal(rtnl_link_up(&pair->nls[0], "nothing", &e), -ENODEV);
	assert_string_equal(e.text, "set nothing up: No such device");
	assert_int_equal(rtnl_address_add(&pair->nls[0], "nothing", prefix("10.0.0.1/8"), &e),
			 -ENODEV);
	assert_string_equal(e.text, "give nothing the address 10.0.0.1/8: No such device");
	assert_int_equal(rtnl_enslave(&pair->nls[0], "nothing", "lo", &e), -ENODEV);
	assert_string_equal(e.text, "make nothing a port of bridge lo: No such device");
}

static void what_exists_is_not_made_again(void **state)
{
	struct err e;
	struct pair *pair = *state;
	struct rtnl_veth again = { .ifname = "near",
				   .peer_ifname = "other",
				   .netns_fd = pair->fds[0],
				   .peer_netns_fd = pair->fds[1],
				   .mac = { 2, 0, 0, 0, 0, 3 },
				   .peer_mac = { 2, 0, 0, 0, 0, 4 } };

	make_veth(pair, "near", "far");
	assert_int_equal(rtnl_veth_new(&pair->nls[0], &again, &e), -EEXIST);
	assert_text(&e, "make veth near and other: ");
	assert_int_equal(find(&pair->nls[1], "other").index, 0);
	assert_int_equal(rtnl_bridge_new(&pair->nls[0], "near", &e), -EEXIST);
}

static void names_no_interface_can_have_are_refused_whole(void **state)
{
	struct err e;
	struct pair *pair = *state;

	assert_int_equal(rtnl_bridge_new(&pair->nls[0], "sixteen-letters-", &e), -EINVAL);
	assert_text(&e, "'sixteen-letters-' is no interface name");
	assert_int_equal(rtnl_link_up(&pair->nls[0], "", &e), -EINVAL);
	ASSERT_OK(rtnl_bridge_new(&pair->nls[0], "fifteen-letters", &e));
	assert_int_equal(rtnl_link_up(&pair->nls[0], "fifteen-letters-and-more", &e), -EINVAL);
	assert_false(find(&pair->nls[0], "fifteen-letters").up);
}

static void a_conversation_goes_on_after_a_refusal(void **state)
{
	struct err e;
	struct pair *pair = *state;

	for (int i = 0; i < 100; i++) {
		assert_int_equal(rtnl_link_up(&pair->nls[0], "nothing", &e), -ENODEV);
		ASSERT_OK(rtnl_link_up(&pair->nls[0], "lo", &e));
	}
	assert_true(find(&pair->nls[0], "lo").up);
	assert_false(find(&pair->nls[1], "lo").up);
}

static int give_up(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	(void)arg;
	errno = ENOMEM;
	return MNL_CB_ERROR;
}

static void an_answer_given_up_half_way_is_not_taken_for_the_next(void **state)
{
	_Alignas(struct nlmsghdr) char request[NETLINK_REQUEST_MAX];
	struct err e;
	struct pair *pair = *state;
	struct ifaddrmsg *info = NULL;

	make_veth(pair, "near", "far");
	for (uint32_t i = 1; i <= 1000; i++)
		ASSERT_OK(rtnl_address_add(&pair->nls[0], "near",
					   (struct prefix){ 0x0a000000 + i, 8 }, &e));
	struct nlmsghdr *nlh =
		netlink_request(request, RTM_GETADDR, NLM_F_DUMP, sizeof(*info), &info);
	assert_int_equal(netlink_talk(&pair->nls[0], nlh, give_up, NULL, &e), -ENOMEM);
	assert_int_equal(rtnl_link_up(&pair->nls[0], "nothing", &e), -ENODEV);
	assert_string_equal(e.text, "set nothing up: No such device");
	ASSERT_OK(rtnl_link_up(&pair->nls[0], "near", &e));
	assert_true(find(&pair->nls[0], "near").up);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_veth_has_both_ends_in_their_places_and_down),
		TEST(ends_of_one_name_in_two_namespaces_do_not_clash),
		TEST(rtnl_link_up_sets_one_end_up),
		TEST(rtnl_enslave_makes_a_port_of_a_bridge),
		TEST(addresses_come_back_as_they_were_given),
		TEST(a_list_of_links_longer_than_one_answer_is_whole),
		TEST(routes_come_back_as_they_were_given),
		TEST(a_refusal_is_in_the_kernels_words),
		TEST(a_refusal_without_words_has_the_reason),
		TEST(what_exists_is_not_made_again),
		TEST(names_no_interface_can_have_are_refused_whole),
		TEST(a_conversation_goes_on_after_a_refusal),
		TEST(an_answer_given_up_half_way_is_not_taken_for_the_next),
	};

	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
