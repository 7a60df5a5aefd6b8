// SPDX-License-Identifier: GPL-2.0-or-later
/* What the verbs that only tell say, and where the others say that they have written. */
#include <jansson.h>

#include "tests/natsim_run.h"

static void help_is_there_for_every_verb_and_for_itself(void **state)
{
	static const char *const verbs[] = { "run",  "classify", "models", "model", "topologies",
					     "exec", "plan",     "replay", "bench" };
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		CLEANUP(free) char *usage = NULL;

		assert_true(asprintf(&usage, "usage: natsim %s ", verbs[i]) > 0);
		run_natsim(&r, "help", verbs[i], NULL);
		ASSERT_STATUS(&r, 0);
		assert_int_equal(strncmp(buf_text(&r.out), usage, strlen(usage)), 0);
	}
	run_natsim(&r, "help", "help", NULL);
	ASSERT_STATUS(&r, 0);
	assert_non_null(strstr(buf_text(&r.out), "usage: natsim VERB"));
}

static const json_t *find_model(const json_t *models, const char *name)
{
	for (size_t i = 0; i < json_array_size(models); i++) {
		const json_t *model = json_array_get(models, i);

		if (strcmp(json_string_value(json_object_get(model, "name")), name) == 0)
			return model;
	}
	fail_msg("no model %s", name);
	return NULL;
}

static json_int_t get_timeout(const json_t *model, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(model, "timeouts_s"), key));
}

static void models_in_json_have_what_their_files_have(void **state)
{
	CLEANUP(run) struct run r = { .dir = NULL };

	(void)state;
	run_natsim(&r, "models", "--json", NULL);
	ASSERT_STATUS(&r, 0);
	json_t *models = json_loads(buf_text(&r.out), 0, NULL);
	const json_t *cone = find_model(models, "full-cone"), *plain = find_model(models, "open");
	const json_t *udp = json_object_get(cone, "udp"), *tcp = json_object_get(cone, "tcp");

	assert_non_null(json_object_get(cone, "ports"));
	assert_string_equal(json_string_value(json_object_get(udp, "unsolicited")), "drop");
	assert_string_equal(json_string_value(json_object_get(tcp, "unsolicited")), "drop");
	assert_int_equal(get_timeout(cone, "udp"), 120);
	assert_int_equal(get_timeout(cone, "tcp_established"), 7440);
	assert_int_equal(get_timeout(cone, "tcp_transitory"), 240);
	assert_int_equal(get_timeout(find_model(models, "openwrt"), "udp"), 180);
	assert_int_equal(get_timeout(find_model(models, "openwrt"), "udp_unreplied"), 60);
	assert_null(json_object_get(plain, "ports"));
	assert_null(json_object_get(json_object_get(plain, "udp"), "unsolicited"));
	assert_null(json_object_get(plain, "timeouts_s"));
	assert_non_null(json_object_get(plain, "sources"));
	json_decref(models);
}

static void a_model_is_shown_as_it_is_listed(void **state)
{
	CLEANUP(run) struct run all = { .dir = NULL }, one = { .dir = NULL };

	(void)state;
	run_natsim(&all, "models", "--json", NULL);
	ASSERT_STATUS(&all, 0);
	run_natsim(&one, "model", "show", "openwrt", "--json", NULL);
	ASSERT_STATUS(&one, 0);
	json_t *models = json_loads(buf_text(&all.out), 0, NULL);
	json_t *model = json_loads(buf_text(&one.out), 0, NULL);
	assert_non_null(model);
	assert_true(json_equal(model, find_model(models, "openwrt")));
	json_decref(model);
	json_decref(models);
}

static void the_folder_of_results_is_told_with_one_slash(void **state)
{
	static const char *const dirs[] = { "x", "x/", "x///" };
	CLEANUP(temporary) char *dir = temporary_dir();

	(void)state;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		CLEANUP(run) struct run r = { .dir = dir };

		run_natsim(&r, "run", "all", "--only", "nat_a=open,nat_b=open,transport=udp",
			   "--trials", "1", "--out", dirs[i], NULL);
		ASSERT_STATUS(&r, 0);
		if (strstr(buf_text(&r.out), "; written to x/\n") == NULL)
			RUN_FAIL(&r, "--out %s", dirs[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_is_there_for_every_verb_and_for_itself),
		cmocka_unit_test(models_in_json_have_what_their_files_have),
		cmocka_unit_test(a_model_is_shown_as_it_is_listed),
		cmocka_unit_test(the_folder_of_results_is_told_with_one_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
