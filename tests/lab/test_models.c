// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No NAT is trusted before it is measured: a model that says what its router does not do, and rules
 * that do not do what they are for, are found. And no two devices ever share a router's port.
 */
#include "tests/natsim_run.h"

/* ---- natsim's data, to be made wrong */

struct data {
	char *dir, *env;
};

static struct data data_new(void)
{
	struct data d = { .dir = temporary_dir() };
	CLEANUP(run) struct run r = { .dir = NULL };
	const char *argv[] = { "cp", "-r", "nat_models", "topologies", "sim/suites", d.dir, NULL };

	run_argv(&r, argv);
	ASSERT_STATUS(&r, 0);
	assert_true(asprintf(&d.env, "NATSIM_DATA=%s", d.dir) > 0);
	return d;
}

static void data_cleanup(struct data *d)
{
	temporary_cleanup(&d->dir);
	free(d->env);
}

/* Replaces a text by another, everywhere in a file; it must be there. */
static void data_change(const struct data *d, const char *name, const char *from, const char *to)
{
	CLEANUP(buf) struct buf text = BUF_INIT, changed = BUF_INIT;
	unsigned count = 0;

	read_text(d->dir, name, &text);
	for (const char *at = buf_text(&text); *at != '\0';) {
		if (strncmp(at, from, strlen(from)) == 0) {
			buf_puts(&changed, to);
			at += strlen(from);
			count++;
		} else {
			buf_add(&changed, at++, 1);
		}
	}
	if (count == 0)
		fail_msg("%s has no \"%s\"", name, from);
	write_bytes(d->dir, name, buf_text(&changed), changed.len);
	buf_fini(&changed);
}

/* ---- what is found */

struct lie {
	const char *model;            /* which is made wrong ... */
	const char *file, *from, *to; /* ... by this change */
	const char *found[2];         /* what classify says of it over UDP and over TCP */
};

/* The words of `natsim classify` for both transports. */
#define BOTH(model, text)                                          \
	{                                                          \
		model " over udp: " text, model " over tcp: " text \
	}

static void check_run_refuses(const struct data *d, const struct lie *lie)
{
	CLEANUP(free) char *only = NULL;
	CLEANUP(run)
	struct run r = { .dir = d->dir, .env = (const char *const[]){ d->env, NULL } };

	assert_true(asprintf(&only, "nat_a=%s,nat_b=open,transport=udp", lie->model) > 0);
	run_natsim(&r, "run", "all", "--only", only, "--trials", "1", NULL);
	ASSERT_STATUS(&r, 1);
	if (strstr(buf_text(&r.out), lie->found[0]) == NULL ||
	    strstr(buf_text(&r.out), "not run.\n") == NULL)
		RUN_FAIL(&r, "%s: a refusal to run was expected", lie->found[0]);
	/* Not one rate: neither a table nor a summary. */
	assert_null(strstr(buf_text(&r.out), "connected/expected"));
	CLEANUP(free) char *summary = path_in(d->dir, "out/summary.json");
	assert_int_equal(access(summary, F_OK), -1);
}

static void check_lie(const struct lie *lie)
{
	CLEANUP(data) struct data d = data_new();
	CLEANUP(run)
	struct run r = { .dir = d.dir, .env = (const char *const[]){ d.env, NULL } };

	data_change(&d, lie->file, lie->from, lie->to);
	run_natsim(&r, "classify", "--quick", lie->model, NULL);
	if (r.status != 1)
		RUN_FAIL(&r, "%s, %s: status 1 was expected", lie->file, lie->to);
	for (size_t i = 0; i < 2; i++)
		if (strstr(buf_text(&r.out), lie->found[i]) == NULL)
			RUN_FAIL(&r, "%s, %s: \"%s\" was expected", lie->file, lie->to,
				 lie->found[i]);
	check_run_refuses(&d, lie);
}

static void check_lies(const struct lie *lies, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_lie(&lies[i]);
}

#define CHECK_LIES(lies) check_lies(lies, sizeof(lies) / sizeof((lies)[0]))

#define EI  "endpoint-independent"
#define AD  "address-dependent"
#define APD "address-and-port-dependent"

static void rules_that_filter_in_the_wrong_way_are_found(void **state)
{
	static const struct lie lies[] = {
		{ "full-cone", "nat_models/rules/filtering-" EI ".nft",
		  "meta l4proto . th dport @owner_of accept",
		  "meta l4proto . th dport @owner_of ip saddr 203.0.113.10 accept",
		  BOTH("full-cone", "filtering measured as ") },
		{ "restricted-cone", "nat_models/rules/filtering-" AD ".nft",
		  "meta l4proto . ip daddr . th dport . ip saddr \\\n\t\t\t"
		  "@permitted_addresses accept",
		  "meta l4proto . th dport @owner_of accept",
		  BOTH("restricted-cone", "filtering measured as " EI ", declared as " AD) },
		{ "port-restricted-cone", "nat_models/rules/filtering-" APD ".nft",
		  "meta l4proto . ip daddr . th dport . ip saddr . th sport \\\n\t\t\t"
		  "@permitted_endpoints accept",
		  "meta l4proto . th dport @owner_of accept",
		  BOTH("port-restricted-cone", "filtering measured as " EI ", declared as " APD) },
		{ "symmetric-random", "nat_models/rules/filtering-" APD ".nft",
		  "meta l4proto . ip daddr . th dport . ip saddr . th sport \\\n\t\t\t"
		  "@permitted_endpoints accept",
		  "meta l4proto . th dport @owner_of accept",
		  BOTH("symmetric-random", "filtering measured as " EI ", declared as " APD) },
		{ "symmetric-sequential", "nat_models/rules/filtering-" APD ".nft",
		  "meta l4proto . ip daddr . th dport . ip saddr . th sport \\\n\t\t\t"
		  "@permitted_endpoints accept",
		  "meta l4proto . th dport @owner_of accept",
		  BOTH("symmetric-sequential", "filtering measured as " EI ", declared as " APD) },
	};

	(void)state;
	CHECK_LIES(lies);
}

static void rules_that_map_in_the_wrong_way_are_found(void **state)
{
	static const struct lie lies[] = {
		/* The mapping is not looked up: each flow gets a port of its own. */
		{ "full-cone", "nat_models/rules/mapping-" EI ".nft",
		  "$ONLY snat ip to meta l4proto . ip saddr . th sport map @mapping_of", "",
		  BOTH("full-cone", "mapping measured as ") },
		{ "port-restricted-cone", "nat_models/rules/mapping-" EI ".nft",
		  "$ONLY snat ip to meta l4proto . ip saddr . th sport map @mapping_of", "",
		  BOTH("port-restricted-cone", "mapping measured as ") },
	};

	(void)state;
	CHECK_LIES(lies);
}

static void rules_that_choose_ports_in_the_wrong_way_are_found(void **state)
{
	static const struct lie lies[] = {
		{ "full-cone", "nat_models/rules/ports-preserve.nft",
		  "meta l4proto $L4 th sport $PORTS $UNFORWARDED "
		  "meta l4proto . th sport != @owner_of "
		  "\\\n\t\t\tsnat ip to $ADDRESS",
		  "", BOTH("full-cone", "port choice measured as random, declared as preserve") },
		{ "symmetric-random", "nat_models/rules/ports-random.nft",
		  "meta l4proto $L4 snat ip to $ADDRESS : $PORTS random",
		  "meta l4proto . th sport != @owner_of snat ip to $ADDRESS\n\t\t"
		  "meta l4proto $L4 snat ip to $ADDRESS : $PORTS random",
		  BOTH("symmetric-random",
		       "port choice measured as preserve, declared as random") },
		{ "symmetric-sequential", "nat_models/rules/ports-sequential.nft",
		  "snat ip to $ADDRESS : ct mark map @port_at",
		  "snat ip to $ADDRESS : 6000-7023 random",
		  /* Or not at all: one that drew a port in use is dropped. */
		  BOTH("symmetric-sequential", "") },
		{ "symmetric-sequential", "nat_models/rules/ports-sequential.nft",
		  "ct mark set numgen inc mod $PORT_COUNT offset 1",
		  "ct mark set numgen random mod $PORT_COUNT offset 1",
		  BOTH("symmetric-sequential",
		       "port choice measured as block, declared as sequential +1") },
	};

	(void)state;
	CHECK_LIES(lies);
}

/* A router built from one model, held against what another declares: rules files that trade places.
 */
static void a_model_with_the_rules_of_another_is_found(void **state)
{
	static const struct {
		const char *model, *kind, *declared, *built;
	} cases[] = {
		{ "full-cone", "filtering", EI, APD },
		{ "full-cone", "filtering", EI, AD },
		{ "restricted-cone", "filtering", AD, EI },
		{ "restricted-cone", "filtering", AD, APD },
		{ "port-restricted-cone", "filtering", APD, AD },
		{ "symmetric-sequential", "filtering", APD, AD },
		{ "symmetric-random", "filtering", APD, AD },
		{ "restricted-cone", "mapping", EI, APD },
		{ "restricted-cone", "mapping", EI, AD },
		{ "symmetric-random", "mapping", APD, EI },
		{ "symmetric-sequential", "mapping", APD, AD },
		{ "full-cone", "ports", "preserve", "random" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(data) struct data d = data_new();
		CLEANUP(buf) struct buf rules = BUF_INIT;
		CLEANUP(free) char *from = NULL, *to = NULL, *found = NULL;
		CLEANUP(run)
		struct run r = { .dir = d.dir, .env = (const char *const[]){ d.env, NULL } };

		assert_true(asprintf(&from, "nat_models/rules/%s-%s.nft", cases[i].kind,
				     cases[i].built) > 0);
		assert_true(asprintf(&to, "nat_models/rules/%s-%s.nft", cases[i].kind,
				     cases[i].declared) > 0);
		assert_true(asprintf(&found, "%s over udp: %s measured as %s, declared as %s\n",
				     cases[i].model,
				     strcmp(cases[i].kind, "ports") == 0 ? "port choice"
									 : cases[i].kind,
				     cases[i].built, cases[i].declared) > 0);
		read_text(d.dir, from, &rules);
		write_bytes(d.dir, to, buf_text(&rules), rules.len);
		run_natsim(&r, "classify", "--quick", cases[i].model, NULL);
		ASSERT_STATUS(&r, 1);
		if (strstr(buf_text(&r.out), found) == NULL)
			RUN_FAIL(&r, "\"%s\" was expected", found);
		memcpy(strstr(found, "udp"), "tcp", 3);
		if (strstr(buf_text(&r.out), found) == NULL)
			RUN_FAIL(&r, "\"%s\" was expected", found);
		free(to);
		free(found);
		to = found = NULL;
	}
}

/* What only both sides of a router can see. */
static void what_is_observed_otherwise_is_found(void **state)
{
	static const struct {
		const char *file, *from, *to, *found;
	} lies[] = {
		{ "nat_models/rules/hairpin-external-source.nft", "goto translate", "accept",
		  "einat: hairpin, udp observed as internal-source, declared as external-source\n" },
		{ "nat_models/rules/refresh-outbound.nft", "return", "counter",
		  "winnat: refreshed by observed as both, declared as outbound\n" },
		{ "nat_models/rules/ports-preserve-overloading.nft", ": $PORTS", ": $PORTS random",
		  "linux-masquerade: ports shared, udp observed as no, declared as yes\n" },
		{ "nat_models/rules/unsolicited-udp-drop.nft", "drop\n",
		  "reject with icmp port-unreachable\n",
		  "full-cone: answer to strangers, udp observed as icmp, declared as nothing\n" },
		{ "nat_models/rules/filtering.nft", "ct state invalid drop", "",
		  "firewall: tcp lifetime observed as more, declared as " },
		/* One change, two findings. */
		{ NULL, NULL, NULL,
		  "firewall: tcp lifetime, closing observed as more, declared as " },
		{ "nat_models/rules/expiry.nft", "drop\n", "accept\n",
		  "winnat: refreshed by observed as both, declared as outbound\n" },
	};
	CLEANUP(data) struct data d = data_new();
	CLEANUP(run)
	struct run r = { .dir = d.dir, .env = (const char *const[]){ d.env, NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (lies[i].file != NULL)
			data_change(&d, lies[i].file, lies[i].from, lies[i].to);
	run_natsim(&r, "classify", "einat", "winnat", "linux-masquerade", "full-cone", "firewall",
		   NULL);
	ASSERT_STATUS(&r, 1);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (strstr(buf_text(&r.out), lies[i].found) == NULL)
			RUN_FAIL(&r, "\"%s\" was expected", lies[i].found);
}

/* From an outside endpoint, but not from that of the sender's mapping. */
static void a_hairpin_from_elsewhere_is_found(void **state)
{
	static const char *const found[] = {
		"einat: hairpin, udp observed as other-source, declared as external-source\n",
		"einat: hairpin, tcp observed as other-source, declared as yes\n",
	};
	CLEANUP(data) struct data d = data_new();
	CLEANUP(run)
	struct run r = { .dir = d.dir, .env = (const char *const[]){ d.env, NULL } };

	(void)state;
	data_change(&d, "nat_models/rules/hairpin-external-source.nft", "goto translate",
		    "snat ip to $ADDRESS : 50000-50099");
	run_natsim(&r, "classify", "einat", NULL);
	ASSERT_STATUS(&r, 1);
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		if (strstr(buf_text(&r.out), found[i]) == NULL)
			RUN_FAIL(&r, "\"%s\" was expected", found[i]);
}

/* By the one name that it was given. */
static void a_model_has_one_name_in_all_differences(void **state)
{
	CLEANUP(data) struct data d = data_new();
	CLEANUP(run)
	struct run r = { .dir = d.dir, .env = (const char *const[]){ d.env, NULL } };

	(void)state;
	data_change(&d, "nat_models/rules/unsolicited-udp-drop.nft", "drop\n",
		    "reject with icmp port-unreachable\n");
	run_natsim(&r, "classify", "./nat_models/full-cone.yaml", NULL);
	ASSERT_STATUS(&r, 1);
	if (strstr(buf_text(&r.out), "./nat_models/full-cone.yaml: answer to strangers, udp ") ==
	    NULL)
		RUN_FAIL(&r, "%s", "the name that was given was expected");
}

static void check_card(const struct data *d, const char *model, const char *const *lines)
{
	CLEANUP(run)
	struct run r = { .dir = d->dir, .env = (const char *const[]){ d->env, NULL } };

	run_natsim(&r, "classify", "--card", model, NULL);
	ASSERT_STATUS(&r, 0);
	for (; *lines != NULL; lines++)
		if (strstr(buf_text(&r.out), *lines) == NULL)
			RUN_FAIL(&r, "%s: \"%s\" was expected", model, *lines);
}

static void a_card_says_what_packets_show(void **state)
{
#define KERNEL "here the lab's kernel does it: "
#define BEFORE "in order in, reversed in, reversed out: "
	static const char *const good[] = { "REQ-2a   MUST       met",
					    "REQ-9a   MUST       not met",
					    "REQ-11   MUST       met",
					    KERNEL "the sender was told\n",
					    KERNEL "fragments came\n",
					    KERNEL BEFORE "came, came, came\n",
					    NULL };
	static const char *const silent[] = { KERNEL "the sender was told nothing\n",
					      KERNEL "fragments came\n",
					      KERNEL BEFORE "came, came, came\n", NULL };
	static const char *const bad[] = { "REQ-1    MUST       not met",
					   "REQ-5    MUST NOT   not met",
					   "unanswered: 30 s (of 3.0 s in the lab: there at 0.9, "
					   "gone at 1.1)",
					   "REQ-11   MUST       not met",
					   KERNEL "nothing came\n",
					   KERNEL BEFORE "lost, lost, lost\n",
					   NULL };
	CLEANUP(data) struct data d = data_new();

	(void)state;
	check_card(&d, "full-cone", good);
	/* The router's own errors. */
	data_change(&d, "nat_models/rules/base.nft", "chain forwarded {",
		    "chain told {\n"
		    "type filter hook output priority filter; policy accept;\n"
		    "icmp type destination-unreachable drop\n"
		    "}\n"
		    "chain forwarded {");
	check_card(&d, "full-cone", silent);
	/* Fragments, before conntrack would make them whole, and what would become some. */
	data_change(&d, "nat_models/rules/base.nft", "chain told {",
		    "chain fragments {\n"
		    "type filter hook prerouting priority -450; policy accept;\n"
		    "ip frag-off & 0x3fff != 0 drop\n"
		    "ip length 1001-1499 drop\n"
		    "}\n"
		    "chain told {");
	check_card(&d, "linux-masquerade", bad);
}

/* Its first packets from outside refresh a mapping, and later ones do not: a second look would find
 * it as declared. */
static void a_router_that_is_right_at_the_second_look_is_found(void **state)
{
	CLEANUP(data) struct data d = data_new();
	CLEANUP(run)
	struct run r = { .dir = d.dir, .env = (const char *const[]){ d.env, NULL } };

	(void)state;
	data_change(&d, "nat_models/rules/refresh-outbound.nft", "return",
		    "limit rate over 1/hour burst 12 packets return");
	run_natsim(&r, "classify", "winnat", NULL);
	ASSERT_STATUS(&r, 1);
	if (strstr(buf_text(&r.out), "winnat: refreshed by observed as both, declared as ") == NULL)
		RUN_FAIL(&r, "%s", "a refresh by both was expected");
}

/* The classifier's ports are others. */
static void what_could_not_be_observed_is_not_as_declared(void **state)
{
	CLEANUP(data) struct data d = data_new();
	CLEANUP(run)
	struct run r = { .dir = d.dir, .env = (const char *const[]){ d.env, NULL } };

	(void)state;
	data_change(&d, "nat_models/rules/base.nft", "hook forward priority filter; policy accept;",
		    "hook forward priority filter; policy accept;\n"
		    "tcp sport 41000 drop");
	run_natsim(&r, "classify", "port-restricted-cone", "udp-blocked", NULL);
	ASSERT_STATUS(&r, 1);
	if (strstr(buf_text(&r.out), "port-restricted-cone: 6 of 13 not observed: "
				     "ports shared, tcp; hairpin, tcp; ") == NULL ||
	    strstr(buf_text(&r.out), "udp-blocked: 6 of 6 not observed: ") == NULL)
		RUN_FAIL(&r, "%s", "something that was not observed was expected");

	run_natsim(&r, "classify", "--json", "port-restricted-cone", NULL);
	ASSERT_STATUS(&r, 1);
	if (strstr(buf_text(&r.out), "\"observed\": \"not observed\",\n"
				     "        \"as_declared\": null") == NULL ||
	    strstr(buf_text(&r.out), "\"not_observed\": 6") == NULL)
		RUN_FAIL(&r, "%s", "a null was expected");

	run_natsim(&r, "classify", "--quick", "port-restricted-cone", NULL);
	ASSERT_STATUS(&r, 0);
	assert_null(strstr(buf_text(&r.out), "not observed"));
}

/* Nobody who brings rules of his own must know that natsim pings. */
static void a_router_that_answers_no_ping_is_observed(void **state)
{
	CLEANUP(data) struct data d = data_new();
	CLEANUP(run)
	struct run r = { .dir = d.dir, .env = (const char *const[]){ d.env, NULL } };

	(void)state;
	data_change(&d, "nat_models/rules/base.nft", "hook input priority filter; policy accept;",
		    "hook input priority filter; policy accept;\n"
		    "icmp type echo-request drop");
	run_natsim(&r, "classify", "winnat", NULL);
	ASSERT_STATUS(&r, 0);
}

static void all_models_are_what_they_say(void **state)
{
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	run_natsim(&r, "classify", "--all", NULL);
	ASSERT_STATUS(&r, 0);
}

/* ---- two devices behind one router */

#define PORTS_EACH 50

/* Counts the ports of "PROTOCOL ADDRESS:PORT TO_ADDRESS TEXT" lines into seen; fails if one comes
 * twice. */
static unsigned count_ports(const char *text, const char *protocol, bool *seen)
{
	unsigned count = 0;

	for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
		if (strncmp(at, protocol, 3) != 0)
			continue;
		long port = strtol(strchr(at, ':') + 1, NULL, 10);

		assert_in_range(port, 1, UINT16_MAX);
		assert_memory_equal(at + 4, "198.51.100.2:", 13);
		if (seen[port])
			fail_msg("two devices share the router's port %ld: %.*s", port,
				 (int)strcspn(at, "\n"), at);
		seen[port] = true;
		count++;
	}
	return count;
}

#define SEND_ALL                                              \
	"\"$0\" send udp 40001 50 \"$1\" 4000 >/dev/null && " \
	"\"$0\" send tcp 40001 50 \"$1\" 4000 >/dev/null && "
#define STAY "tail -f /dev/null"

static void check_ports(const struct run *r, const char *model)
{
	bool udp[UINT16_MAX + 1] = { false }, tcp[UINT16_MAX + 1] = { false };

	ASSERT_STATUS(r, 0);
	if (count_ports(buf_text(&r->out), "udp", udp) != 2 * PORTS_EACH ||
	    count_ports(buf_text(&r->out), "tcp", tcp) != 2 * PORTS_EACH)
		RUN_FAIL(r, "%s: two times %d ports were expected", model, PORTS_EACH);
}

/* One device after the other, towards one server or two (RFC 4787, REQ-3; RFC 5382, REQ-7). */
static void check_in_turn(const char *nat, const char *other_server)
{
	static const char first[] = SEND_ALL "echo >\"$2\"; " STAY;
	static const char second[] = "read -r _ <\"$2\"; " SEND_ALL STAY;
	CLEANUP(free) char *traffic = built("tests/programs/traffic");
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *turn = path_in(dir, "turn");
	CLEANUP(run) struct run r = { .dir = NULL };

	assert_int_equal(mkfifo(turn, 0600), 0);
	run_natsim(&r, "exec", "one-home", "--nat", nat, "server", "--", traffic, "serve", "200",
		   "-", "4000", "--with", "host-a", "--", "sh", "-c", first, traffic,
		   "203.0.113.10", turn, "--with", "host-a2", "--", "sh", "-c", second, traffic,
		   other_server, turn, NULL);
	check_ports(&r, nat);
}

/* Both at the same time: their first packets race through the router. */
static void check_at_once(const char *nat, const char *other_server)
{
	static const char both[] = SEND_ALL STAY;
	CLEANUP(free) char *traffic = built("tests/programs/traffic");
	CLEANUP(run) struct run r = { .dir = NULL };

	run_natsim(&r, "exec", "one-home", "--nat", nat, "server", "--", traffic, "serve", "200",
		   "-", "4000", "--with", "host-a", "--", "sh", "-c", both, traffic, "203.0.113.10",
		   "--with", "host-a2", "--", "sh", "-c", both, traffic, other_server, NULL);
	check_ports(&r, nat);
}

static void check_no_shared_port(const char *model)
{
	CLEANUP(free) char *nat = NULL;

	assert_true(asprintf(&nat, "a=%s", model) > 0);
	check_in_turn(nat, "203.0.113.10");
	check_in_turn(nat, "203.0.113.20");
	check_at_once(nat, "203.0.113.10");
	check_at_once(nat, "203.0.113.20");
}

static void two_devices_never_share_a_port_of_a_full_cone(void **state)
{
	(void)state;
	check_no_shared_port("full-cone");
}

static void two_devices_never_share_a_port_of_a_restricted_cone(void **state)
{
	(void)state;
	check_no_shared_port("restricted-cone");
}

static void two_devices_never_share_a_port_of_a_port_restricted_cone(void **state)
{
	(void)state;
	check_no_shared_port("port-restricted-cone");
}

static void two_devices_never_share_a_port_of_a_sequential_router(void **state)
{
	(void)state;
	check_no_shared_port("symmetric-sequential");
}

static void two_devices_never_share_a_port_of_a_random_router(void **state)
{
	(void)state;
	check_no_shared_port("symmetric-random");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_observed_otherwise_is_found),
		cmocka_unit_test(a_hairpin_from_elsewhere_is_found),
		cmocka_unit_test(a_model_has_one_name_in_all_differences),
		cmocka_unit_test(a_router_that_is_right_at_the_second_look_is_found),
		cmocka_unit_test(what_could_not_be_observed_is_not_as_declared),
		cmocka_unit_test(a_router_that_answers_no_ping_is_observed),
		cmocka_unit_test(a_card_says_what_packets_show),
		cmocka_unit_test(all_models_are_what_they_say),
		cmocka_unit_test(rules_that_filter_in_the_wrong_way_are_found),
		cmocka_unit_test(rules_that_map_in_the_wrong_way_are_found),
		cmocka_unit_test(rules_that_choose_ports_in_the_wrong_way_are_found),
		cmocka_unit_test(a_model_with_the_rules_of_another_is_found),
		cmocka_unit_test(two_devices_never_share_a_port_of_a_full_cone),
		cmocka_unit_test(two_devices_never_share_a_port_of_a_restricted_cone),
		cmocka_unit_test(two_devices_never_share_a_port_of_a_port_restricted_cone),
		cmocka_unit_test(two_devices_never_share_a_port_of_a_sequential_router),
		cmocka_unit_test(two_devices_never_share_a_port_of_a_random_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
