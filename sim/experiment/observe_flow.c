// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/observe_flow.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "lib/cleanup.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"

/* A router that draws its ports may drop a packet whose draw was bad. */
#define TRIES    20u
#define RETRY_US 50000u

static const char word[] = "natsim";

void flow_close(struct flow *flow)
{
	fd_cleanup(&flow->inside_fd);
	fd_cleanup(&flow->outside_fd);
	*flow = (struct flow)FLOW_NONE;
}

void flow_drain(const struct flow *flow)
{
	char data[64];

	while (socket_receive(flow->inside_fd, data, sizeof(data), NULL) >= 0)
		;
	while (socket_receive(flow->outside_fd, data, sizeof(data), NULL) >= 0)
		;
}

void flow_send_out(const struct flow *flow)
{
	(void)socket_send(flow->inside_fd, word, sizeof(word), (struct endpoint){ 0, 0 });
}

void flow_send_in(const struct flow *flow)
{
	(void)socket_send(flow->outside_fd, word, sizeof(word), flow->outside);
}

static bool comes(int fd, uint64_t until_us, struct endpoint *ret_from)
{
	char data[64];

	while (socket_await(fd, POLLIN, until_us)) {
		int n = socket_receive(fd, data, sizeof(data), ret_from);

		if (n == (int)sizeof(word) && memcmp(data, word, sizeof(word)) == 0)
			return true;
		if (n == 0)
			return false; /* a stream's end */
	}
	return false;
}

bool flow_gets_in(const struct flow *flow)
{
	flow_send_in(flow);
	return comes(flow->inside_fd, process_now_us() + OBSERVE_SILENCE_US, NULL);
}

/* On a busy machine a packet that was sent before may pass the router after what it was sent again
 * for, and make the mapping younger than it is thought to be. */
static void await_copies(const struct flow *flow, unsigned count)
{
	for (; count > 0; count--)
		if (!comes(flow->outside_fd, process_now_us() + OBSERVE_SILENCE_US, NULL))
			return;
}

int flow_open(const struct observer *o, unsigned host, uint16_t port, unsigned server_addr,
	      struct flow *flow, bool *ret_there, struct err *e)
{
	struct endpoint inside = { o->host_addrs[host], port };
	struct endpoint server = { o->server_addrs[server_addr], 0 };

	*flow = (struct flow)FLOW_NONE;
	*ret_there = false;
	int rc = socket_in(o->server, SOCK_DGRAM, 0, server, &flow->outside_fd, e);
	if (rc == 0)
		rc = socket_in(o->hosts[host], SOCK_DGRAM, 0, inside, &flow->inside_fd, e);
	if (rc < 0)
		return rc;
	flow->server = socket_local(flow->outside_fd);
	if (socket_connect(flow->inside_fd, flow->server) < 0)
		return 0;
	flow->inside = socket_local(flow->inside_fd);
	unsigned sent = 0;
	while (sent < TRIES && !*ret_there) {
		flow_send_out(flow);
		sent++;
		*ret_there = comes(flow->outside_fd, process_now_us() + RETRY_US, &flow->outside);
	}
	if (*ret_there)
		await_copies(flow, sent - 1);
	return 0;
}
