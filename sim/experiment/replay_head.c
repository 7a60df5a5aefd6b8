// SPDX-License-Identifier: GPL-2.0-or-later
/* A trace's first line: what was run, and with which configuration. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/experiment/replay.h"

static int get_transport(const struct jsonl *o, struct strategy_config *ret)
{
	const char *text = NULL;
	int code = jsonl_get_text(o, "transport", &text);

	if (code < 0)
		return code;
	ret->tcp = strcmp(text, "tcp") == 0;
	if (!ret->tcp && strcmp(text, "udp") != 0)
		return JSONL_BAD(o, "\"transport\" is neither udp nor tcp");
	return 0;
}

/* A strategy that does not run in pairs has no use for a role. */
static int get_role(const struct jsonl *o, bool pair, struct strategy_config *ret)
{
	const char *text = NULL;
	int code = jsonl_get_text(o, "role", &text);

	if (code < 0)
		return code;
	if (strcmp(text, "a") != 0 && strcmp(text, "b") != 0 && (pair || text[0] != '\0'))
		return JSONL_BAD(o, "\"role\" is neither a nor b");
	ret->role = text[0];
	return 0;
}

static int get_server(const struct jsonl *o, const char *key, bool needed, struct endpoint *ret)
{
	int code = jsonl_get_endpoint(o, key, ret);

	if (code < 0)
		return code;
	if ((ret->addr == 0 || ret->port == 0) && (needed || !endpoint_is_none(*ret)))
		return JSONL_BAD(o, "\"%s\" is no endpoint of a server", key);
	return 0;
}

static int get_local(const struct jsonl *o, struct strategy_config *ret)
{
	const char *text = NULL;
	uint64_t port = 0;
	int code = jsonl_get_text(o, "local_addr", &text);

	if (code == 0 && !addr_parse(text, &ret->local_addr))
		return JSONL_BAD(o, "\"local_addr\" is not an address");
	if (code == 0)
		code = jsonl_get_number(o, "local_port", UINT16_MAX, &port);
	ret->local_port = (uint16_t)port;
	return code;
}

#define CONFIG_KEYS 11u

static int get_config(const struct jsonl *o, bool pair, struct strategy_config *ret)
{
	int code = get_transport(o, ret);

	if (code == 0)
		code = get_role(o, pair, ret);
	if (code == 0)
		code = get_server(o, "server", true, &ret->server);
	if (code == 0)
		code = get_server(o, "server_alt", false, &ret->server_alt);
	if (code == 0)
		code = jsonl_get_bytes(o, "session", sizeof(ret->session), ret->session,
				       &ret->session_len);
	if (code == 0 && pair && ret->session_len == 0)
		return JSONL_BAD(o, "\"session\" is empty");
	if (code == 0)
		code = get_local(o, ret);
	if (code == 0)
		code = jsonl_get_word(o, "nonce", &ret->nonce);
	if (code == 0 && ret->nonce == 0)
		return JSONL_BAD(o, "\"nonce\" is 0");
	if (code == 0)
		code = jsonl_get_word(o, "seed", &ret->seed);
	if (code == 0)
		code = jsonl_get_number(o, "start_delay_us", REPLAY_TIME_MAX_US,
					&ret->start_delay_us);
	if (code == 0)
		code = jsonl_get_number(o, "give_up_us", REPLAY_TIME_MAX_US, &ret->give_up_us);
	if (code == 0 && json_object_size(o->json) != CONFIG_KEYS)
		return JSONL_BAD(o, "\"config\" has something that is not known here");
	return code;
}

/* It goes to terminals. */
static bool is_version(const char *text)
{
	size_t len = 0;

	while (text[len] > ' ' && text[len] <= '~')
		len++;
	return len > 0 && len < REPLAY_VERSION_SIZE && text[len] == '\0';
}

int replay_get_head(const struct jsonl *o, struct replay_head *ret)
{
	const char *strategy = NULL, *version = NULL;
	struct strategy_choice choice;
	char why[STRATEGY_WHY_SIZE];
	struct jsonl config;
	uint64_t format = 0;
	int code = json_is_integer(json_object_get(o->json, "natsim_trace")) ? 0 : -EINVAL;

	if (code < 0)
		return JSONL_BAD(o, "this is not a trace of a peer");
	code = jsonl_get_number(o, "natsim_trace", INT64_MAX, &format);
	if (code == 0 && format != TRACE_FORMAT)
		return JSONL_BAD(o, "the trace has format %llu; this natsim reads %d",
				 (unsigned long long)format, TRACE_FORMAT);
	if (code == 0)
		code = jsonl_get_text(o, "version", &version);
	if (code == 0)
		code = jsonl_get_text(o, "strategy", &strategy);
	if (code == 0)
		code = jsonl_get_number(o, "start_us", REPLAY_TIME_MAX_US, &ret->start_us);
	if (code == 0)
		code = jsonl_get_object(o, "config", &config);
	if (code < 0)
		return code;
	if (!strategy_parse(strategy, &choice, why))
		return JSONL_BAD(o, "%s", why);
	ret->strategy = choice.strategy;
	if (!is_version(version))
		return JSONL_BAD(o, "\"version\" is not that of a natsim");
	(void)snprintf(ret->version, sizeof(ret->version), "%s", version);
	code = get_config(&config, ret->strategy->pair, &ret->config);
	memcpy(ret->config.params, choice.params, sizeof(ret->config.params));
	return code;
}
