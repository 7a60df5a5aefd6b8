// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/contract.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/cleanup.h"

#define PREFIX "NATSIM_"

static void add(struct contract_env *env, size_t *count, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void add(struct contract_env *env, size_t *count, const char *fmt, ...)
{
	va_list ap;

	assert(*count < CONTRACT_VARIABLES_MAX);
	va_start(ap, fmt);
	(void)vsnprintf(env->text[*count], CONTRACT_VALUE_SIZE, fmt, ap);
	va_end(ap);
	env->list[*count] = env->text[*count];
	++*count;
}

static void add_text(struct contract_env *env, size_t *count, const char *name, const char *value)
{
	if (value != NULL)
		add(env, count, PREFIX "%s=%s", name, value);
}

static void add_endpoint(struct contract_env *env, size_t *count, const char *name,
			 struct endpoint ep)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (!endpoint_is_none(ep))
		add_text(env, count, name, endpoint_format(ep, text));
}

void contract_env_fill(const struct contract *c, struct contract_env *ret)
{
	size_t count = 0;

	*ret = (struct contract_env){ 0 };
	add_text(ret, &count, "ROLE", c->role);
	add_text(ret, &count, "SESSION", c->session);
	add_text(ret, &count, "STRATEGY", c->strategy);
	add_text(ret, &count, "TRANSPORT", c->transport);
	add_endpoint(ret, &count, "RENDEZVOUS", c->rendezvous);
	add_endpoint(ret, &count, "RENDEZVOUS_ALT", c->rendezvous_alt);
	if (c->give_up_us != 0) {
		add(ret, &count, PREFIX "SEED=%" PRIu64, c->seed);
		add(ret, &count, PREFIX "GIVE_UP_MS=%" PRIu64, c->give_up_us / 1000);
		add(ret, &count, PREFIX "START_DELAY_MS=%" PRIu64, c->start_delay_us / 1000);
	}
}

/* The value of the variable that {name} stands for, or NULL. */
static const char *value_of(const struct contract_env *env, const char *name, size_t len)
{
	for (size_t i = 0; env->list[i] != NULL; i++) {
		const char *variable = env->list[i] + strlen(PREFIX);
		size_t k = 0;

		while (k < len && variable[k] == toupper((unsigned char)name[k]) &&
		       !isupper((unsigned char)name[k]))
			k++;
		if (k == len && variable[len] == '=')
			return variable + len + 1;
	}
	return NULL;
}

static char *fill_in(const struct contract_env *env, const char *text)
{
	CLEANUP(buf) struct buf out = BUF_INIT;

	while (*text != '\0') {
		const char *end = *text == '{' ? strchr(text, '}') : NULL;
		const char *value =
			end == NULL ? NULL : value_of(env, text + 1, (size_t)(end - text - 1));

		if (value != NULL) {
			buf_puts(&out, value);
			text = end + 1;
		} else {
			buf_add(&out, text++, 1);
		}
	}
	return buf_steal(&out);
}

char **contract_command(const struct contract_env *env, const char *const *argv)
{
	size_t count = 0;

	while (argv[count] != NULL)
		count++;
	char **filled = calloc(count + 1, sizeof(*filled));
	assert(filled != NULL);
	for (size_t i = 0; i < count; i++)
		filled[i] = fill_in(env, argv[i]);
	return filled;
}

void contract_command_free(char **argv)
{
	for (size_t i = 0; argv != NULL && argv[i] != NULL; i++)
		free(argv[i]);
	free(argv);
}
