// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The wire against the kernel's own routing between the same two namespaces, in one run: small
 * packets a second and TCP throughput, in turns, the median of each. Then how exactly the wire
 * keeps the delay and the loss it was told. The figures are for two cores.
 */
#include <assert.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/wire_lab.h"

#define PORT          9000
#define ROUNDS        5u
#define ROUND_US      400000u
#define BATCH         64u
#define PAYLOAD_BYTES 18u /* makes the smallest Ethernet frame, of 64 bytes with its checksum */
#define DELAY_PACKETS 400u
#define LOSS_PACKETS  50000u
#define LOSS          0.05

static uint64_t now_us(void)
{
	return clock_now_us(CLOCK_MONOTONIC);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(double *values, size_t count, double p)
{
	qsort(values, count, sizeof(*values), compare_doubles);
	return values[(size_t)(p * (double)(count - 1))];
}

static void enlarge_buffer(int fd)
{
	int bytes = 32 * 1024 * 1024;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static void connect_to(int fd, unsigned site)
{
	struct sockaddr_in to = sockaddr_of(site_addr(site), PORT);
	int r = connect(fd, (struct sockaddr *)&to, sizeof(to));

	assert(r == 0);
}

/* ---- small packets */

static void flood(int fd, uint64_t until_us)
{
	char payload[PAYLOAD_BYTES] = { 0 };
	struct iovec iov = { payload, sizeof(payload) };
	struct mmsghdr messages[BATCH];

	for (unsigned i = 0; i < BATCH; i++)
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	while (now_us() < until_us)
		(void)sendmmsg(fd, messages, BATCH, 0);
}

static uint64_t drain(int fd, uint64_t until_us)
{
	static char payloads[BATCH][PAYLOAD_BYTES];
	struct mmsghdr messages[BATCH];
	struct iovec iovs[BATCH];
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint64_t packets = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		iovs[i] = (struct iovec){ payloads[i], PAYLOAD_BYTES };
		messages[i] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &iovs[i], .msg_iovlen = 1 } };
	}
	while (now_us() < until_us) {
		int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);

		if (n > 0)
			packets += (unsigned)n;
		else
			(void)poll(&ready, 1, 1);
	}
	return packets;
}

static pid_t start_sender(void (*fn)(int fd, uint64_t until_us), int fd, uint64_t until_us)
{
	pid_t pid = fork();

	assert(pid >= 0);
	if (pid == 0) {
		fn(fd, until_us);
		_exit(0);
	}
	return pid;
}

static double small_packets_per_s(struct wire_lab *lab)
{
	int in = site_socket(lab, 1, SOCK_DGRAM, PORT), out = site_socket(lab, 0, SOCK_DGRAM, 0);
	uint64_t until_us = now_us() + ROUND_US;

	enlarge_buffer(in);
	connect_to(out, 1);
	pid_t sender = start_sender(flood, out, until_us);
	uint64_t packets = drain(in, until_us);
	(void)waitpid(sender, NULL, 0);
	(void)close(in);
	(void)close(out);
	return (double)packets * 1e6 / ROUND_US;
}

/* ---- TCP */

static void pump(int fd, uint64_t until_us)
{
	static char data[256 * 1024];

	while (now_us() < until_us)
		if (write(fd, data, sizeof(data)) < 0)
			break;
}

static double tcp_bits_per_s(struct wire_lab *lab)
{
	static char data[256 * 1024];
	int listener = site_socket(lab, 1, SOCK_STREAM, PORT);
	int out = site_socket(lab, 0, SOCK_STREAM, 0), r = listen(listener, 1);

	assert(r == 0);
	connect_to(out, 1);
	int in = accept(listener, NULL, NULL);
	assert(in >= 0);
	uint64_t start_us = now_us(), bytes = 0;
	pid_t sender = start_sender(pump, out, start_us + ROUND_US);
	(void)close(out);
	for (ssize_t n; (n = read(in, data, sizeof(data))) > 0;)
		bytes += (uint64_t)n;
	double seconds = (double)(now_us() - start_us) / 1e6;
	(void)waitpid(sender, NULL, 0);
	struct linger reset = { 1, 0 };
	(void)setsockopt(in, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(in);
	(void)close(listener);
	return (double)bytes * 8 / seconds;
}

static void print_against_kernel(struct wire_lab *lab, const char *what, const char *unit,
				 double scale, double (*measure)(struct wire_lab *lab))
{
	double kernel[ROUNDS], wire[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		wire_lab_kernel_forwards(lab, true);
		kernel[i] = measure(lab);
		wire_lab_kernel_forwards(lab, false);
		wire_lab_start(lab, 1, -1);
		wire[i] = measure(lab);
		wire_lab_stop(lab);
	}
	double k = percentile(kernel, ROUNDS, 0.5), w = percentile(wire, ROUNDS, 0.5);
	(void)printf("%-28s wire %8.1f   kernel %8.1f %-8s ratio %.2f\n", what, w * scale,
		     k * scale, unit, w / k);
}

/* ---- delay */

static uint64_t stamp_ns(struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct timespec t;

	assert(c != NULL && c->cmsg_type == SCM_TIMESTAMPNS);
	memcpy(&t, CMSG_DATA(c), sizeof(t));
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Reads one packet if there is one, and puts down how late it is. */
static bool take_delay(int fd, uint64_t delay_us, double *ret_error_us)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
	struct timespec sent;
	struct iovec iov = { &sent, sizeof(sent) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &m, MSG_DONTWAIT) != (ssize_t)sizeof(sent))
		return false;
	uint64_t sent_ns = (uint64_t)sent.tv_sec * 1000000000u + (uint64_t)sent.tv_nsec;
	*ret_error_us = ((double)stamp_ns(&m) - (double)sent_ns) / 1e3 - (double)delay_us;
	return true;
}

/* Sends a packet every millisecond or so, whatever is still under way. */
static size_t measure_delays(int out, int in, uint64_t delay_us, double errors_us[DELAY_PACKETS])
{
	struct pollfd ready = { .fd = in, .events = POLLIN };
	uint64_t next_us = now_us(),
		 deadline_us = next_us + DELAY_PACKETS * 1000 + 2 * delay_us + 1000000;
	size_t sent = 0, got = 0;

	while (got < DELAY_PACKETS && now_us() < deadline_us) {
		if (sent < DELAY_PACKETS && now_us() >= next_us) {
			struct timespec t;

			(void)clock_gettime(CLOCK_REALTIME, &t);
			(void)send(out, &t, sizeof(t), 0);
			next_us += 1000 + sent % 7 * 37; /* out of step with the timer tick */
			sent++;
		}
		while (got < sent && take_delay(in, delay_us, &errors_us[got]))
			got++;
		(void)poll(&ready, 1, 1);
	}
	return got;
}

static void print_delay(struct wire_lab *lab, uint64_t delay_us)
{
	static double errors_us[DELAY_PACKETS];
	struct link_profile slow = { .hops = 1, .up = { .delay_us = delay_us } };
	int on = 1;

	lab->links[0] = &slow;
	wire_lab_start(lab, 1, -1);
	int in = site_socket(lab, 1, SOCK_DGRAM, PORT), out = site_socket(lab, 0, SOCK_DGRAM, 0);
	(void)setsockopt(in, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	connect_to(out, 1);
	size_t got = measure_delays(out, in, delay_us, errors_us);
	(void)close(in);
	(void)close(out);
	wire_lab_stop(lab);
	lab->links[0] = NULL;
	assert(got > 0);
	(void)printf(
		"delay of %2u ms                error p50 %6.1f us   p99 %6.1f us   (%zu packets)\n",
		(unsigned)(delay_us / 1000), percentile(errors_us, got, 0.5),
		percentile(errors_us, got, 0.99), got);
}

/* ---- loss */

/* Waits until the wire is through with count packets. */
static void await_received(const struct wire_stats *stats, uint64_t count)
{
	uint64_t deadline_us = now_us() + 5000000;

	while (atomic_load(&stats->received) < count && now_us() < deadline_us)
		(void)sched_yield();
}

static void print_loss(struct wire_lab *lab)
{
	struct link_profile lossy = { .hops = 1, .up = { .loss = LOSS } };
	char payload[PAYLOAD_BYTES] = { 0 };

	lab->links[0] = &lossy;
	wire_lab_start(lab, 1, -1);
	const struct wire_stats *stats = wire_stats(lab->wire);
	int in = site_socket(lab, 1, SOCK_DGRAM, PORT), out = site_socket(lab, 0, SOCK_DGRAM, 0);
	connect_to(out, 1);
	for (unsigned i = 1; i <= LOSS_PACKETS; i++) {
		(void)send(out, payload, sizeof(payload), 0);
		if (i % BATCH == 0)
			await_received(stats, i);
	}
	await_received(stats, LOSS_PACKETS);
	double rate = (double)atomic_load(&stats->lost) / (double)atomic_load(&stats->received);
	double sigma = sqrt(LOSS * (1 - LOSS) / LOSS_PACKETS);
	(void)printf(
		"loss of %.1f %%               error %+.3f points, %.1f standard deviations (%u packets)\n",
		LOSS * 100, (rate - LOSS) * 100, fabs(rate - LOSS) / sigma, LOSS_PACKETS);
	(void)close(in);
	(void)close(out);
	wire_lab_stop(lab);
	lab->links[0] = NULL;
}

int main(void)
{
	struct wire_lab lab;

	become_lab_root();
	wire_lab_init(&lab);
	print_against_kernel(&lab, "UDP, 18 bytes of payload", "kpkt/s", 1e-3, small_packets_per_s);
	print_against_kernel(&lab, "TCP, one stream", "Gbit/s", 1e-9, tcp_bits_per_s);
	print_delay(&lab, 0);
	print_delay(&lab, 5000);
	print_delay(&lab, 50000);
	print_loss(&lab);
	wire_lab_fini(&lab);
	return 0;
}
