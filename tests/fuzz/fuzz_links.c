// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text given as a list of links is read, or refused in one line that names the file. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "sim/model/link.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err e = { .kind = ERR_NONE };
	struct link_profile *profiles;
	size_t count;

	if (link_profiles_parse("any.yaml", (const char *)data, len, &profiles, &count, &e) == 0) {
		link_profiles_free(profiles, count);
		return 0;
	}
	assert(e.kind == ERR_INPUT);
	assert(strncmp(e.text, "any.yaml", strlen("any.yaml")) == 0);
	assert(strchr(e.text, '\n') == NULL);
	return 0;
}

#ifndef LIBFUZZER
static size_t fuzz_make(struct prng *prng, uint8_t *data, size_t size)
{
	return fuzz_file("topologies", prng, data, size);
}
#endif

#include "tests/fuzz/fuzz_main.h"
