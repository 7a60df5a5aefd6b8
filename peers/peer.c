// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The peer: runs one strategy and prints one JSON line. It knows of the lab only what any program
 * in it is told, by environment variables (docs/peer-contract.md); an option of the command line
 * goes before its variable.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "peers/core/strategy.h"
#include "peers/loop.h"
#include "peers/sock.h"
#include "peers/trace_file.h"

#define GIVE_UP_MS_MAX 3600000u

struct settings {
	const char *strategy_text; /* as it was chosen */
	const struct strategy *strategy;
	struct strategy_config config;
	const char *trace; /* NULL: none is written */
};

/* What it is, is found out when all is read: only then is there an error to say why not. */
static int set_strategy(const char *value, struct settings *s)
{
	s->strategy_text = value;
	return 0;
}

static int set_transport(const char *value, struct settings *s)
{
	s->config.tcp = strcmp(value, "tcp") == 0;
	return s->config.tcp || strcmp(value, "udp") == 0 ? 0 : -EINVAL;
}

static int set_role(const char *value, struct settings *s)
{
	s->config.role = value[0];
	return (value[0] == 'a' || value[0] == 'b') && value[1] == '\0' ? 0 : -EINVAL;
}

static int set_session(const char *value, struct settings *s)
{
	size_t len = strlen(value);

	if (len == 0 || len > STUN_SESSION_MAX)
		return -EINVAL;
	memcpy(s->config.session, value, len);
	s->config.session_len = len;
	return 0;
}

static int set_endpoint(const char *value, struct endpoint *ret)
{
	return endpoint_parse(value, ret) && ret->addr != 0 && ret->port != 0 ? 0 : -EINVAL;
}

static int set_server(const char *value, struct settings *s)
{
	return set_endpoint(value, &s->config.server);
}

static int set_server_alt(const char *value, struct settings *s)
{
	return set_endpoint(value, &s->config.server_alt);
}

static int set_number(const char *value, uint64_t max, uint64_t *ret)
{
	char *end;

	errno = 0;
	unsigned long long number = strtoull(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || value[0] == '-' || number > max)
		return -EINVAL;
	*ret = number;
	return 0;
}

static int set_ms(const char *value, uint64_t *ret_us)
{
	uint64_t ms = 0;
	int code = set_number(value, GIVE_UP_MS_MAX, &ms);

	if (code == 0)
		*ret_us = ms * 1000;
	return code;
}

static int set_give_up(const char *value, struct settings *s)
{
	return set_ms(value, &s->config.give_up_us);
}

static int set_start_delay(const char *value, struct settings *s)
{
	return set_ms(value, &s->config.start_delay_us);
}

static int set_seed(const char *value, struct settings *s)
{
	return set_number(value, UINT64_MAX, &s->config.seed);
}

static int set_port(const char *value, struct settings *s)
{
	uint64_t port = 0;
	int code = set_number(value, UINT16_MAX, &port);

	if (code == 0)
		s->config.local_port = (uint16_t)port;
	return code;
}

static int set_trace(const char *value, struct settings *s)
{
	s->trace = value;
	return value[0] == '\0' ? -EINVAL : 0;
}

struct setting {
	const char *option, *variable, *value, *about;
	int (*set)(const char *value, struct settings *s);
};

static const struct setting table[] = {
	{ "--strategy", "NATSIM_STRATEGY", "NAME[:K=V,..]", "what to do (default: punch)",
	  set_strategy },
	{ "--transport", "NATSIM_TRANSPORT", "udp|tcp", "over what (default: udp)", set_transport },
	{ "--role", "NATSIM_ROLE", "a|b", "which of the two this is", set_role },
	{ "--session", "NATSIM_SESSION", "TEXT", "what both peers name, up to 64 bytes",
	  set_session },
	{ "--rendezvous", "NATSIM_RENDEZVOUS", "ADDRESS:PORT", "where the rendezvous is",
	  set_server },
	{ "--rendezvous-alt", "NATSIM_RENDEZVOUS_ALT", "ADDRESS:PORT", "its other address and port",
	  set_server_alt },
	{ "--port", "NATSIM_LOCAL_PORT", "PORT", "to bind (default: any)", set_port },
	{ "--seed", "NATSIM_SEED", "NUMBER", "of what is left to chance", set_seed },
	{ "--start-delay-ms", "NATSIM_START_DELAY_MS", "MS", "to wait after the word to start",
	  set_start_delay },
	{ "--give-up-ms", "NATSIM_GIVE_UP_MS", "MS", "how long to try (default: 10000)",
	  set_give_up },
	{ "--trace", "NATSIM_TRACE", "FILE", "to write every step to, for natsim replay",
	  set_trace },
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

static void print_param(const struct strategy_param *p)
{
	if (p->words != NULL)
		printf("    %-15s %-13s %s\n", p->name, p->words[p->fallback], p->about);
	else
		printf("    %-15s %-13llu %s\n", p->name, (unsigned long long)p->fallback,
		       p->about);
}

static void print_help(void)
{
	const struct strategy *s;

	puts("usage: peer [OPTION VALUE]...\n\n"
	     "Runs one traversal strategy and prints what came of it as one line of JSON.\n"
	     "Exit status: 0 connected, 1 not, 2 wrong usage, 3 this machine cannot.\n\n"
	     "options, each with the environment variable it goes before:");
	for (size_t i = 0; i < TABLE_COUNT; i++)
		printf("  %-17s %-13s %-22s %s\n", table[i].option, table[i].value,
		       table[i].variable, table[i].about);
	puts("\nstrategies, each with its parameters and what they are if they are not given:");
	for (size_t i = 0; (s = strategy_at(i)) != NULL; i++) {
		printf("  %-17s %s\n", s->name, s->about);
		for (const struct strategy_param *p = s->params; p != NULL && p->name != NULL; p++)
			print_param(p);
	}
}

static const struct setting *find_option(const char *name)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (strcmp(table[i].option, name) == 0)
			return &table[i];
	return NULL;
}

static int read_environment(struct settings *s, struct err *e)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		const char *value = getenv(table[i].variable);

		if (value != NULL && table[i].set(value, s) < 0)
			return err_set_input(e, "%s=%s: not %s", table[i].variable, value,
					     table[i].value);
	}
	return 0;
}

static int read_options(int argc, char **argv, struct settings *s, struct err *e)
{
	for (int i = 1; i < argc; i += 2) {
		const struct setting *setting = find_option(argv[i]);

		if (setting == NULL)
			return err_set_input(e, "no option %s; see peer --help", argv[i]);
		if (i + 1 >= argc)
			return err_set_input(e, "%s needs a value: %s", argv[i], setting->value);
		if (setting->set(argv[i + 1], s) < 0)
			return err_set_input(e, "%s %s: not %s", argv[i], argv[i + 1],
					     setting->value);
	}
	return 0;
}

static int choose_strategy(struct settings *s, struct err *e)
{
	struct strategy_choice choice;
	char why[STRATEGY_WHY_SIZE];

	if (!strategy_parse(s->strategy_text, &choice, why))
		return err_set_input(e, "--strategy: %s", why);
	s->strategy = choice.strategy;
	memcpy(s->config.params, choice.params, sizeof(s->config.params));
	return 0;
}

static int check_settings(const struct settings *s, struct err *e)
{
	if (endpoint_is_none(s->config.server))
		return err_set_input(e, "--rendezvous is needed");
	if (s->strategy->pair && s->config.role == 0)
		return err_set_input(e, "--role is needed");
	if (s->strategy->pair && s->config.session_len == 0)
		return err_set_input(e, "--session is needed");
	return 0;
}

/* The address that packets to the server leave from. Nothing is sent. */
static int find_local_addr(struct endpoint server, uint32_t *ret, struct err *e)
{
	struct sockaddr_in sa = sock_to_sockaddr(server);
	socklen_t len = sizeof(sa);
	CLEANUP(fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[ENDPOINT_TEXT_SIZE];

	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return err_set(e, -errno, "find the way to %s", endpoint_format(server, text));
	*ret = sock_from_sockaddr(&sa).addr;
	return 0;
}

static int draw_nonce(uint64_t *ret, struct err *e)
{
	uint64_t nonce = 0;

	while (nonce == 0)
		if (getrandom(&nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
			return err_set(e, -errno, "draw a nonce");
	*ret = nonce;
	return 0;
}

/* Runs machine, which is the strategy's state or stands before it, and prints the result. */
static int play(const struct strategy *strategy, const void *state, machine_step_fn *step,
		void *machine, int *ret_status, struct err *e)
{
	CLEANUP(buf) struct buf line = BUF_INIT;
	int code = loop_run(step, machine, ret_status, e);

	if (code < 0)
		return code;
	strategy->report(state, &line);
	if (fputs(buf_text(&line), stdout) == EOF || fflush(stdout) == EOF)
		return err_set(e, -errno, "write the result");
	return 0;
}

static int play_traced(const struct settings *s, void *state, int *ret_status, struct err *e)
{
	struct trace_file trace;
	int code = trace_file_open(
		s->trace,
		&(struct trace_subject){ s->strategy_text, s->strategy, &s->config, state }, &trace,
		e);

	if (code < 0)
		return code;
	code = play(s->strategy, state, trace_file_step, &trace, ret_status, e);
	int closed = trace_file_close(&trace, s->trace, code < 0 ? NULL : e);
	return code < 0 ? code : closed;
}

/* Returns the exit status, or a negative errno. */
static int run(struct settings *s, struct err *e)
{
	int status = 0, code = find_local_addr(s->config.server, &s->config.local_addr, e);

	if (code == 0)
		code = draw_nonce(&s->config.nonce, e);
	if (code < 0)
		return code;

	CLEANUP(free) void *state = calloc(1, s->strategy->size);
	if (state == NULL)
		return err_set(e, -ENOMEM, "start");
	s->strategy->init(state, &s->config);
	code = s->trace != NULL ? play_traced(s, state, &status, e)
				: play(s->strategy, state, s->strategy->step, state, &status, e);
	return code < 0 ? code : status;
}

int main(int argc, char **argv)
{
	struct settings s = { .strategy_text = "punch", .config = { .give_up_us = 10000000 } };
	struct err e = { 0 };

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_help();
		return 0;
	}
	int code = read_environment(&s, &e);
	if (code == 0)
		code = read_options(argc, argv, &s, &e);
	if (code == 0)
		code = choose_strategy(&s, &e);
	if (code == 0)
		code = check_settings(&s, &e);
	if (code == 0)
		code = run(&s, &e);
	if (code < 0)
		(void)fprintf(stderr, "peer: %s\n", e.text);
	return code < 0 ? (int)e.kind : code;
}
