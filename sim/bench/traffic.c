// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One process sends as fast as it can and this one counts what arrives; with the wire there is a
 * third at work, which has to share the processors with them.
 */
#include "sim/bench/traffic.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/in.h>

#include "lib/cleanup.h"
#include "sim/lab/process.h"

#define BATCH         64u
#define PAYLOAD_BYTES 18u /* makes the smallest Ethernet frame, of 64 bytes with its checksum */
#define CHUNK_BYTES   (256u * 1024u)

/* For a packet there and one back; another is sent after each. */
#define ANSWER_MS    100
#define ANSWER_TRIES 10u

static int start_sender(void (*send_all)(int fd, uint64_t until_us), int fd, uint64_t until_us,
			pid_t *ret_pid, struct err *e)
{
	pid_t pid = fork();

	if (pid == 0) {
		send_all(fd, until_us);
		_exit(0);
	}
	if (pid < 0)
		return err_set(e, -errno, "start a sender");
	*ret_pid = pid;
	return 0;
}

/* ---- small packets */

static void flood(int fd, uint64_t until_us)
{
	char payload[PAYLOAD_BYTES] = { 0 };
	struct iovec iov = { payload, sizeof(payload) };
	struct mmsghdr messages[BATCH];

	for (unsigned i = 0; i < BATCH; i++)
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	while (process_now_us() < until_us)
		(void)sendmmsg(fd, messages, BATCH, 0);
}

static uint64_t count_packets(int fd, uint64_t until_us)
{
	char payloads[BATCH][PAYLOAD_BYTES];
	struct mmsghdr messages[BATCH];
	struct iovec iovs[BATCH];
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint64_t packets = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		iovs[i] = (struct iovec){ &payloads[i], PAYLOAD_BYTES };
		messages[i] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &iovs[i], .msg_iovlen = 1 } };
	}
	while (process_now_us() < until_us) {
		int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);

		if (n > 0)
			packets += (unsigned)n;
		else
			(void)poll(&ready, 1, 1);
	}
	return packets;
}

/* So that the receiver is not what is measured. */
static void enlarge_buffer(int fd)
{
	int bytes = 32 * 1024 * 1024;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* Returns false if nothing has come. */
static bool answer(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	char payload[PAYLOAD_BYTES];

	if (poll(&ready, 1, ANSWER_MS) <= 0)
		return false;
	ssize_t n = recvfrom(fd, payload, sizeof(payload), MSG_DONTWAIT, (struct sockaddr *)&from,
			     &from_len);
	return n >= 0 && sendto(fd, payload, (size_t)n, 0, (struct sockaddr *)&from, from_len) == n;
}

static int await_answer(int out, int in, struct err *e)
{
	const char payload[PAYLOAD_BYTES] = { 0 };
	struct pollfd ready = { .fd = out, .events = POLLIN };

	for (unsigned i = 0; i < ANSWER_TRIES; i++) {
		if (send(out, payload, sizeof(payload), 0) < 0)
			return err_set(e, -errno, "send to the other site");
		if (answer(in) && poll(&ready, 1, ANSWER_MS) > 0)
			return 0;
	}
	return err_set_plain(e, -EIO, "no answer from the other site");
}

int traffic_packets(const struct sites *sites, uint64_t for_us, double *ret_kpkt_s, struct err *e)
{
	CLEANUP(fd) int in = -1;
	CLEANUP(fd) int out = -1;
	pid_t sender = -1;

	int rc = sites_bind(sites, SOCK_DGRAM, &in, e);
	if (rc == 0)
		rc = sites_connect(sites, SOCK_DGRAM, &out, e);
	if (rc == 0)
		rc = await_answer(out, in, e);
	if (rc < 0)
		return rc;
	enlarge_buffer(in);
	uint64_t until_us = process_now_us() + for_us;
	rc = start_sender(flood, out, until_us, &sender, e);
	if (rc < 0)
		return rc;
	*ret_kpkt_s = (double)count_packets(in, until_us) * 1e3 / (double)for_us;
	(void)waitpid(sender, NULL, 0);
	return 0;
}

/* ---- TCP */

static void pump(int fd, uint64_t until_us)
{
	char *data = calloc(1, CHUNK_BYTES);

	while (data != NULL && process_now_us() < until_us)
		if (write(fd, data, CHUNK_BYTES) < 0)
			break;
	free(data);
}

static double gbit_per_s(int fd)
{
	CLEANUP(free) char *data = malloc(CHUNK_BYTES);
	uint64_t start_us = process_now_us(), bytes = 0;

	for (ssize_t n; data != NULL && (n = read(fd, data, CHUNK_BYTES)) > 0;)
		bytes += (uint64_t)n;
	return (double)bytes * 8 / 1e3 / (double)(process_now_us() - start_us);
}

int traffic_stream(const struct sites *sites, uint64_t for_us, double *ret_gbit_s, struct err *e)
{
	const struct linger reset = { 1, 0 }; /* the same ports are used again at once */
	CLEANUP(fd) int listener = -1;
	CLEANUP(fd) int out = -1;
	pid_t sender = -1;

	int rc = sites_bind(sites, SOCK_STREAM, &listener, e);
	if (rc == 0 && listen(listener, 1) < 0)
		rc = err_set(e, -errno, "listen");
	if (rc == 0)
		rc = sites_connect(sites, SOCK_STREAM, &out, e);
	if (rc < 0)
		return rc;
	CLEANUP(fd) int in = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (in < 0)
		return err_set(e, -errno, "accept a connection");
	rc = start_sender(pump, out, process_now_us() + for_us, &sender, e);
	if (rc < 0)
		return rc;
	fd_cleanup(&out);
	*ret_gbit_s = gbit_per_s(in);
	(void)waitpid(sender, NULL, 0);
	(void)setsockopt(in, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return 0;
}
