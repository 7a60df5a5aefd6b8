// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet carries the time at which it was sent; the kernel notes when it came in. The difference
 * includes the way through two veths, which is what an ideal link shows.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/cleanup.h"
#include "sim/bench/bench.h"
#include "sim/bench/sites.h"
#include "sim/experiment/statistics.h"
#include "sim/lab/process.h"

#define GROUP "How exactly the wire keeps what its links are told"

#define DELAY_PACKETS 1000u
#define SPACING_US    1000u
#define LOSS_PACKETS  100000u
#define LOSS          0.1
#define LOSS_BATCH    64u

/* A link that is as told is outside of it once in a thousand runs. */
#define ALARM_SHARE 0.001

/* ---- delay */

static double as_us(struct timespec t)
{
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Reads one packet if there is one, and tells how long it took. */
static bool take(int fd, double *ret_us)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
	struct timespec sent, came;
	struct iovec iov = { &sent, sizeof(sent) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &m, MSG_DONTWAIT) != (ssize_t)sizeof(sent))
		return false;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c == NULL || c->cmsg_type != SCM_TIMESTAMPNS)
		return false;
	memcpy(&came, CMSG_DATA(c), sizeof(came));
	*ret_us = as_us(came) - as_us(sent);
	return true;
}

/* Sends a packet every millisecond or so, whatever is still under way. */
static size_t time_packets(int out, int in, uint64_t delay_us, double times_us[DELAY_PACKETS])
{
	struct pollfd ready = { .fd = in, .events = POLLIN };
	uint64_t next_us = process_now_us();
	uint64_t deadline_us = next_us + 2 * (DELAY_PACKETS * SPACING_US + delay_us);
	size_t sent = 0, got = 0;

	while (got < DELAY_PACKETS && process_now_us() < deadline_us) {
		if (sent < DELAY_PACKETS && process_now_us() >= next_us) {
			struct timespec t;

			(void)clock_gettime(CLOCK_REALTIME, &t);
			(void)send(out, &t, sizeof(t), 0);
			next_us += SPACING_US + sent % 7 * 37; /* out of step with the timer tick */
			sent++;
		}
		while (got < sent && take(in, &times_us[got]))
			got++;
		(void)poll(&ready, 1, 1);
	}
	return got;
}

static int open_pair(const struct sites *sites, int *ret_in, int *ret_out, struct err *e)
{
	int on = 1, rc = sites_bind(sites, SOCK_DGRAM, ret_in, e);

	if (rc == 0)
		rc = sites_connect(sites, SOCK_DGRAM, ret_out, e);
	if (rc == 0 && setsockopt(*ret_in, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		rc = err_set(e, -errno, "ask for time stamps");
	return rc;
}

static void add_delay(struct bench *b, const char *name, uint64_t delay_us, double *errors_us,
		      size_t count)
{
	struct summary all = summary_of(errors_us, count);
	double p99_us = statistics_percentile(errors_us, count, 0.99);
	struct figure median = { .group = GROUP,
				 .name = name,
				 .subject = "error, median",
				 .unit = "us",
				 .value = all,
				 .aim = delay_us > 0 ? AIM_AT_MOST : AIM_NONE,
				 .aim_high = 100 };
	struct figure p99 = { .group = GROUP,
			      .name = name,
			      .subject = "error, 99 %",
			      .unit = "us",
			      .value = { p99_us, p99_us, p99_us, 1 } };

	figures_add(&b->figures, &median);
	figures_add(&b->figures, &p99);
}

static int measure_delay(struct bench *b, struct sites *sites, const char *name, uint64_t delay_us,
			 struct err *e)
{
	const struct link_profile slow = { .hops = 1, .up = { .delay_us = delay_us } };
	double times_us[DELAY_PACKETS];
	CLEANUP(fd) int in = -1;
	CLEANUP(fd) int out = -1;

	int rc = sites_use_wire(sites, &slow, e);
	if (rc == 0)
		rc = open_pair(sites, &in, &out, e);
	if (rc < 0)
		return rc;
	size_t got = time_packets(out, in, delay_us, times_us);
	if (got == 0)
		return err_set_plain(e, -EIO, "nothing came through the wire");
	for (size_t i = 0; i < got; i++)
		times_us[i] -= (double)delay_us;
	add_delay(b, name, delay_us, times_us, got);
	return 0;
}

/* ---- loss */

/* Waits until the wire is through with so many packets. */
static void await_received(const struct wire_stats *stats, uint64_t count)
{
	uint64_t deadline_us = process_now_us() + 1000000;

	while (atomic_load(&stats->received) < count && process_now_us() < deadline_us)
		(void)sched_yield();
}

/* The largest loss, of so many packets, that fewer than share of all runs stay at or below. */
static unsigned low_end(unsigned packets, double share)
{
	unsigned low = 0, high = packets;

	while (low < high) {
		unsigned middle = low + (high - low + 1) / 2;

		if (statistics_at_most(middle - 1, packets, LOSS) < share)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* The smallest that fewer than share of all runs reach, less one. */
static unsigned high_end(unsigned packets, double share)
{
	unsigned low = 0, high = packets;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (statistics_at_least(middle + 1, packets, LOSS) < share)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static double percent(double part, double whole)
{
	return 100 * part / whole;
}

static int measure_loss(struct bench *b, struct sites *sites, struct err *e)
{
	const struct link_profile lossy = { .hops = 1, .up = { .loss = LOSS } };
	CLEANUP(fd) int out = -1;
	char payload = 0;

	int rc = sites_use_wire(sites, &lossy, e);
	if (rc == 0)
		rc = sites_connect(sites, SOCK_DGRAM, &out, e);
	if (rc < 0)
		return rc;
	const struct wire_stats *stats = wire_stats(sites->wire);
	for (unsigned i = 1; i <= LOSS_PACKETS; i++) {
		(void)send(out, &payload, sizeof(payload), 0);
		if (i % LOSS_BATCH == 0)
			await_received(stats, i);
	}
	await_received(stats, LOSS_PACKETS);
	unsigned received = (unsigned)atomic_load(&stats->received);
	double lost = percent((double)atomic_load(&stats->lost), received);
	struct figure f = { .group = GROUP,
			    .name = "loss of 10 %",
			    .subject = "of 100,000 packets",
			    .unit = "%",
			    .value = { lost, lost, lost, 1 },
			    .aim = AIM_BETWEEN,
			    .aim_low = percent(low_end(received, ALARM_SHARE / 2), received),
			    .aim_high = percent(high_end(received, ALARM_SHARE / 2), received) };
	figures_add(&b->figures, &f);
	return 0;
}

int bench_exactness(struct bench *b, struct err *e)
{
	CLEANUP(sites) struct sites sites = { .wire = NULL };
	int rc = sites_open(b->catalog, NULL, &sites, e);

	if (rc == 0)
		rc = measure_delay(b, &sites, "no delay", 0, e);
	if (rc == 0)
		rc = measure_delay(b, &sites, "delay of 5 ms", 5000, e);
	if (rc == 0)
		rc = measure_delay(b, &sites, "delay of 50 ms", 50000, e);
	if (rc == 0)
		rc = measure_loss(b, &sites, e);
	return rc;
}
