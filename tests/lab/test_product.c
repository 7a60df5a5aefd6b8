// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every mapping with every filtering and every choice of ports: no combination does anything but
 * what it says, over UDP and over TCP.
 */
#include <jansson.h>

#include "tests/natsim_run.h"

static const char *const behaviors[] = { "endpoint-independent", "address-dependent",
					 "address-and-port-dependent" };

/* The first is in the name of the file, the second in the file. */
static const char *const choices[][2] = {
	{ "preserve", "choose: preserve" },
	{ "random", "choose: random" },
	{ "sequential", "choose: sequential, range: [2000, 65535]" },
	{ "block", "choose: block, block: 512" },
};

#define BEHAVIORS (sizeof(behaviors) / sizeof(behaviors[0]))
#define CHOICES   (sizeof(choices) / sizeof(choices[0]))
#define PRODUCT   (BEHAVIORS * BEHAVIORS * CHOICES)

/* The path of the file, on the heap. */
static char *write_model(const char *dir, size_t i)
{
	CLEANUP(free) char *name = NULL, *text = NULL;
	size_t mapping = i % BEHAVIORS, filtering = i / BEHAVIORS % BEHAVIORS;
	const char *const *choice = choices[i / BEHAVIORS / BEHAVIORS];

	assert_true(asprintf(&name, "%zu%zu-%s.yaml", mapping, filtering, choice[0]) > 0);
	assert_true(asprintf(&text,
			     "about: One of all\n"
			     "mapping: %s\nfiltering: %s\nports: { %s }\n",
			     behaviors[mapping], behaviors[filtering], choice[1]) > 0);
	write_text(dir, name, text);
	return path_in(dir, name);
}

/* Whether a measurement says that a word was found and declared. */
static bool has(const json_t *m, const char *key, const char *word)
{
	const char *found = json_string_value(json_object_get(json_object_get(m, "measured"), key));
	const char *said = json_string_value(json_object_get(json_object_get(m, "declared"), key));

	return found != NULL && said != NULL && strcmp(found, word) == 0 && strcmp(said, word) == 0;
}

/* The model's own words, and not only that natsim finds them kept. */
static bool is_model(const json_t *m, size_t i)
{
	return json_is_true(json_object_get(m, "as_declared")) &&
	       has(m, "mapping", behaviors[i % BEHAVIORS]) &&
	       has(m, "filtering", behaviors[i / BEHAVIORS % BEHAVIORS]) &&
	       has(m, "ports", choices[i / BEHAVIORS / BEHAVIORS][0]);
}

static void every_mapping_filtering_and_choice_is_as_declared(void **state)
{
	CLEANUP(temporary) char *dir = temporary_dir();
	CLEANUP(free) char *natsim = built("natsim");
	CLEANUP(run) struct run r = { .dir = NULL };
	const char *argv[PRODUCT + 4] = { natsim, "classify", "--json" };
	char *paths[PRODUCT];

	(void)state;
	for (size_t i = 0; i < PRODUCT; i++)
		argv[3 + i] = paths[i] = write_model(dir, i);
	run_argv(&r, argv);
	for (size_t i = 0; i < PRODUCT; i++)
		free(paths[i]);
	ASSERT_STATUS(&r, 0);

	json_t *all = json_loadb(buf_text(&r.out), r.out.len, 0, NULL);
	assert_int_equal(json_array_size(all), PRODUCT);
	for (size_t i = 0; i < PRODUCT; i++) {
		const json_t *model = json_array_get(all, i);

		if (!is_model(json_object_get(model, "udp"), i) ||
		    !is_model(json_object_get(model, "tcp"), i))
			RUN_FAIL(&r, "%s", json_string_value(json_object_get(model, "model")));
	}
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mapping_filtering_and_choice_is_as_declared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
