// SPDX-License-Identifier: GPL-2.0-or-later
/* Punching between every pair of models in the twin comes to what the table says, which the lab's
 * test_worlds holds against the kernel. */
#include "tests/worlds.h"

#include "tests/golden.h"

/* A table is made of more than it is held against each time. */
#define TRIALS         6u
#define TRIALS_TO_MAKE 40u

static const char head[] =
	"# Punching between every two routers that natsim has a model of, over two home links, one side\n"
	"# up to 20 ms late: 1, they connect; 0, they do not; ~, delays and draws decide. A line for each\n"
	"# router of peer a; in it a character for each of peer b's, in the order of the lines. Tests hold\n"
	"# both worlds against it.\n";

static char outcome(const struct run_cell *cell)
{
	if (cell->successes == cell->trials)
		return '1';
	return cell->successes == 0 ? '0' : '~';
}

/* Theory, where there is one, before what happened. */
static char to_expect(const struct run_cell *cell)
{
	if (cell->expected < 0)
		return outcome(cell);
	return cell->expected > 0.5 ? '1' : '0';
}

/* Where the same port may be drawn twice, 0 is not quite never. */
static bool is_luck(const struct run_cell *cell, char expected)
{
	return expected == '0' && cell->expected > 0 && cell->verdict == VERDICT_AS_EXPECTED;
}

static void print_table(const struct worlds *w, const struct run_cell *cells, struct buf *out)
{
	size_t models = w->models.count;

	buf_puts(out, head);
	for (size_t t = 0; t < w->suite.transports.count; t++) {
		buf_printf(out, "\n%s\n", w->suite.transports.items[t]);
		for (size_t a = 0; a < models; a++) {
			buf_printf(out, "%-40s ", w->models.items[a]);
			for (size_t b = 0; b < models; b++)
				buf_printf(out, "%c",
					   to_expect(&cells[(t * models + a) * models + b]));
			buf_puts(out, "\n");
		}
	}
}

static void compare(const struct worlds *w, const struct run_cell *cells, size_t count)
{
	CLEANUP(buf) struct buf table = BUF_INIT;
	unsigned wrong = 0;

	if (!model_files_read(WORLDS_TABLE, &table))
		fail_msg(WORLDS_TABLE " is missing; GOLDEN_UPDATE=1 writes it");
	for (size_t i = 0; i < count; i++) {
		const struct run_cell *cell = &cells[i];
		char expected = worlds_expected(w, buf_text(&table), &cell->names);

		if (expected == '~' || expected == outcome(cell) || is_luck(cell, expected))
			continue;
		wrong++;
		print_error("%s with %s over %s: %u of %u, expected %c\n", cell->names.nat_a,
			    cell->names.nat_b, cell->names.transport, cell->successes, cell->trials,
			    expected);
		for (size_t k = 0; k < RUN_REASONS_MAX && cell->reasons[k].count > 0; k++)
			print_error("    %u times: %s\n", cell->reasons[k].count,
				    cell->reasons[k].text);
	}
	assert_int_equal(wrong, 0);
}

static void every_pair_of_models_does_what_the_table_says(void **state)
{
	const bool update = getenv("GOLDEN_UPDATE") != NULL;
	struct run_cell *cells = NULL;
	struct err e = { 0 };
	struct worlds w;
	size_t count = 0;
	int signal = 0;

	(void)state;
	worlds_open(&w);
	assert_int_equal(run_prepare(&w.catalog, &w.suite, NULL, &cells, &count, &e), 0);
	assert_int_equal(count, 2 * w.models.count * w.models.count);
	struct run_config config = {
		.world = RUN_IN_TWIN,
		.catalog = &w.catalog,
		.suite = &w.suite,
		.cells = cells,
		.cells_count = count,
		.trials = update ? TRIALS_TO_MAKE : TRIALS,
		.seed = 1,
		.workers = 2,
	};
	if (run_all(&config, &signal, &e) != 0)
		fail_msg("%s", e.text);
	(void)run_judge(cells, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(cells[i].trials, config.trials);
	if (update) {
		CLEANUP(buf) struct buf table = BUF_INIT;

		print_table(&w, cells, &table);
		golden_write(WORLDS_TABLE, buf_text(&table));
	}
	compare(&w, cells, count);
	run_cells_free(cells, count);
	worlds_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_models_does_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
