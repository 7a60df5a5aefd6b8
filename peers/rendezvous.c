// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rendezvous: the machine of peers/core/rendezvous.h on real sockets. It prints one JSON line
 * when it answers, and runs until it is ended.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/cleanup.h"
#include "lib/endpoint.h"
#include "lib/err.h"
#include "peers/core/rendezvous.h"
#include "peers/loop.h"

/* The machine, and whether its being ready has been told. */
struct server {
	struct rendezvous rendezvous;
	bool told;
};

static uint64_t server_step(void *state, uint64_t now_us, const struct event *event,
			    struct actions *out)
{
	struct server *s = state;
	uint64_t wake_us = rendezvous_step(&s->rendezvous, now_us, event, out);

	if (!s->told && rendezvous_is_open(&s->rendezvous)) {
		s->told = true;
		(void)puts("{\"event\":\"ready\"}");
		(void)fflush(stdout);
	}
	return wake_us;
}

static void print_help(void)
{
	puts("usage: rendezvous [ADDRESS:PORT [ADDRESS:PORT]]\n\n"
	     "A STUN server (RFC 8489, RFC 5780) that introduces the peers of a session to each other.\n"
	     "With a second endpoint, whose address and port both differ from the first one's, it serves\n"
	     "both addresses on both ports. Without arguments they are $NATSIM_RENDEZVOUS and\n"
	     "$NATSIM_RENDEZVOUS_ALT. It prints {\"event\":\"ready\"} when it answers.");
}

/* The argument, or else the variable; neither is fine where the endpoint is optional. */
static int read_endpoint(const char *argument, const char *variable, bool needed,
			 struct endpoint *ret, struct err *e)
{
	const char *text = argument != NULL ? argument : getenv(variable);

	if (text == NULL && !needed)
		return 0;
	if (text == NULL)
		return err_set_input(e, "which ADDRESS:PORT? see rendezvous --help");
	if (!endpoint_parse(text, ret) || ret->addr == 0 || ret->port == 0)
		return err_set_input(e, "\"%s\" is no ADDRESS:PORT", text);
	return 0;
}

static int read_config(int argc, char **argv, struct rendezvous_config *ret, struct err *e)
{
	struct endpoint main_ep = { 0 }, alt = { 0 };
	int code = read_endpoint(argc > 1 ? argv[1] : NULL, "NATSIM_RENDEZVOUS", true, &main_ep, e);

	if (code == 0)
		code = read_endpoint(argc > 2 ? argv[2] : NULL, "NATSIM_RENDEZVOUS_ALT", false,
				     &alt, e);
	if (code < 0)
		return code;
	if (argc > 3 || main_ep.addr == alt.addr || main_ep.port == alt.port)
		return err_set_input(e, "the second address and port must both differ from the "
					"first; see rendezvous --help");
	ret->addr[0] = main_ep.addr;
	ret->addr[1] = alt.addr;
	ret->port[0] = main_ep.port;
	ret->port[1] = alt.port;
	return 0;
}

static int run(const struct rendezvous_config *config, struct err *e)
{
	CLEANUP(free) struct server *server = calloc(1, sizeof(*server));
	char text[ENDPOINT_TEXT_SIZE];
	int status = 0;

	if (server == NULL)
		return err_set(e, -ENOMEM, "start");
	rendezvous_init(&server->rendezvous, config);
	int code = loop_run(server_step, server, &status, e);
	if (code == 0 && server->rendezvous.error != 0)
		code = err_set(e, -server->rendezvous.error, "serve %s over %s",
			       endpoint_format(server->rendezvous.failed, text),
			       server->rendezvous.failed_tcp ? "TCP" : "UDP");
	return code;
}

int main(int argc, char **argv)
{
	struct rendezvous_config config = { 0 };
	struct err e = { 0 };

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_help();
		return 0;
	}
	int code = read_config(argc, argv, &config, &e);
	if (code == 0 && getrandom(&config.seed, sizeof(config.seed), 0) < 0)
		code = err_set(&e, -errno, "draw a seed");
	if (code == 0)
		code = run(&config, &e);
	if (code < 0)
		(void)fprintf(stderr, "rendezvous: %s\n", e.text);
	return code < 0 ? (int)e.kind : 0;
}
