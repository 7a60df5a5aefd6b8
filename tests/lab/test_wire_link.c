// SPDX-License-Identifier: GPL-2.0-or-later
/* That packets through the wire meet the fates the link model gave them, at the times it gave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/prng.h"
#include "tests/wire_lab.h"

#define PORT    9000
#define SEED    42u
#define PACKETS 2000u

/* A datagram carries its number and when it was sent. */
struct probe {
	uint32_t number;
	uint64_t sent_us;
};

struct path {
	struct wire_lab lab;
	struct link_profile profile;
	int out, in; /* from site 0 to site 1 */
	const struct wire_stats *stats;
};

static int set_up(void **state)
{
	struct path *path = calloc(1, sizeof(*path));

	assert_non_null(path);
	wire_lab_init(&path->lab);
	*state = path;
	return 0;
}

static int tear_down(void **state)
{
	struct path *path = *state;

	(void)close(path->in);
	(void)close(path->out);
	wire_lab_fini(&path->lab);
	free(path);
	return 0;
}

/* Site 0's way up is params; all else is ideal. */
static void start(struct path *path, struct link_params params)
{
	int bytes = 4 * 1024 * 1024;

	path->profile = (struct link_profile){ .hops = 1, .up = params };
	path->lab.links[0] = &path->profile;
	wire_lab_start(&path->lab, SEED, -1);
	path->stats = wire_stats(path->lab.wire);
	path->in = site_socket(&path->lab, 1, SOCK_DGRAM, PORT);
	path->out = site_sender(&path->lab, 0, site_addr(1), PORT);
	(void)setsockopt(path->in, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* What the wire's own link for it will do, in a model of ours. */
static struct link model_of(const struct path *path)
{
	struct link link;

	link_init(&link, &path->profile.up, prng_derive(SEED, 0, 0));
	return link;
}

static uint64_t now_us(void)
{
	return clock_now_us(CLOCK_MONOTONIC);
}

/* Sends probe number, once the wire has all those before. */
static void send_probe(struct path *path, uint32_t number)
{
	assert_true(await_count(&path->stats->received, number, soon_us()));
	struct probe probe = { number, now_us() };
	assert_int_equal(send(path->out, &probe, sizeof(probe), 0), sizeof(probe));
}

/* The next probe that arrives; when is when it was there. */
static struct probe get_probe(struct path *path, uint64_t *ret_when_us)
{
	struct probe probe;

	assert_true(await_readable(path->in, soon_us()));
	assert_int_equal(recv(path->in, &probe, sizeof(probe), 0), sizeof(probe));
	*ret_when_us = now_us();
	return probe;
}

/* The wire is through with all packets sent, and none of them is still to be read. */
static void assert_nothing_more(struct path *path, uint64_t sent)
{
	char byte;

	assert_true(await_count(&path->stats->received, sent, soon_us()));
	assert_true(wire_lab_settles(path->stats));
	assert_int_equal(recv(path->in, &byte, 1, MSG_DONTWAIT), -1);
}

/* ---- chance */

static void wire_loses_exactly_the_packets_the_model_loses(void **state)
{
	struct path *path = *state;
	uint64_t when_us;

	start(path, (struct link_params){ .loss = 0.2 });
	struct link model = model_of(path);
	for (uint32_t i = 0; i < PACKETS; i++) {
		send_probe(path, i);
		if (link_send(&model, i, 100).copies > 0)
			assert_int_equal(get_probe(path, &when_us).number, i);
	}
	assert_nothing_more(path, PACKETS);
	assert_in_range(path->stats->lost, PACKETS / 10, PACKETS * 3 / 10);
}

static void wire_duplicates_exactly_the_packets_the_model_duplicates(void **state)
{
	struct path *path = *state;
	uint64_t when_us;

	start(path, (struct link_params){ .duplicate = 0.2 });
	struct link model = model_of(path);
	for (uint32_t i = 0; i < PACKETS; i++) {
		send_probe(path, i);
		for (unsigned copies = link_send(&model, i, 100).copies; copies > 0; copies--)
			assert_int_equal(get_probe(path, &when_us).number, i);
	}
	assert_nothing_more(path, PACKETS);
	assert_in_range(path->stats->duplicated, PACKETS / 10, PACKETS * 3 / 10);
}

static void wire_applies_the_way_down_too(void **state)
{
	struct path *path = *state;
	struct link_profile all_lost = { .hops = 1, .down = { .loss = 1 } };

	path->lab.links[1] = &all_lost;
	start(path, (struct link_params){ 0 });
	for (uint32_t i = 0; i < 10; i++)
		send_probe(path, i);
	assert_nothing_more(path, 10);
	assert_int_equal(path->stats->lost, 10);
}

/* How many copies of each probe came out. */
struct fates {
	uint8_t copies[PACKETS];
};

/* Reads what is there; returns how many probes that were. */
static uint64_t note_arrived(struct path *path, struct fates *fates)
{
	struct probe probe;
	uint64_t n = 0;

	for (; recv(path->in, &probe, sizeof(probe), MSG_DONTWAIT) > 0; n++) {
		assert_in_range(probe.number, 0, PACKETS - 1);
		fates->copies[probe.number]++;
	}
	return n;
}

static void send_and_note(struct path *path, struct fates *fates)
{
	uint64_t received = path->stats->received, delivered = path->stats->delivered, read = 0;

	*fates = (struct fates){ 0 };
	for (uint32_t i = 0; i < PACKETS; i++) {
		struct probe probe = { i, now_us() };

		assert_int_equal(send(path->out, &probe, sizeof(probe), 0), sizeof(probe));
		assert_true(await_count(&path->stats->received, received + i + 1, soon_us()));
		read += note_arrived(path, fates);
	}
	assert_true(wire_lab_settles(path->stats));
	while (read < path->stats->delivered - delivered) {
		assert_true(await_readable(path->in, soon_us()));
		read += note_arrived(path, fates);
	}
}

/* However many packets the links have seen before. */
static void reseeded_wire_repeats_the_fates_packet_by_packet(void **state)
{
	static struct fates first, other, again;
	struct path *path = *state;
	struct link_profile down = { .hops = 1, .down = { .loss = 0.1 } };
	struct err e = { 0 };

	path->lab.links[1] = &down;
	start(path, (struct link_params){ .loss = 0.2, .duplicate = 0.2 });
	send_and_note(path, &first);
	must(wire_reseed(path->lab.wire, SEED + 1, &e), &e);
	send_and_note(path, &other);
	assert_memory_not_equal(&first, &other, sizeof(first));
	must(wire_reseed(path->lab.wire, SEED, &e), &e);
	send_and_note(path, &again);
	assert_memory_equal(&first, &again, sizeof(first));
}

/* What waits on the links, and what the wire has not even read, being stopped. */
static void reseed_drops_what_is_under_way(void **state)
{
	struct path *path = *state;
	struct err e = { 0 };
	uint64_t when_us;

	start(path, (struct link_params){ .delay_us = 300000, .rate_bps = 8, .queue_bytes = 100 });
	send_probe(path, 0);
	assert_true(await_count(&path->stats->in_flight, 1, soon_us()));
	assert_return_code(kill(wire_pid(path->lab.wire), SIGSTOP), errno);
	for (uint32_t i = 1; i < 200; i++) {
		struct probe probe = { i, now_us() };

		assert_int_equal(send(path->out, &probe, sizeof(probe), 0), sizeof(probe));
	}
	pid_t waker = fork();
	assert_return_code(waker, errno);
	if (waker == 0) {
		(void)poll(NULL, 0,
			   20); /* until the request is there, too; or before it, as well */
		_exit(kill(wire_pid(path->lab.wire), SIGCONT) == 0 ? 0 : 1);
	}
	must(wire_reseed(path->lab.wire, SEED, &e), &e);
	assert_int_equal(waitpid(waker, NULL, 0), waker);
	assert_int_equal(path->stats->in_flight, 0);
	assert_true(wire_lab_settles(path->stats));
	assert_int_equal(recv(path->in, &when_us, 1, MSG_DONTWAIT), -1);
	/* The sender's queue is empty again, too. */
	uint64_t lost = path->stats->lost, received = path->stats->received;
	struct probe probe = { 200, now_us() };
	assert_int_equal(send(path->out, &probe, sizeof(probe), 0), sizeof(probe));
	assert_true(await_count(&path->stats->received, received + 1, soon_us()));
	assert_true(await_count(&path->stats->in_flight, 1, soon_us()));
	assert_int_equal(path->stats->lost, lost);
}

static void wire_that_is_gone_cannot_be_asked(void **state)
{
	struct path *path = *state;
	struct err e = { 0 };
	uint64_t faults = 7;

	start(path, (struct link_params){ 0 });
	must(wire_faults(path->lab.wire, &faults, &e), &e);
	assert_int_equal(faults, 0);
	assert_return_code(kill(wire_pid(path->lab.wire), SIGKILL), errno);
	assert_int_equal(wire_reseed(path->lab.wire, SEED, &e), -ECHILD);
	assert_string_equal(e.text, "the wire has ended while it was needed");
	faults = 7;
	assert_int_equal(wire_faults(path->lab.wire, &faults, &e), -ECHILD);
	assert_int_equal(faults, 7);
	assert_int_equal(wire_end(path->lab.wire, &e), -ECHILD);
}

/* ---- time */

static void wire_delivers_nothing_before_its_delay(void **state)
{
	struct path *path = *state;
	struct link_profile down = { .hops = 1, .down = { .delay_us = 3000 } };
	uint64_t when_us;

	path->lab.links[1] = &down;
	start(path, (struct link_params){ .delay_us = 5000 });
	for (uint32_t i = 0; i < 50; i++) {
		send_probe(path, i);
		struct probe probe = get_probe(path, &when_us);
		assert_int_equal(probe.number, i);
		assert_true(when_us >= probe.sent_us + 8000);
	}
}

static void wire_keeps_the_order_under_jitter(void **state)
{
	struct path *path = *state;
	uint64_t when_us;

	start(path, (struct link_params){ .delay_us = 3000, .jitter_us = 2500 });
	for (uint32_t i = 0; i < 500; i++)
		send_probe(path, i);
	for (uint32_t i = 0; i < 500; i++) {
		struct probe probe = get_probe(path, &when_us);

		assert_int_equal(probe.number, i);
		assert_true(when_us >= probe.sent_us + 500);
	}
}

static void wire_lets_packets_overtake_one_that_is_held_back(void **state)
{
	struct path *path = *state;
	uint32_t order[20], want[20], count = 0;
	uint64_t when_us;

	start(path, (struct link_params){ .reorder = 0.3, .reorder_us = 200000 });
	struct link model = model_of(path);
	for (uint32_t i = 0; i < 20; i++) {
		send_probe(path, i);
		if (link_send(&model, 0, 100).deliver_us[0] == 0)
			want[count++] = i;
	}
	uint32_t in_time = count;
	assert_in_range(in_time, 5, 18);
	for (uint32_t i = 0; i < 20; i++)
		order[i] = get_probe(path, &when_us).number;
	assert_memory_equal(order, want, in_time * sizeof(order[0]));
	/* Those held back come after, in their own order. */
	for (uint32_t i = in_time + 1; i < 20; i++)
		assert_true(order[i - 1] < order[i]);
	assert_nothing_more(path, 20);
}

static void wire_sends_no_faster_than_the_rate(void **state)
{
	struct path *path = *state;
	uint64_t when_us = 0;
	char data[972] = { 0 }; /* 1000 bytes with its headers: 1 ms at 8 Mbit/s */

	start(path, (struct link_params){ .rate_bps = 8000000, .queue_bytes = 100000 });
	uint64_t start_us = now_us();
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(send(path->out, data, sizeof(data), 0), sizeof(data));
	for (unsigned i = 1; i <= 50; i++) {
		assert_true(await_readable(path->in, soon_us()));
		assert_int_equal(recv(path->in, data, sizeof(data), 0), sizeof(data));
		when_us = now_us();
		assert_true(when_us >= start_us + i * 1000);
	}
	assert_nothing_more(path, 50);
}

static void wire_drops_what_does_not_fit_the_queue(void **state)
{
	struct path *path = *state;
	char data[972] = { 0 };

	/* The link has room for five packets and sends one in a thousand seconds: however long the
	 * hundred take, none of the five has left. */
	start(path, (struct link_params){ .rate_bps = 8, .queue_bytes = 5000 });
	for (unsigned i = 0; i < 100; i++) {
		/* One at a time: while ARP has no answer the kernel keeps some 90 and drops more.
		 */
		assert_true(await_count(&path->stats->received, i, soon_us()));
		assert_int_equal(send(path->out, data, sizeof(data), 0), sizeof(data));
	}
	assert_true(await_count(&path->stats->lost, 95, soon_us()));
	assert_int_equal(path->stats->received, 100);
	assert_int_equal(path->stats->in_flight, 5);
}

/* ---- large packets and much of them */

static void wire_bounds_what_is_under_way(void **state)
{
	static char data[60000];
	struct path *path = *state;
	uint64_t fragments = (sizeof(data) + 8 + 1479) / 1480;

	start(path, (struct link_params){ .delay_us = 60000000 });
	for (uint32_t i = 0; i < 1300 && path->stats->dropped == 0; i++) {
		assert_int_equal(send(path->out, data, sizeof(data), 0), sizeof(data));
		assert_true(await_count(&path->stats->received, (i + 1) * fragments, soon_us()));
	}
	assert_true(path->stats->dropped > 0);
	assert_in_range(path->stats->in_flight * 1514, 60u << 20, 65u << 20);
}

#define STREAM_BYTES (64u << 20)

/* The byte at a place in the stream: no period that packets of any size could hide in. */
static uint8_t stream_byte(uint32_t at)
{
	return (uint8_t)(at * 2654435761u >> 24);
}

static _Noreturn void write_stream(int fd)
{
	static uint8_t part[1 << 16];

	for (uint32_t at = 0; at < STREAM_BYTES; at += (uint32_t)sizeof(part)) {
		for (uint32_t i = 0; i < sizeof(part); i++)
			part[i] = stream_byte(at + i);
		for (size_t done = 0; done < sizeof(part);) {
			ssize_t n = write(fd, part + done, sizeof(part) - done);

			if (n < 0)
				_exit(1);
			done += (size_t)n;
		}
	}
	_exit(0);
}

static uint32_t read_stream(int fd)
{
	static uint8_t part[1 << 18];
	uint32_t at = 0;

	while (await_readable(fd, soon_us())) {
		ssize_t n = read(fd, part, sizeof(part));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++, at++)
			if (part[i] != stream_byte(at))
				return at;
	}
	return at;
}

static void wire_passes_a_stream_whole_and_in_large_packets(void **state)
{
	struct path *path = *state;
	int status = -1;

	start(path, (struct link_params){ .delay_us = 500 });
	int listener = site_socket(&path->lab, 1, SOCK_STREAM, PORT);
	int out = site_socket(&path->lab, 0, SOCK_STREAM, 0);
	struct sockaddr_in to = sockaddr_of(site_addr(1), PORT);
	assert_return_code(listen(listener, 1), errno);
	assert_return_code(connect(out, (struct sockaddr *)&to, sizeof(to)), errno);
	int in = accept(listener, NULL, NULL);
	assert_return_code(in, errno);
	pid_t writer = fork();
	assert_return_code(writer, errno);
	if (writer == 0)
		write_stream(out);
	(void)close(out);
	assert_int_equal(read_stream(in), STREAM_BYTES);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	assert_int_equal(path->stats->unreadable, 0);
	assert_int_equal(path->stats->send_errors, 0);
	/* In segments of 1448 bytes it would be 46,345 packets and their acknowledgements. */
	assert_true(path->stats->received < STREAM_BYTES / 1448 / 2);
	(void)close(in);
	(void)close(listener);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wire_loses_exactly_the_packets_the_model_loses),
		TEST(wire_duplicates_exactly_the_packets_the_model_duplicates),
		TEST(wire_applies_the_way_down_too),
		TEST(reseeded_wire_repeats_the_fates_packet_by_packet),
		TEST(reseed_drops_what_is_under_way),
		TEST(wire_that_is_gone_cannot_be_asked),
		TEST(wire_delivers_nothing_before_its_delay),
		TEST(wire_keeps_the_order_under_jitter),
		TEST(wire_lets_packets_overtake_one_that_is_held_back),
		TEST(wire_sends_no_faster_than_the_rate),
		TEST(wire_drops_what_does_not_fit_the_queue),
		TEST(wire_bounds_what_is_under_way),
		TEST(wire_passes_a_stream_whole_and_in_large_packets),
	};

	become_lab_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
