// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model/plan.h"
#include "tests/golden.h"
#include "tests/model_files.h"

/* A topology, its models and the plan of both. */
struct fixture {
	struct ruleset_files rules;
	struct topology topology;
	struct nat_model a, b;
	struct plan_nat nats[2];
	struct plan plan;
};

/* b is NULL in a topology with one router. */
static void fixture_init(struct fixture *f, const char *topology, const char *a, const char *b)
{
	struct err e = { .text = "" };

	model_files_rules(&f->rules);
	model_files_topology(topology, &f->topology);
	model_files_nat(a, &f->a);
	model_files_nat(b != NULL ? b : a, &f->b);
	f->nats[0] = (struct plan_nat){ "a", &f->a };
	f->nats[1] = (struct plan_nat){ "b", &f->b };
	if (plan_make(&f->topology, f->nats, b != NULL ? 2 : 1, &f->rules, &f->plan, &e) < 0)
		fail_msg("%s", e.text);
}

static void fixture_fini(struct fixture *f)
{
	plan_fini(&f->plan);
	nat_model_fini(&f->a);
	nat_model_fini(&f->b);
	topology_fini(&f->topology);
	model_files_rules_free(&f->rules);
}

static unsigned count_ops(const struct plan *p, enum plan_kind kind)
{
	unsigned count = 0;

	for (size_t i = 0; i < p->ops_count; i++)
		count += p->ops[i].kind == kind;
	return count;
}

static void plans_and_scripts_are_those_on_file(void **state)
{
	static const struct {
		const char *topology, *a, *b, *file;
	} cases[] = {
		{ "two-homes", "open", "port-restricted-cone", "two-homes" },
		{ "one-home", "full-cone", NULL, "one-home" },
		{ "home-to-server", "symmetric-random", NULL, "home-to-server" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		struct buf text = BUF_INIT;
		char file[64];

		fixture_init(&f, cases[i].topology, cases[i].a, cases[i].b);
		plan_print(&f.plan, &text);
		(void)snprintf(file, sizeof(file), "%s.plan", cases[i].file);
		golden_compare(file, buf_text(&text));
		buf_clear(&text);
		plan_script(&f.plan, "The title.", &text);
		(void)snprintf(file, sizeof(file), "%s.sh", cases[i].file);
		golden_compare(file, buf_text(&text));
		buf_fini(&text);
		fixture_fini(&f);
	}
}

static void two_homes_are_six_nodes_and_five_links(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "two-homes", "full-cone", "full-cone");
	assert_int_equal(f.plan.nodes_count, 6);
	assert_int_equal(count_ops(&f.plan, PLAN_NODE), 6);
	assert_int_equal(count_ops(&f.plan, PLAN_VETH), 5);
	assert_int_equal(count_ops(&f.plan, PLAN_BRIDGE), 0);
	assert_int_equal(count_ops(&f.plan, PLAN_UP), 10);
	assert_int_equal(count_ops(&f.plan, PLAN_RULESET), 2);
	assert_int_equal(f.plan.ports_count, 3);
	assert_int_equal(f.plan.routes_count, 3);
	fixture_fini(&f);
}

static void the_wire_knows_each_site_and_the_networks_nothing_hides(void **state)
{
	struct fixture f;
	char text[PREFIX_TEXT_SIZE], addr[ADDR_TEXT_SIZE];

	(void)state;
	fixture_init(&f, "two-homes", "full-cone", "open");
	assert_int_equal(plan_node(&f.plan, "router-b"), f.plan.ports[1].node);
	assert_string_equal(f.plan.ports[1].ifname, "router-b");
	assert_string_equal(addr_format(f.plan.ports[1].gateway, addr), "192.0.2.1");
	assert_int_equal(f.plan.routes_count, 4);
	assert_string_equal(prefix_format(f.plan.routes[0].prefix, text), "198.51.100.0/24");
	assert_int_equal(f.plan.routes[0].port, 0);
	assert_string_equal(prefix_format(f.plan.routes[3].prefix, text), "10.2.0.0/24");
	assert_int_equal(f.plan.routes[3].port, 1);
	assert_int_equal(plan_node(&f.plan, "nobody"), -1);
	assert_int_equal(plan_node(&f.plan, PLAN_INTERNET), 0);
	assert_int_equal(f.plan.nodes[plan_node(&f.plan, "server")].outside_addr, 0xcb00710a);
	fixture_fini(&f);
}

static void two_hosts_of_a_home_share_a_bridge(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "one-home", "full-cone", NULL);
	assert_int_equal(count_ops(&f.plan, PLAN_BRIDGE), 1);
	assert_int_equal(count_ops(&f.plan, PLAN_ENSLAVE), 2);
	assert_int_equal(count_ops(&f.plan, PLAN_VETH), 4);
	assert_int_equal(f.plan.ports_count, 2);
	fixture_fini(&f);
}

static void every_mac_is_local_unicast_and_there_once(void **state)
{
	struct fixture f;
	uint8_t seen[32][6];
	unsigned count = 0;

	(void)state;
	fixture_init(&f, "two-homes", "full-cone", "full-cone");
	for (size_t i = 0; i < f.plan.ops_count; i++) {
		const struct plan_op *op = &f.plan.ops[i];

		if (op->kind != PLAN_VETH)
			continue;
		assert_int_equal(op->mac[0] & 3, 2);
		assert_int_equal(op->peer_mac[0] & 3, 2);
		memcpy(seen[count++], op->mac, 6);
		memcpy(seen[count++], op->peer_mac, 6);
	}
	assert_int_equal(count, 10);
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], 6);
	for (size_t i = 0; i < f.plan.ports_count; i++)
		assert_int_equal(f.plan.ports[i].mac[5], 1);
	fixture_fini(&f);
}

static size_t position(const struct plan *p, enum plan_kind kind, bool last)
{
	size_t at = p->ops_count;

	for (size_t i = 0; i < p->ops_count && (last || at == p->ops_count); i++)
		if (p->ops[i].kind == kind)
			at = i;
	assert_true(at < p->ops_count);
	return at;
}

static void conntrack_is_tuned_after_the_ruleset_that_brings_it(void **state)
{
	struct fixture f;
	bool ruleset = false, udp = false;

	(void)state;
	fixture_init(&f, "home-to-server", "full-cone", NULL);
	for (size_t i = 0; i < f.plan.ops_count; i++) {
		const struct plan_op *op = &f.plan.ops[i];

		ruleset = ruleset || op->kind == PLAN_RULESET;
		if (op->kind != PLAN_SYSCTL || strstr(op->key, "conntrack") == NULL)
			continue;
		assert_true(ruleset);
		if (strcmp(op->key, "net/netfilter/nf_conntrack_udp_timeout") == 0) {
			assert_string_equal(op->value, "120");
			udp = true;
		}
	}
	assert_true(udp);
	fixture_fini(&f);
	fixture_init(&f, "home-to-server", "open", NULL);
	for (size_t i = 0; i < f.plan.ops_count; i++)
		assert_null(strstr(f.plan.ops[i].key, "conntrack"));
	fixture_fini(&f);
}

/* Plans anew for what a test has made of the models. */
static void fixture_plan_again(struct fixture *f)
{
	struct err e = { .text = "" };

	plan_fini(&f->plan);
	if (plan_make(&f->topology, f->nats, 1, &f->rules, &f->plan, &e) < 0)
		fail_msg("%s", e.text);
}

static void a_router_has_every_address_of_its_pool(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "home-to-server", "full-cone", NULL);
	unsigned before = count_ops(&f.plan, PLAN_ADDRESS);
	f.a.pool.count = 3;
	fixture_plan_again(&f);
	struct buf text = BUF_INIT;
	plan_print(&f.plan, &text);
	assert_int_equal(count_ops(&f.plan, PLAN_ADDRESS), before + 2);
	for (unsigned i = 2; i <= 5; i++) {
		char address[32];

		(void)snprintf(address, sizeof(address), " 198.51.100.%u/24 on wan", i);
		assert_int_equal(strstr(buf_text(&text), address) != NULL, i < 5);
	}
	buf_fini(&text);
	fixture_fini(&f);
}

/* The line of a ruleset's head that sets a sysctl, which has dots there. */
static void sysctl_comment(const struct plan_op *op, char *ret, size_t size)
{
	int len = snprintf(ret, size, "\n# sysctl -w %s=%s\n", op->key, op->value);

	assert_in_range(len, 1, size - 1);
	for (char *p = strchr(ret, '/'); p != NULL; p = strchr(p, '/'))
		*p = '.';
}

static void a_ruleset_says_which_sysctls_it_is_planned_with(void **state)
{
	static const char *const models[] = { "open", "full-cone", "rst-kills",
					      "linux-masquerade" };

	(void)state;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		struct fixture f;
		const char *rules = NULL;
		unsigned planned = 0, said = 0;

		fixture_init(&f, "home-to-server", models[i], NULL);
		for (size_t k = 0; k < f.plan.ops_count; k++) {
			const struct plan_op *op = &f.plan.ops[k];
			char line[200];

			if (op->kind == PLAN_RULESET)
				rules = op->text;
			if (op->kind != PLAN_SYSCTL || strstr(op->key, "netfilter") == NULL)
				continue;
			sysctl_comment(op, line, sizeof(line));
			assert_non_null(rules);
			if (strstr(rules, line) == NULL)
				fail_msg("%s: there is no%s", models[i], line);
			planned++;
		}
		for (const char *p = rules; (p = strstr(p, "\n# sysctl -w ")) != NULL; p++)
			said++;
		assert_int_equal(said, planned);
		assert_int_equal(planned > 0, strcmp(models[i], "open") != 0);
		fixture_fini(&f);
	}
}

static void what_must_be_there_first_comes_first(void **state)
{
	struct fixture f;
	const struct plan *p = &f.plan;

	(void)state;
	fixture_init(&f, "one-home", "open", NULL);
	assert_true(position(p, PLAN_NODE, true) < position(p, PLAN_SYSCTL, false));
	assert_true(position(p, PLAN_SYSCTL, true) < position(p, PLAN_VETH, false));
	assert_true(position(p, PLAN_BRIDGE, true) < position(p, PLAN_ENSLAVE, false));
	assert_true(position(p, PLAN_VETH, true) < position(p, PLAN_ADDRESS, false));
	assert_true(position(p, PLAN_ADDRESS, true) < position(p, PLAN_UP, false));
	assert_true(position(p, PLAN_UP, true) < position(p, PLAN_ROUTE, false));
	fixture_fini(&f);
}

static void each_role_needs_one_model(void **state)
{
	struct fixture f;
	struct plan p = { .nodes_count = 77 };
	struct err e;

	(void)state;
	fixture_init(&f, "two-homes", "full-cone", "open");
	assert_true(plan_make(&f.topology, f.nats, 1, &f.rules, &p, &e) < 0);
	assert_string_equal(e.text,
			    "router-b of topology two-homes needs a NAT model: --nat b=MODEL");
	assert_int_equal(e.kind, ERR_INPUT);
	f.nats[1].role = "a";
	assert_true(plan_make(&f.topology, f.nats, 2, &f.rules, &p, &e) < 0);
	assert_string_equal(e.text, "role a is given twice: as full-cone and as open");
	f.nats[1].role = "c";
	assert_true(plan_make(&f.topology, f.nats, 2, &f.rules, &p, &e) < 0);
	assert_string_equal(e.text, "topology two-homes has no router with the role \"c\"");
	f.nats[1].role = "b";
	size_t count = f.rules.count;
	f.rules.count = 0;
	assert_true(plan_make(&f.topology, f.nats, 2, &f.rules, &p, &e) < 0);
	f.rules.count = count;
	assert_int_equal(p.nodes_count, 77);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_and_scripts_are_those_on_file),
		cmocka_unit_test(two_homes_are_six_nodes_and_five_links),
		cmocka_unit_test(the_wire_knows_each_site_and_the_networks_nothing_hides),
		cmocka_unit_test(two_hosts_of_a_home_share_a_bridge),
		cmocka_unit_test(every_mac_is_local_unicast_and_there_once),
		cmocka_unit_test(conntrack_is_tuned_after_the_ruleset_that_brings_it),
		cmocka_unit_test(a_router_has_every_address_of_its_pool),
		cmocka_unit_test(a_ruleset_says_which_sysctls_it_is_planned_with),
		cmocka_unit_test(what_must_be_there_first_comes_first),
		cmocka_unit_test(each_role_needs_one_model),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
