// SPDX-License-Identifier: GPL-2.0-or-later
/* Each model's router is observed on the kernel and in the twin: they are the same field by field,
 * but for what the twin cannot see. */
#include "tests/lab/inside.h"
#include "tests/observed.h"

/* A busy machine may keep the lab from seeing something in time, so what differs there is looked at
 * again. The twin does the same with the same seed and is asked once. */
#define ROUNDS 3u

struct field {
	const char *name;
	size_t at, size;
};

#define FIELD(member)                                              \
	{                                                          \
#member, offsetof(struct observations, member),    \
			sizeof(((struct observations *)0)->member) \
	}
#define FIELDS_OF(t)                                                                            \
	FIELD(of[t].gets_through), FIELD(of[t].shares_ports), FIELD(of[t].unsolicited),         \
		FIELD(of[t].icmp_gets_in), FIELD(of[t].survives_icmp), FIELD(of[t].life.alive), \
		FIELD(of[t].life.gone)
#define FIELDS_OF_MAPPING(m) \
	FIELD(m.comes_about), FIELD(m.mapping), FIELD(m.filtering), FIELD(m.keeps_port)

static const struct field compared[] = {
	FIELDS_OF(NAT_UDP),
	FIELDS_OF(NAT_TCP),
	FIELD(addresses),
	FIELD(keeps_parity),
	FIELD(keeps_class),
	FIELD(hairpin),
	FIELD(unreplied.alive),
	FIELD(unreplied.gone),
	FIELD(refreshed_by_outbound),
	FIELD(refreshed_by_inbound),
	FIELDS_OF_MAPPING(first),
	FIELDS_OF_MAPPING(again),
	FIELDS_OF_MAPPING(clashing),
	FIELD(closing.alive),
	FIELD(closing.gone),
	FIELD(hairpins),
	FIELD(hairpins_from),
	FIELD(opens_at_once),
	FIELD(unopened),
};

/* The twin has no fragments. */
static const struct field excluded[] = {
	FIELD(in_twin),      FIELD(fragments),       FIELD(reversed_in),
	FIELD(reversed_out), FIELD(too_big_is_told), FIELD(too_big_is_cut),
};

#define COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

/* Behind each bool there are bytes of nothing. */
#define PADDING (6 * (sizeof(enum observed) - sizeof(bool)))

static size_t size_of(const struct field *fields, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += fields[i].size;
	return size;
}

static void every_field_is_compared_or_excluded_by_name(void **state)
{
	(void)state;
	assert_int_equal(size_of(compared, COUNT(compared)) + size_of(excluded, COUNT(excluded)) +
				 PADDING,
			 sizeof(struct observations));
}

/* As far as chance does not decide: of several addresses, a host's sockets may miss some. */
static unsigned value_of(const struct observations *seen, const struct field *field)
{
	unsigned value = 0;

	memcpy(&value, (const char *)seen + field->at, field->size);
	return field->at == offsetof(struct observations, addresses) && value > 2 ? 2 : value;
}

static bool is_same(const char *model, const struct observations *lab,
		    const struct observations *twin)
{
	bool same = true;

	assert_true(twin->in_twin && !lab->in_twin);
	for (size_t i = 0; i < COUNT(compared); i++) {
		unsigned in_lab = value_of(lab, &compared[i]);
		unsigned in_twin = value_of(twin, &compared[i]);

		if (in_lab == in_twin)
			continue;
		same = false;
		print_error("%s: %s: %u in the lab, %u in the twin\n", model, compared[i].name,
			    in_lab, in_twin);
	}
	return same;
}

static void both_worlds_observe_the_same_routers(void **state)
{
	CLEANUP(catalog) struct catalog c;
	CLEANUP(catalog_names) struct catalog_names names = { 0 };
	struct err e = { 0 };

	(void)state;
	observed_catalog(&c);
	assert_int_equal(catalog_list(&c, CATALOG_NAT_MODEL, &names, &e), 0);
	CLEANUP(measurements)
	struct measurements twin =
		observed_in(RUN_IN_TWIN, &c, (const char *const *)names.items, names.count, 1);
	/* Those that differ, and which they are of all. */
	CLEANUP(free) const char **models = calloc(names.count, sizeof(*models));
	CLEANUP(free) size_t *of = calloc(names.count, sizeof(*of));
	size_t left = names.count;

	assert_true(models != NULL && of != NULL);
	for (size_t i = 0; i < left; i++) {
		of[i] = i;
		models[i] = names.items[i];
	}
	for (unsigned round = 0; round < ROUNDS && left > 0; round++) {
		CLEANUP(measurements)
		struct measurements lab = observed_in(RUN_IN_LAB, &c, models, left, 1 + round);
		size_t differ = 0;

		for (size_t i = 0; i < left; i++) {
			if (is_same(models[i], &lab.observed[i], &twin.observed[of[i]]))
				continue;
			of[differ] = of[i];
			models[differ++] = models[i];
		}
		left = differ;
	}
	assert_int_equal(left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_compared_or_excluded_by_name),
		cmocka_unit_test(both_worlds_observe_the_same_routers),
	};

	go_inside();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
