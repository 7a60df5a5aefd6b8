// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a program that is not ours makes of natsim's routers: coturn's turnutils_natdiscovery,
 * behind each NAT model, asking natsim's rendezvous (RFC 5780).
 */
#include "tests/natsim_run.h"

#define INDEPENDENT "Endpoint Independent"
#define ADDRESS     "Address Dependent"
#define PORT        "Address and Port Dependent"

/* Returns the X of the first "NAT with X WHAT!", on the heap; fails if it is not said once. */
static char *named(const struct run *r, const char *what)
{
	static const char begin[] = "NAT with ";
	CLEANUP(free) char *end = NULL;
	char *name = NULL;

	assert_true(asprintf(&end, " %s!\n", what) > 0);
	for (const char *at = buf_text(&r->out); (at = strstr(at, begin)) != NULL;) {
		at += strlen(begin);
		const char *stop = strstr(at, end);

		if (stop == NULL || (size_t)(stop - at) != strcspn(at, "\n") - strlen(end) + 1)
			continue;
		assert_null(name);
		name = strndup(at, (size_t)(stop - at));
	}
	if (name == NULL)
		RUN_FAIL(r, "no word of %s", what);
	return name;
}

/* One of them waits for seconds for answers that do not come, so all run at once, each in its lab.
 */
struct discovery {
	const char *model, *mapping, *filtering;
	struct run run;
};

static void discovery_start(struct discovery *d)
{
	CLEANUP(free) char *nat = NULL;

	assert_true(asprintf(&nat, "a=%s", d->model) > 0);
	run_natsim_start(&d->run, "exec", "two-homes", "--nat", nat, "host-a", "--",
			 "turnutils_natdiscovery", "-m", "-f", "203.0.113.10", NULL);
}

static void natdiscovery_names_mapping_and_filtering(void **state)
{
	struct discovery *d = *state;
	struct run *r = &d->run;

	if (r->pid == 0) {
		print_message("skip: turnutils_natdiscovery is not installed\n");
		skip();
	}
	run_finish(r);
	ASSERT_STATUS(r, 0);
	CLEANUP(free) char *mapping = named(r, "Mapping");
	CLEANUP(free) char *filtering = named(r, "Filtering");
	if (strcmp(mapping, d->mapping) != 0 || strcmp(filtering, d->filtering) != 0)
		RUN_FAIL(r, "%s: \"%s\" and \"%s\" were expected", d->model, d->mapping,
			 d->filtering);
	run_fini(r);
}

int main(void)
{
	struct discovery discoveries[] = {
		{ "full-cone", INDEPENDENT, INDEPENDENT, { .dir = NULL } },
		{ "restricted-cone", INDEPENDENT, ADDRESS, { .dir = NULL } },
		{ "port-restricted-cone", INDEPENDENT, PORT, { .dir = NULL } },
		{ "symmetric-sequential", PORT, PORT, { .dir = NULL } },
		{ "symmetric-random", PORT, PORT, { .dir = NULL } },
	};
	enum { COUNT = sizeof(discoveries) / sizeof(discoveries[0]) };
	struct CMUnitTest tests[COUNT];
	char names[COUNT][128];
	bool installed = have_command("turnutils_natdiscovery");

	for (size_t i = 0; i < COUNT; i++) {
		struct discovery *d = &discoveries[i];

		(void)snprintf(names[i], sizeof(names[i]), "natdiscovery_names_%s", d->model);
		tests[i] = (struct CMUnitTest){ names[i], natdiscovery_names_mapping_and_filtering,
						NULL, NULL, d };
		if (installed)
			discovery_start(d);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
