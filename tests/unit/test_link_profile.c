// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "sim/model/link.h"

#define HEAD "- name: a\n  about: b\n  source: c\n"

static void link_profiles_parse_reads_units_into_ours(void **state)
{
	static const char text[] = HEAD "  hops: 3\n"
					"  up: { delay_ms: 5.5, jitter_ms: 0.25, loss: 0.01,\n"
					"        reorder: 0.02, reorder_ms: 3, duplicate: 0.03,\n"
					"        rate_mbit: 1.5, queue_kb: 64 }\n";
	struct link_profile *profiles = NULL;
	size_t count = 0;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(link_profiles_parse("x", text, strlen(text), &profiles, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_string_equal(profiles->name, "a");
	assert_string_equal(profiles->about, "b");
	assert_int_equal(profiles->hops, 3);
	assert_int_equal(profiles->up.delay_us, 5500);
	assert_int_equal(profiles->up.jitter_us, 250);
	assert_true(profiles->up.loss == 0.01 && profiles->up.reorder == 0.02);
	assert_int_equal(profiles->up.reorder_us, 3000);
	assert_true(profiles->up.duplicate == 0.03);
	assert_int_equal(profiles->up.rate_bps, 1500000);
	assert_int_equal(profiles->up.queue_bytes, 64000);
	assert_int_equal(profiles->down.delay_us, 0);
	assert_int_equal(profiles->down.rate_bps, 0);
	link_profiles_free(profiles, count);
}

static void link_profiles_parse_says_where_a_mistake_is(void **state)
{
	static const struct {
		const char *text, *place, *what;
	} cases[] = {
		{ "", "x:1:1: ", "empty" },
		{ "[]\n", "x:1:1: ", "" },
		{ HEAD, "x:1:", "hops" },
		{ HEAD "  hops: 0\n", "x:4:9: ", "hops must be between 1 and 32" },
		{ HEAD "  hops: 33\n", "x:4:9: ", "hops must be between 1 and 32" },
		{ HEAD "  hops: 1\n  sideways: {}\n", "x:5:", "sideways" },
		{ HEAD "  hops: 1\n  up: { loss: 1.01 }\n", "x:5:15: ", "loss must be between 0" },
		{ HEAD "  hops: 1\n  up: { loss: -0.1 }\n", "x:5:15: ", "loss must be between 0" },
		{ HEAD "  hops: 1\n  up: { loss: nan }\n", "x:5:15: ", "" },
		{ HEAD "  hops: 1\n  up: { delay_ms: inf }\n", "x:5:19: ", "" },
		{ HEAD "  hops: 1\n  up: { delay_ms: often }\n", "x:5:19: ", "" },
		{ HEAD "  hops: 1\n  up: { delay_ms: 1, jitter_ms: 2 }\n",
		  "x:5:33: ", "jitter_ms must be between 0 and 1" },
		{ HEAD "  hops: 1\n  down: { rate_mbit: 1 }\n", "x:5:9: ", "go together" },
		{ HEAD "  hops: 1\n  down: { queue_kb: 1 }\n", "x:5:9: ", "go together" },
		{ HEAD "  hops: 1\n  down: { reorder: 0.1 }\n", "x:5:9: ", "go together" },
		{ HEAD "  hops: 1\n  down: { rate_mbit: 0.0001, queue_kb: 1 }\n",
		  "x:5:9: ", "at least 0.001" },
		{ HEAD "  hops: 1\n" HEAD "  hops: 1\n", "x:5:9: ", "two links named a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_profile *profiles = NULL;
		size_t count = 77;
		struct err e = { 0 };
		int r = link_profiles_parse("x", cases[i].text, strlen(cases[i].text), &profiles,
					    &count, &e);

		if (r >= 0 || strstr(e.text, cases[i].place) != e.text ||
		    strstr(e.text, cases[i].what) == NULL)
			fail_msg("case %zu: \"%s\"", i, e.text);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_null(profiles);
		assert_int_equal(count, 77);
	}
}

static void read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "r");
	char part[4096];

	assert_non_null(f);
	for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;)
		buf_add(out, part, n);
	(void)fclose(f);
}

static void links_yaml_is_sound_and_has_the_links_the_suites_name(void **state)
{
	static const char *const names[] = { "ideal", "home", "fibre",     "cable",
					     "dsl",   "lte",  "satellite", "lossy-wifi" };
	struct buf text = BUF_INIT;
	struct link_profile *profiles = NULL;
	size_t count = 0;
	struct err e = { 0 };

	(void)state;
	read_file("topologies/links.yaml", &text);
	int r = link_profiles_parse("links.yaml", buf_text(&text), text.len, &profiles, &count, &e);
	assert_string_equal(e.text, "");
	assert_int_equal(r, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(link_profile_find(profiles, count, names[i]));
	assert_null(link_profile_find(profiles, count, "carrier-pigeon"));

	const struct link_profile *ideal = link_profile_find(profiles, count, "ideal");
	static const struct link_params nothing = { 0 };
	assert_memory_equal(&ideal->up, &nothing, sizeof(nothing));
	assert_memory_equal(&ideal->down, &nothing, sizeof(nothing));
	const struct link_profile *home = link_profile_find(profiles, count, "home");
	assert_int_equal(home->up.delay_us, 5000);
	assert_int_equal(home->down.delay_us, 5000);
	link_profiles_free(profiles, count);
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_profiles_parse_reads_units_into_ours),
		cmocka_unit_test(link_profiles_parse_says_where_a_mistake_is),
		cmocka_unit_test(links_yaml_is_sound_and_has_the_links_the_suites_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
