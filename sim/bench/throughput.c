// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One process sends as fast as it can and this one counts what arrives; with the wire there is a
 * third at work, which has to share the processors with them.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/bench/sites.h"
#include "sim/lab/process.h"

#define ROUNDS        5u
#define ROUND_US      400000u
#define BATCH         64u
#define PAYLOAD_BYTES 18u /* makes the smallest Ethernet frame, of 64 bytes with its checksum */
#define CHUNK_BYTES   (256u * 1024u)

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

static int measure_packets(struct sites *sites, double *ret_kpkt_s, struct err *e)
{
	CLEANUP(fd) int in = -1;
	CLEANUP(fd) int out = -1;
	pid_t sender = -1;

	int rc = sites_bind(sites, SOCK_DGRAM, &in, e);
	if (rc == 0)
		rc = sites_connect(sites, SOCK_DGRAM, &out, e);
	if (rc < 0)
		return rc;
	enlarge_buffer(in);
	uint64_t until_us = process_now_us() + ROUND_US;
	rc = start_sender(flood, out, until_us, &sender, e);
	if (rc < 0)
		return rc;
	*ret_kpkt_s = (double)count_packets(in, until_us) * 1e3 / ROUND_US;
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

static int measure_stream(struct sites *sites, double *ret_gbit_s, struct err *e)
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
	rc = start_sender(pump, out, process_now_us() + ROUND_US, &sender, e);
	if (rc < 0)
		return rc;
	fd_cleanup(&out);
	*ret_gbit_s = gbit_per_s(in);
	(void)waitpid(sender, NULL, 0);
	(void)setsockopt(in, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return 0;
}

/* ---- in turns */

static int measure_both(struct sites *sites,
			int (*measure)(struct sites *sites, double *ret, struct err *e),
			double wire[ROUNDS], double kernel[ROUNDS], struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < ROUNDS; i++) {
		rc = sites_use_kernel(sites, e);
		if (rc == 0)
			rc = measure(sites, &kernel[i], e);
		if (rc == 0)
			rc = sites_use_wire(sites, NULL, e);
		if (rc == 0)
			rc = measure(sites, &wire[i], e);
	}
	return rc;
}

/* f has the name, the unit and the aim. */
static int compare(struct bench *b, struct sites *sites, struct figure f,
		   int (*measure)(struct sites *sites, double *ret, struct err *e), struct err *e)
{
	double wire[ROUNDS], kernel[ROUNDS];
	int rc = measure_both(sites, measure, wire, kernel, e);

	if (rc < 0)
		return rc;
	f.group = "What the wire forwards, against the kernel routing between the same two hosts";
	struct figure ours = f;
	ours.subject = "natsim";
	ours.value = summary_of(wire, ROUNDS);
	ours.aim = AIM_NONE;
	f.subject = "the kernel";
	f.value = summary_of(kernel, ROUNDS);
	f.ratio = ours.value.median / f.value.median;
	f.ratio_is = "times as much";
	figures_add(&b->figures, &ours);
	figures_add(&b->figures, &f);
	return 0;
}

int bench_throughput(struct bench *b, struct err *e)
{
	CLEANUP(sites) struct sites sites = { .wire = NULL };
	const struct figure packets = {
		.name = "packets of 18 bytes", .unit = "kpkt/s", .aim = AIM_AT_LEAST, .aim_low = 0.5
	};
	const struct figure stream = { .name = "one TCP stream", .unit = "Gbit/s" };
	int rc = sites_open(b->catalog, &sites, e);

	if (rc == 0)
		rc = compare(b, &sites, packets, measure_packets, e);
	if (rc == 0)
		rc = compare(b, &sites, stream, measure_stream, e);
	return rc;
}
