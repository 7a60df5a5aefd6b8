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

#define ADDRESSES 3

/*
 * What the outside addresses that it saw make of the mapping (RFC 5780, section 4.3).
 *
 * For its third test it takes OTHER-ADDRESS from the second answer, which leads back to the
 * server's first address, and not from the first. So behind address-dependent mapping it sees the
 * first mapping again, but compares it with the second, and names the mapping wrong.
 */
static const char *mapping_seen(const struct run *r)
{
	static const char begin[] = "UDP reflexive addr: ";
	const char *end = strstr(buf_text(&r->out), "Filtering Behavior"), *seen[ADDRESSES] = { 0 };
	size_t lengths[ADDRESSES] = { 0 }, count = 0;

	assert_non_null(end);
	for (const char *at = buf_text(&r->out);
	     count < ADDRESSES && (at = strstr(at, begin)) != NULL && at < end; count++) {
		at += strlen(begin);
		seen[count] = at;
		lengths[count] = strcspn(at, "\n") + 1;
	}
	if (count < 2)
		RUN_FAIL(r, "%zu outside addresses", count);
	if (strncmp(seen[0], seen[1], lengths[0]) == 0)
		return INDEPENDENT;
	if (count < ADDRESSES)
		RUN_FAIL(r, "%zu outside addresses", count);
	for (int i = 0; i < 2; i++)
		if (strncmp(seen[i], seen[2], lengths[i]) == 0)
			return ADDRESS;
	return PORT;
}

/* Some of them wait for seconds for answers that do not come, so all run at once, each in its lab.
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
	bool misnames = strcmp(d->mapping, ADDRESS) == 0 && strcmp(mapping, PORT) == 0;
	if ((strcmp(mapping, d->mapping) != 0 && !misnames) ||
	    strcmp(mapping_seen(r), d->mapping) != 0 || strcmp(filtering, d->filtering) != 0)
		RUN_FAIL(r, "%s: \"%s\" and \"%s\" were expected", d->model, d->mapping,
			 d->filtering);
	run_fini(r);
}

int main(void)
{
	struct discovery discoveries[] = {
		{ "eim-eif", INDEPENDENT, INDEPENDENT, { .dir = NULL } },
		{ "eim-adf", INDEPENDENT, ADDRESS, { .dir = NULL } },
		{ "eim-apdf", INDEPENDENT, PORT, { .dir = NULL } },
		{ "adm-eif", ADDRESS, INDEPENDENT, { .dir = NULL } },
		{ "adm-adf", ADDRESS, ADDRESS, { .dir = NULL } },
		{ "adm-apdf", ADDRESS, PORT, { .dir = NULL } },
		{ "apdm-eif", PORT, INDEPENDENT, { .dir = NULL } },
		{ "apdm-adf", PORT, ADDRESS, { .dir = NULL } },
		{ "apdm-apdf", PORT, PORT, { .dir = NULL } },
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
