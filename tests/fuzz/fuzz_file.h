/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For fuzzers of text that people write: the well-formed inputs are the files of a folder, named
 * from the top of the source tree.
 */
#ifndef NATSIM_TESTS_FUZZ_FILE_H
#define NATSIM_TESTS_FUZZ_FILE_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prng.h"

static int fuzz_is_yaml(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot != NULL && strcmp(dot, ".yaml") == 0;
}

/* One of the folder's YAML files, cut off at size; nothing where there is none. */
static inline size_t fuzz_file(const char *folder, struct prng *prng, uint8_t *data, size_t size)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, fuzz_is_yaml, alphasort);
	size_t len = 0;

	if (count > 0) {
		char path[512];
		size_t chosen = (size_t)prng_below(prng, (uint64_t)count);

		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[chosen]->d_name);
		FILE *file = fopen(path, "rb");
		if (file != NULL) {
			len = fread(data, 1, size, file);
			(void)fclose(file);
		}
	}
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return len;
}

#endif
