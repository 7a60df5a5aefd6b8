// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/observe_flow.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/ipv4.h"
#include "sim/lab/process.h"
#include "sim/lab/socket.h"

/* Between the router, when it has answered a ping that was sent after a packet, and the packet's
 * receiver there is nothing but the kernel. */
#define LAST_HOP_US 20000u

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

	/* 0: a stream's end. */
	while (socket_receive(flow->inside_fd, data, sizeof(data), NULL) > 0)
		;
	while (socket_receive(flow->outside_fd, data, sizeof(data), NULL) > 0)
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

struct echo {
	struct icmphdr icmp;
	uint64_t sent_us; /* tells one from another */
};

static bool is_reply(const uint8_t *packet, size_t len, const struct echo *echo)
{
	size_t header = len == 0 ? 0 : (size_t)(packet[0] & 0xf) * 4;

	return len == header + sizeof(*echo) && packet[header] == ICMP_ECHOREPLY &&
	       memcmp(packet + header + sizeof(echo->icmp), &echo->sent_us,
		      sizeof(echo->sent_us)) == 0;
}

static bool echoes(const struct observer *o, uint64_t until_us)
{
	struct echo echo = { .icmp = { .type = ICMP_ECHO }, .sent_us = process_now_us() };
	uint8_t packet[sizeof(struct iphdr) + sizeof(echo) + 40];

	echo.icmp.checksum = htons(ipv4_checksum((const uint8_t *)&echo, sizeof(echo)));
	if (socket_send(o->echo_fd, &echo, sizeof(echo), (struct endpoint){ o->router_addr, 0 }) <
	    0)
		return false;
	while (socket_await(o->echo_fd, POLLIN, until_us)) {
		int n = socket_receive(o->echo_fd, packet, sizeof(packet), NULL);

		if (n > 0 && is_reply(packet, (size_t)n, &echo))
			return true;
	}
	return false;
}

static bool ping(const struct observer *o, uint64_t until_us)
{
	if (o->router_echoes)
		return echoes(o, until_us);
	(void)poll(NULL, 0, LAST_HOP_US / 1000);
	return true;
}

int observer_listen(struct observer *o, struct err *e)
{
	struct endpoint server = { o->server_addrs[0], 0 };
	int rc = socket_in(o->server, SOCK_RAW, IPPROTO_ICMP, server, &o->echo_fd, e);

	if (rc == 0)
		o->router_echoes = echoes(o, process_now_us() + OBSERVE_PATIENCE_US);
	return rc;
}

/* The first answer comes after all that the router had sent before it, and the second after what
 * the server said to that. */
bool observer_settle(const struct observer *o, uint64_t until_us)
{
	bool first = ping(o, until_us);

	return first && ping(o, until_us);
}

bool flow_got_in(const struct observer *o, const struct flow *flow, uint64_t *ret_passed_us)
{
	flow_send_in(flow);
	bool passed = ping(o, process_now_us() + OBSERVE_SILENCE_US);
	uint64_t now_us = process_now_us();
	bool came = comes(flow->inside_fd, now_us + (passed ? LAST_HOP_US : 0), NULL);

	*ret_passed_us = passed ? now_us : UINT64_MAX;
	return came;
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
	while (sent < OBSERVE_TRIES && !*ret_there) {
		flow_send_out(flow);
		sent++;
		*ret_there = comes(flow->outside_fd, process_now_us() + OBSERVE_RETRY_US,
				   &flow->outside);
	}
	if (*ret_there)
		await_copies(flow, sent - 1);
	return 0;
}
