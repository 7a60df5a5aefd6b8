// SPDX-License-Identifier: GPL-2.0-or-later
/* That others can read what the wire writes: pcapng, through tshark. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "tests/wire_lab.h"

#define PORT 9000

struct capture {
	struct wire_lab lab;
	int listener; /* site 1 listens, or its kernel would send ICMP errors */
	char path[32];
	int fd;
};

static int set_up(void **state)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	assert_non_null(capture);
	(void)snprintf(capture->path, sizeof(capture->path), "/tmp/test_wire.XXXXXX");
	capture->fd = mkstemp(capture->path);
	assert_return_code(capture->fd, errno);
	wire_lab_init(&capture->lab);
	capture->listener = site_socket(&capture->lab, 1, SOCK_DGRAM, PORT);
	*state = capture;
	return 0;
}

static int tear_down(void **state)
{
	struct capture *capture = *state;

	(void)close(capture->listener);
	wire_lab_fini(&capture->lab);
	(void)close(capture->fd);
	(void)unlink(capture->path);
	free(capture);
	return 0;
}

static void need_tshark(void)
{
	if (system("command -v tshark >/dev/null 2>&1") == 0)
		return;
	if (getenv("MUST_RUN") != NULL)
		fail_msg("tshark is not installed");
	print_message("tshark is not installed\n");
	skip();
}

/* What tshark makes of the file, with these options and none of the user's own; it must not
 * complain. */
static void read_with_tshark(const struct capture *capture, const char *options, struct buf *ret)
{
	char command[512], part[4096];

	(void)snprintf(
		command, sizeof(command),
		"HOME=/nonexistent tshark -r %s -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE "
		"-o ip.check_checksum:TRUE %s 2>/dev/null",
		capture->path, options);
	FILE *out = popen(command, "r");
	assert_non_null(out);
	for (size_t n; (n = fread(part, 1, sizeof(part), out)) > 0;)
		buf_add(ret, part, n);
	assert_int_equal(pclose(out), 0);
}

/* Sends a datagram and waits until the wire is through with it. */
static void send_from(const struct capture *capture, unsigned site, uint32_t to, int ttl)
{
	const struct wire_stats *stats = wire_stats(capture->lab.wire);
	uint64_t received = stats->received;
	int out = site_sender(&capture->lab, site, to, PORT);

	assert_return_code(setsockopt(out, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)), errno);
	assert_int_equal(send(out, "hello", 5, 0), 5);
	assert_true(await_count(&stats->received, received + 1, soon_us()));
	assert_true(wire_lab_settles(stats));
	(void)close(out);
}

#define FIELDS                                                              \
	"-T fields -E separator=/s -E quote=n -e frame.interface_name "     \
	"-e frame.packet_flags_direction -e ip.src -e ip.ttl -e icmp.type " \
	"-e frame.comment -Y 'ip.src != 0.0.0.0' "

static void capture_tells_what_became_of_each_packet(void **state)
{
	static const char want[] =
		"site0 0x00000001 10.9.0.2 64  \n" /* in, and out */
		"site1 0x00000002 10.9.0.2 63  \n"
		"site0 0x00000001 10.9.0.2 1  \n" /* expires, and is answered */
		"site0 0x00000000 10.9.0.2 1  the TTL has expired\n"
		"site0 0x00000002 10.9.0.1,10.9.0.2 64,1 11 \n"
		"site0 0x00000001 10.9.0.2 64  \n" /* has no route, and is answered */
		"site0 0x00000000 10.9.0.2 64  no route\n"
		"site0 0x00000002 10.9.0.1,10.9.0.2 64,64 3 \n"
		"site2 0x00000001 10.9.2.2 64  \n" /* is lost on its way up */
		"site2 0x00000000 10.9.2.2 64  lost on the link\n";
	struct capture *capture = *state;
	struct link_profile lossy = { .hops = 1, .up = { .loss = 1 } };
	CLEANUP(buf) struct buf got = BUF_INIT;

	need_tshark();
	capture->lab.links[2] = &lossy;
	wire_lab_start(&capture->lab, 1, capture->fd);
	send_from(capture, 0, site_addr(1), 64);
	send_from(capture, 0, site_addr(1), 1);
	send_from(capture, 0, 192u << 24 | 2u << 8 | 1u, 64);
	send_from(capture, 2, site_addr(1), 64);
	wire_lab_stop(&capture->lab);
	read_with_tshark(capture, FIELDS, &got);
	assert_string_equal(buf_text(&got), want);
}

static void run_stream(const struct capture *capture, size_t bytes)
{
	static char data[65536];
	int listener = site_socket(&capture->lab, 1, SOCK_STREAM, PORT);
	int out = site_socket(&capture->lab, 0, SOCK_STREAM, 0);
	struct sockaddr_in to = sockaddr_of(site_addr(1), PORT);

	assert_return_code(listen(listener, 1), errno);
	assert_return_code(connect(out, (struct sockaddr *)&to, sizeof(to)), errno);
	int in = accept(listener, NULL, NULL);
	assert_return_code(in, errno);
	for (size_t sent = 0; sent < bytes; sent += sizeof(data)) {
		assert_int_equal(write(out, data, sizeof(data)), sizeof(data));
		for (size_t got = 0; got < sizeof(data);) {
			ssize_t n = read(in, data, sizeof(data));

			assert_true(n > 0);
			got += (size_t)n;
		}
	}
	(void)close(in);
	(void)close(out);
	(void)close(listener);
}

/* Unfinished checksums and GSO packets are finished for the reader. */
static void capture_holds_only_sound_checksums(void **state)
{
	struct capture *capture = *state;
	CLEANUP(buf) struct buf bad = BUF_INIT;
	CLEANUP(buf) struct buf good = BUF_INIT;

	need_tshark();
	wire_lab_start(&capture->lab, 1, capture->fd);
	send_from(capture, 0, site_addr(1), 64);
	run_stream(capture, 1 << 20);
	wire_lab_stop(&capture->lab);
	read_with_tshark(capture,
			 "-Y 'ip.checksum.status != 1 or udp.checksum.status == 0 or "
			 "tcp.checksum.status == 0 or _ws.malformed'",
			 &bad);
	assert_string_equal(buf_text(&bad), "");
	read_with_tshark(capture, "-Y 'tcp.checksum.status == 1 and tcp.len > 1448'", &good);
	assert_true(good.len > 0);
}

static off_t size_of(int fd)
{
	struct stat s;

	assert_return_code(fstat(fd, &s), errno);
	return s.st_size;
}

static bool await_size(int fd, off_t size)
{
	uint64_t deadline_us = soon_us();

	while (size_of(fd) < size && clock_now_us(CLOCK_MONOTONIC) < deadline_us)
		(void)sched_yield();
	return size_of(fd) >= size;
}

static void capture_can_be_read_when_the_wire_was_killed(void **state)
{
	struct capture *capture = *state;
	CLEANUP(buf) struct buf got = BUF_INIT;

	need_tshark();
	wire_lab_start(&capture->lab, 1, capture->fd);
	/* What there is is written as soon as the wire is idle: the headers, then the frame of 47
	 * bytes twice. */
	assert_true(await_size(capture->fd, 1));
	off_t headers = size_of(capture->fd);
	send_from(capture, 0, site_addr(1), 64);
	assert_true(await_size(capture->fd, headers + 2 * 47));
	assert_return_code(kill(wire_pid(capture->lab.wire), SIGKILL), errno);
	wire_lab_stop(&capture->lab);
	read_with_tshark(capture, "-Y 'udp.dstport == 9000' -T fields -e ip.ttl", &got);
	assert_string_equal(buf_text(&got), "64\n63\n");
}

static void capture_that_cannot_be_written_is_noticed(void **state)
{
	struct capture *capture = *state;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_return_code(full, errno);
	wire_lab_start(&capture->lab, 1, full);
	const struct wire_stats *stats = wire_stats(capture->lab.wire);
	send_from(capture, 0, site_addr(1), 64);
	assert_true(await_count(&stats->capture_failed, ENOSPC, soon_us()));
	/* It goes on forwarding. */
	send_from(capture, 0, site_addr(1), 64);
	assert_int_equal(stats->delivered, 2);
	(void)close(full);
}

/* Nothing but its end tells of a write that comes last. */
static void wire_end_tells_of_a_capture_that_is_not_whole(void **state)
{
	struct capture *capture = *state;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct err e = { 0 };

	assert_return_code(full, errno);
	wire_lab_start(&capture->lab, 1, full);
	assert_int_equal(wire_end(capture->lab.wire, &e), -ENOSPC);
	assert_non_null(strstr(e.text, "No space left on device"));
	wire_lab_stop(&capture->lab);
	(void)close(full);
	wire_lab_start(&capture->lab, 1, capture->fd);
	must(wire_end(capture->lab.wire, &e), &e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(capture_tells_what_became_of_each_packet),
		TEST(capture_holds_only_sound_checksums),
		TEST(capture_can_be_read_when_the_wire_was_killed),
		TEST(capture_that_cannot_be_written_is_noticed),
		TEST(wire_end_tells_of_a_capture_that_is_not_whole),
	};

	become_lab_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
