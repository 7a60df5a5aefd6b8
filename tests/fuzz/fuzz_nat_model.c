// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text given as a NAT model is read, or refused in one line that names the file. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "sim/model/nat_model.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err e = { .kind = ERR_NONE };
	struct nat_model model;

	if (nat_model_parse("any.yaml", (const char *)data, len, &model, &e) == 0) {
		nat_model_fini(&model);
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
	return fuzz_file("nat_models", prng, data, size);
}
#endif

#include "tests/fuzz/fuzz_main.h"
