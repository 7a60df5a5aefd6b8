// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"
#include "sim/experiment/contract.h"

static const struct contract whole = {
	.role = "a",
	.session = "s1",
	.strategy = "punch",
	.transport = "udp",
	.rendezvous = { 0xcb007101, 3478 },
	.rendezvous_alt = { 0xcb007102, 3479 },
	.seed = UINT64_MAX,
	.give_up_us = 1500999,
	.start_delay_us = 20000,
};

static const char *variable(const struct contract_env *env, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; env->list[i] != NULL; i++)
		if (strncmp(env->list[i], name, len) == 0 && env->list[i][len] == '=')
			return env->list[i] + len + 1;
	return NULL;
}

static void a_peer_is_told_everything_that_applies(void **state)
{
	static const char *const expected[][2] = {
		{ "NATSIM_ROLE", "a" },
		{ "NATSIM_SESSION", "s1" },
		{ "NATSIM_STRATEGY", "punch" },
		{ "NATSIM_TRANSPORT", "udp" },
		{ "NATSIM_RENDEZVOUS", "203.0.113.1:3478" },
		{ "NATSIM_RENDEZVOUS_ALT", "203.0.113.2:3479" },
		{ "NATSIM_SEED", "18446744073709551615" },
		{ "NATSIM_GIVE_UP_MS", "1500" },
		{ "NATSIM_START_DELAY_MS", "20" },
	};
	struct contract_env env;
	size_t count = 0;

	(void)state;
	contract_env_fill(&whole, &env);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const char *value = variable(&env, expected[i][0]);

		assert_non_null(value);
		assert_string_equal(value, expected[i][1]);
	}
	while (env.list[count] != NULL)
		count++;
	assert_int_equal(count, sizeof(expected) / sizeof(expected[0]));
}

static void what_does_not_apply_is_not_told(void **state)
{
	struct contract_env env;

	(void)state;
	contract_env_fill(&(struct contract){ .rendezvous = { 1, 2 } }, &env);
	assert_string_equal(env.list[0], "NATSIM_RENDEZVOUS=0.0.0.1:2");
	assert_null(env.list[1]);
	contract_env_fill(&(struct contract){ .role = NULL }, &env);
	assert_null(env.list[0]);
}

static void placeholders_are_replaced_and_other_braces_are_not(void **state)
{
	static const char *const argv[] = { "./{role}/peer",
					    "{rendezvous}{rendezvous_alt}",
					    "{ROLE}",
					    "{roles}",
					    "{rol}",
					    "{}",
					    "{role",
					    "{{role}}",
					    "role}",
					    "",
					    "a{give_up_ms}b{session}c",
					    NULL };
	static const char *const expected[] = { "./a/peer", "203.0.113.1:3478203.0.113.2:3479",
						"{ROLE}",   "{roles}",
						"{rol}",    "{}",
						"{role",    "{a}",
						"role}",    "",
						"a1500bs1c" };
	struct contract_env env;

	(void)state;
	contract_env_fill(&whole, &env);
	CLEANUP(contract_command) char **filled = contract_command(&env, argv);
	for (size_t i = 0; argv[i] != NULL; i++)
		assert_string_equal(filled[i], expected[i]);
	assert_null(filled[sizeof(expected) / sizeof(expected[0])]);
}

static void a_value_is_not_read_for_placeholders_again(void **state)
{
	static const char *const argv[] = { "{session}", NULL };
	struct contract_env env;

	(void)state;
	contract_env_fill(&(struct contract){ .role = "a", .session = "{role}" }, &env);
	CLEANUP(contract_command) char **filled = contract_command(&env, argv);
	assert_string_equal(filled[0], "{role}");
	contract_command_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_is_told_everything_that_applies),
		cmocka_unit_test(what_does_not_apply_is_not_told),
		cmocka_unit_test(placeholders_are_replaced_and_other_braces_are_not),
		cmocka_unit_test(a_value_is_not_read_for_placeholders_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
