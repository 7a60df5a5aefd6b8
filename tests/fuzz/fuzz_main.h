/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main of a fuzzer, which includes this after it has defined
 *
 *	static size_t fuzz_make(struct prng *prng, uint8_t *data, size_t size);
 *	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
 *
 * fuzz_make() writes a well-formed input of at most size bytes; main spoils it here and there and
 * hands it to the other, which must not crash. With -DLIBFUZZER there is no main: libFuzzer's is
 * linked (clang -fsanitize=fuzzer -DLIBFUZZER).
 *
 *	fuzz_X FILE...                            replays inputs
 *	fuzz_X [--runs N] [--seed S] [--first R]  makes inputs number R to R + N - 1 of seed S
 */
#ifndef NATSIM_TESTS_FUZZ_MAIN_H
#define NATSIM_TESTS_FUZZ_MAIN_H

#ifndef LIBFUZZER

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/prng.h"

#define FUZZ_INPUT_MAX 4096u

struct fuzz_options {
	uint64_t runs, seed, first;
};

static size_t fuzz_spoil(struct prng *prng, uint8_t *data, size_t len)
{
	static const uint8_t telling[] = { 0x00, 0x01, 0x03, 0x04, 0x7f, 0x80, 0xc0, 0xff };
	uint64_t count = prng_below(prng, 8); /* often none */

	for (uint64_t i = 0; i < count && len > 0; i++) {
		size_t at = (size_t)prng_below(prng, len);

		switch (prng_below(prng, 5)) {
		case 0:
			data[at] ^= (uint8_t)(1u << prng_below(prng, 8));
			break;
		case 1:
			data[at] = (uint8_t)prng_next(prng);
			break;
		case 2:
			data[at] = telling[prng_below(prng, sizeof(telling))];
			break;
		case 3: /* cut a piece out */
			memmove(data + at, data + at + 1, len - at - 1);
			len--;
			break;
		default:
			if (prng_chance(prng, 0.1))
				len = at;
			break;
		}
	}
	return len;
}

/* One input, in memory of just its size so that a read behind it is seen. */
static void fuzz_run(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

/* Makes the inputs in a child, so that its parent can name the one that killed it. */
static int fuzz_generate(const struct fuzz_options *o, uint64_t *run)
{
	static uint8_t data[FUZZ_INPUT_MAX];

	for (*run = o->first; *run < o->first + o->runs; ++*run) {
		struct prng prng;

		prng_init(&prng, prng_derive(o->seed, *run, 0));
		size_t len = fuzz_make(&prng, data, sizeof(data));
		fuzz_run(data, fuzz_spoil(&prng, data, len));
	}
	return 0;
}

static int fuzz_supervise(const char *name, const struct fuzz_options *o)
{
	int status = 0;
	uint64_t *run =
		mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (run == MAP_FAILED)
		return 1;
	pid_t pid = fork();
	if (pid == 0)
		exit(fuzz_generate(o, run));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (status == 0)
		return 0;
	(void)fprintf(stderr, "%s: failed; to repeat: %s --seed %llu --first %llu --runs 1\n", name,
		      name, (unsigned long long)o->seed, (unsigned long long)*run);
	return 1;
}

static int fuzz_replay(const char *path)
{
	static uint8_t data[1u << 16];
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		return 1;
	}
	size_t len = fread(data, 1, sizeof(data), file);
	(void)fclose(file);
	fuzz_run(data, len);
	return 0;
}

static bool fuzz_option(int argc, char **argv, int *i, const char *name, uint64_t *ret)
{
	if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc)
		return false;
	*ret = strtoull(argv[++*i], NULL, 0);
	return true;
}

int main(int argc, char **argv)
{
	struct fuzz_options o = { .runs = 1000, .seed = 1, .first = 0 };
	bool replayed = false;

	for (int i = 1; i < argc; i++) {
		if (fuzz_option(argc, argv, &i, "--runs", &o.runs) ||
		    fuzz_option(argc, argv, &i, "--seed", &o.seed) ||
		    fuzz_option(argc, argv, &i, "--first", &o.first))
			continue;
		if (fuzz_replay(argv[i]) != 0)
			return 1;
		replayed = true;
	}
	return replayed ? 0 : fuzz_supervise(argv[0], &o);
}

#endif
#endif
