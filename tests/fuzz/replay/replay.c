// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for libFuzzer where a fuzz target runs as a test: feeds it every file below
 * tests/fuzz/corpus/TARGET and then INPUTS mutations of them, which the seed and the number of each
 * decide, and reports in TAP. A child does the work, so that the input it dies of can be named;
 * TARGET NUMBER feeds that one alone, for a debugger.
 */
#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/prng.h"

#define SEED      1u
#define INPUTS    20000u /* a second or so for the slowest of our readers */
#define INPUT_MAX 4096u
#define FILES_MAX 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct corpus {
	struct buf files[FILES_MAX];
	size_t count;
};

static void read_file(const char *path, struct buf *ret)
{
	char bytes[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t len;

	assert(f != NULL);
	while ((len = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(ret, bytes, len);
	(void)fclose(f);
}

/* In the order of their names, for that is what the numbers of the mutations build on. */
static void corpus_read(struct corpus *c, const char *target)
{
	char path[1024];
	struct dirent **names = NULL;

	(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", target);
	int count = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.' && c->count < FILES_MAX) {
			(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/%s/%s", target,
				       names[i]->d_name);
			read_file(path, &c->files[c->count++]);
		}
		free(names[i]);
	}
	free(names);
}

static void mutate(uint8_t *data, size_t *len, struct prng *p)
{
	size_t at = *len > 0 ? (size_t)prng_below(p, *len) : 0;

	switch (prng_below(p, 4)) {
	case 0: /* cut */
		*len = at;
		break;
	case 1: /* grow */
		if (*len < INPUT_MAX) {
			memmove(data + at + 1, data + at, *len - at);
			data[at] = (uint8_t)prng_next(p);
			*len += 1;
		}
		break;
	case 2: /* one bit */
		if (*len > 0)
			data[at] ^= (uint8_t)(1u << prng_below(p, 8));
		break;
	default: /* one byte, often one at an edge */
		if (*len > 0)
			data[at] = (uint8_t)(prng_chance(p, 0.5) ? 0u - prng_below(p, 2)
								 : prng_next(p));
	}
}

/* The heap copy is as long as the input, so that reading past its end is noticed. */
static void feed(const void *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

/* Input number n: a file of the corpus, then mutations of them. */
static void feed_number(const struct corpus *c, size_t n)
{
	uint8_t data[INPUT_MAX];
	size_t len = 0;
	struct prng p;

	if (n < c->count) {
		feed(c->files[n].data, c->files[n].len);
		return;
	}
	prng_init(&p, prng_derive(SEED, n, 0));
	if (c->count > 0) {
		const struct buf *base = &c->files[prng_below(&p, c->count)];

		len = base->len < sizeof(data) ? base->len : sizeof(data);
		if (len > 0)
			memcpy(data, base->data, len);
	}
	for (uint64_t steps = 1 + prng_below(&p, 8); steps > 0; steps--)
		mutate(data, &len, &p);
	feed(data, len);
}

static void feed_all(const struct corpus *c, volatile size_t *at)
{
	for (*at = 0; *at < c->count + INPUTS; *at += 1)
		feed_number(c, *at);
}

int main(int argc, char **argv)
{
	struct corpus corpus = { .count = 0 };
	const char *slash = strrchr(argv[0], '/');
	const char *target = slash != NULL ? slash + 1 : argv[0];
	size_t *at =
		mmap(NULL, sizeof(*at), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;

	assert(at != MAP_FAILED);
	corpus_read(&corpus, target);
	if (argc > 1) {
		feed_number(&corpus, strtoul(argv[1], NULL, 10));
		return 0;
	}
	pid_t child = fork();
	assert(child >= 0);
	if (child == 0) {
		feed_all(&corpus, at);
		exit(0);
	}
	(void)waitpid(child, &status, 0);
	if (status == 0) {
		printf("ok 1 - %s survives %zu inputs\n", target, *at);
		return 0;
	}
	printf("not ok 1 - %s dies of an input; repeat with: %s %zu\n", target, argv[0], *at);
	return 1;
}
