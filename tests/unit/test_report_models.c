// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said of a model, in JSON and in the table of nat_models/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/report/models.h"

#define CONE      "mapping: endpoint-independent\nfiltering: address-dependent\n"
#define SYMMETRIC "mapping: address-and-port-dependent\nfiltering: address-and-port-dependent\n"

/* text is a model's file without the line "about". */
static void read_model(const char *text, struct nat_model *ret)
{
	struct buf whole = BUF_INIT;
	struct err e = { .text = "" };

	buf_printf(&whole, "about: x\n%s\n", text);
	if (nat_model_parse("some.yaml", whole.data, whole.len, ret, &e) < 0)
		fail_msg("%s\n%s", text, e.text);
	buf_fini(&whole);
}

/* Compared as JSON; expected NULL: there is no such key. */
static void assert_value(const char *text, const char *key, const char *expected)
{
	struct nat_model m;

	read_model(text, &m);
	json_t *whole = model_to_json(&m), *value = json_object_get(whole, key);
	json_t *wanted = expected == NULL ? NULL : json_loads(expected, JSON_DECODE_ANY, NULL);
	if ((value == NULL) != (expected == NULL) || (value != NULL && !json_equal(value, wanted)))
		fail_msg("%s: %s is not %s", text, key, expected == NULL ? "absent" : expected);
	json_decref(wanted);
	json_decref(whole);
	nat_model_fini(&m);
}

static void a_model_in_json_has_all_that_its_file_has(void **state)
{
	(void)state;
	assert_value(CONE "forwards: [ { transport: tcp, port: 80, host: 2, host_port: 8080 },"
			  " { transport: udp, port: 53, host: 3, host_port: 54 } ]",
		     "forwards",
		     "[ { \"transport\": \"tcp\", \"port\": 80, \"host\": 2, \"host_port\": 8080 },"
		     " { \"transport\": \"udp\", \"port\": 53, \"host\": 3, \"host_port\": 54 } ]");
	assert_value(CONE, "forwards", "[]");
	assert_value("mapping: none\nfiltering: address-dependent", "forwards", NULL);
	assert_value(CONE "ruleset: own.nft", "ruleset", "\"own.nft\"");
	assert_value(CONE, "ruleset", NULL);
	assert_value(SYMMETRIC "ports: { overloading: yes }\n"
			       "timeouts: { udp: 3m, udp_unreplied: 10s }",
		     "timeouts_s",
		     "{ \"udp\": 180, \"udp_unreplied\": 10, \"tcp_established\": 7440, "
		     "\"tcp_transitory\": 240 }");
}

/* Compared as JSON: the lists of the whole and of each transport. */
static void assert_unknown(const char *text, const char *whole, const char *udp, const char *tcp)
{
	const char *const expected[] = { whole, udp, tcp };
	struct nat_model m;

	read_model(text, &m);
	json_t *json = model_to_json(&m);
	const json_t *parts[] = { json, json_object_get(json, "udp"),
				  json_object_get(json, "tcp") };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		json_t *wanted = json_loads(expected[i], 0, NULL);

		if (!json_equal(json_object_get(parts[i], "unknown"), wanted))
			fail_msg("%s: part %zu is not %s", text, i, expected[i]);
		json_decref(wanted);
	}
	json_decref(json);
	nat_model_fini(&m);
}

static void what_nobody_knows_is_listed_where_it_belongs(void **state)
{
	(void)state;
	assert_unknown(CONE, "[]", "[]", "[]");
	assert_unknown(SYMMETRIC "ports: { overloading: yes }\n"
				 "timeouts: { udp_unreplied: unknown, tcp_established: unknown }",
		       "[ \"udp_unreplied\", \"tcp_established\" ]", "[]", "[]");
	assert_unknown(CONE "ports: { on_clash: unknown }\nblocked: unknown", "[ \"blocked\" ]",
		       "[ \"on_clash\" ]", "[ \"on_clash\" ]");
	assert_unknown(CONE "udp: { choose: unknown }\ntcp: { mapping: unknown }\n"
			    "unsolicited: { tcp: unknown }",
		       "[]", "[ \"choose\" ]", "[ \"mapping\", \"unsolicited\" ]");
}

static void only_ports_that_can_clash_have_an_on_clash(void **state)
{
	static const struct {
		const char *text, *on_clash;
	} cases[] = {
		{ CONE "ports: { on_clash: drop }", "drop" },
		{ CONE "ports: { choose: random }", NULL },
		{ SYMMETRIC "ports: { overloading: yes }", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nat_model m;

		read_model(cases[i].text, &m);
		json_t *whole = model_to_json(&m);
		const char *on_clash = json_string_value(
			json_object_get(json_object_get(whole, "udp"), "on_clash"));
		if (cases[i].on_clash == NULL)
			assert_null(on_clash);
		else
			assert_string_equal(on_clash, cases[i].on_clash);
		json_decref(whole);
		nat_model_fini(&m);
	}
}

static void the_table_tells_ports_and_lifetimes_apart_where_they_differ(void **state)
{
	static const struct {
		const char *text, *cells;
	} cases[] = {
		{ CONE, "| preserve | 120 s | none |" },
		{ CONE "udp: { choose: random }", "| udp random; tcp preserve | 120 s | none |" },
		{ CONE "tcp: { choose: unknown }",
		  "| udp preserve; tcp preserve* | 120 s | none |" },
		{ SYMMETRIC "tcp: { overloading: yes }",
		  "| udp preserve; tcp preserve, shared | 120 s | none |" },
		{ SYMMETRIC "ports: { overloading: yes }", "| preserve, shared | 120 s | none |" },
		{ SYMMETRIC "ports: { overloading: yes }\n"
			    "timeouts: { udp: unknown, udp_unreplied: 10s }",
		  "| preserve, shared | 120 s*, unreplied 10 s | none |" },
		{ SYMMETRIC "ports: { overloading: yes }\ntimeouts: { udp_unreplied: unknown }",
		  "| preserve, shared | 120 s, unreplied 120 s* | none |" },
		{ "mapping: none\nfiltering: address-dependent", "|  | 120 s |  |" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT;
		struct nat_model m;

		read_model(cases[i].text, &m);
		models_print_markdown(&m, 1, &out);
		if (strstr(buf_text(&out), cases[i].cells) == NULL)
			fail_msg("%s\n%s", cases[i].cells, buf_text(&out));
		buf_fini(&out);
		nat_model_fini(&m);
	}
}

/* Each column is as wide as what is in it, and no line ends in spaces. */
static void the_list_has_room_for_every_name(void **state)
{
	static const struct style plain = { false, "", "", "", "", "", false };
	static const char long_name[] = "a-name-that-is-longer-than-all-the-others-there-are";
	struct nat_model m[3];
	struct buf out = BUF_INIT;

	(void)state;
	read_model(CONE, &m[0]);
	read_model("mapping: unknown\nfiltering: address-dependent\n"
		   "tcp: { choose: random, filtering: unknown }",
		   &m[1]);
	read_model("mapping: none\nfiltering: unknown", &m[2]);
	assert_true(sizeof(long_name) <= sizeof(m[0].name));
	memcpy(m[0].name, long_name, sizeof(long_name));
	models_print(m, 3, &plain, &out);
#define GAP "                                               " /* of the long name but "some" */
	assert_string_equal(buf_text(&out),
			    "MODEL                                                    "
			    "MAPPING                     FILTERING                   PORTS\n"
			    "a-name-that-is-longer-than-all-the-others-there-are      "
			    "endpoint-independent        address-dependent           preserve\n"
			    "some" GAP " udp  "
			    "address-and-port-dependent* address-dependent           preserve\n"
			    "    " GAP " tcp  "
			    "address-and-port-dependent* address-and-port-dependent* random\n"
			    "some" GAP "      "
			    "none                        address-and-port-dependent* -\n"
			    "\n* nobody knows; a default stands in\n");
	buf_fini(&out);
	out = (struct buf)BUF_INIT;
	models_print(m, 1, &plain, &out);
	assert_null(strchr(buf_text(&out), '*'));
	buf_fini(&out);
	for (size_t i = 0; i < 3; i++)
		nat_model_fini(&m[i]);
}

static void each_of_two_unknown_values_is_marked_behind_it(void **state)
{
	struct buf out = BUF_INIT;
	struct nat_model m;

	(void)state;
	read_model(CONE "ports: { choose: unknown, on_clash: unknown }", &m);
	model_print(&m, &out);
	if (strstr(buf_text(&out), "  ports          preserve (unknown, the default), on a clash "
				   "random (unknown, the default)\n") == NULL)
		fail_msg("%s", buf_text(&out));
	buf_fini(&out);
	nat_model_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_in_json_has_all_that_its_file_has),
		cmocka_unit_test(what_nobody_knows_is_listed_where_it_belongs),
		cmocka_unit_test(only_ports_that_can_clash_have_an_on_clash),
		cmocka_unit_test(the_list_has_room_for_every_name),
		cmocka_unit_test(each_of_two_unknown_values_is_marked_behind_it),
		cmocka_unit_test(the_table_tells_ports_and_lifetimes_apart_where_they_differ),
	};

	return cmocka_run_group_tests_name("report_models", tests, NULL, NULL);
}
