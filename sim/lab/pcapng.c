// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/pcapng.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The numbers are those of draft-ietf-opsawg-pcapng. */
#define BLOCK_SECTION     0x0a0d0d0au
#define BLOCK_INTERFACE   1u
#define BLOCK_PACKET      6u
#define BYTE_ORDER_MAGIC  0x1a2b3c4du
#define LINKTYPE_ETHERNET 1u
#define OPT_END           0u
#define OPT_COMMENT       1u
#define OPT_EPB_FLAGS     2u
#define OPT_IF_NAME       2u
#define OPT_SHB_USERAPPL  4u
#define OPT_IF_TSRESOL    9u

/* Large enough that a busy wire seldom waits for the disk. */
#define FLUSH_BYTES (256u * 1024u)

static void add32(struct buf *b, uint32_t value)
{
	buf_add(b, &value, sizeof(value));
}

static void add16(struct buf *b, uint16_t value)
{
	buf_add(b, &value, sizeof(value));
}

static void add_padded(struct buf *b, const void *data, size_t len)
{
	static const uint8_t zeroes[4] = { 0 };

	buf_add(b, data, len);
	buf_add(b, zeroes, (4 - len % 4) % 4);
}

static void add_option(struct buf *b, uint16_t code, const void *data, size_t len)
{
	add16(b, code);
	add16(b, (uint16_t)len);
	add_padded(b, data, len);
}

/* Returns where the block's length is to be put once it is known. */
static size_t begin_block(struct buf *b, uint32_t type)
{
	add32(b, type);
	add32(b, 0);
	return b->len - 4;
}

static void end_block(struct buf *b, size_t length_at)
{
	uint32_t length = (uint32_t)(b->len + 4 - (length_at - 4));

	memcpy(b->data + length_at, &length, sizeof(length));
	add32(b, length);
}

void pcapng_init(struct pcapng *p, int fd)
{
	static const char who[] = "natsim";

	*p = (struct pcapng){ .fd = fd };
	struct buf *b = &p->out;
	size_t block = begin_block(b, BLOCK_SECTION);
	add32(b, BYTE_ORDER_MAGIC);
	add16(b, 1); /* version 1.0 */
	add16(b, 0);
	add32(b, UINT32_MAX); /* the section's length is not known */
	add32(b, UINT32_MAX);
	add_option(b, OPT_SHB_USERAPPL, who, strlen(who));
	add_option(b, OPT_END, NULL, 0);
	end_block(b, block);
}

void pcapng_fini(struct pcapng *p)
{
	buf_fini(&p->out);
}

void pcapng_interface(struct pcapng *p, const char *name)
{
	static const uint8_t nanoseconds = 9; /* 10^-9 s */
	struct buf *b = &p->out;
	size_t block = begin_block(b, BLOCK_INTERFACE);

	add16(b, LINKTYPE_ETHERNET);
	add16(b, 0);
	add32(b, 0); /* no limit on a packet's length */
	add_option(b, OPT_IF_NAME, name, strlen(name));
	add_option(b, OPT_IF_TSRESOL, &nanoseconds, sizeof(nanoseconds));
	add_option(b, OPT_END, NULL, 0);
	end_block(b, block);
}

void pcapng_packet(struct pcapng *p, const struct pcapng_packet *packet)
{
	struct buf *b = &p->out;
	uint32_t flags = packet->direction;

	if (p->failed < 0)
		return;
	size_t block = begin_block(b, BLOCK_PACKET);
	add32(b, packet->interface);
	add32(b, (uint32_t)(packet->time_ns >> 32));
	add32(b, (uint32_t)packet->time_ns);
	add32(b, (uint32_t)packet->len);
	add32(b, (uint32_t)packet->len);
	add_padded(b, packet->data, packet->len);
	add_option(b, OPT_EPB_FLAGS, &flags, sizeof(flags));
	if (packet->comment != NULL)
		add_option(b, OPT_COMMENT, packet->comment, strlen(packet->comment));
	add_option(b, OPT_END, NULL, 0);
	end_block(b, block);
	if (b->len >= FLUSH_BYTES)
		(void)pcapng_flush(p);
}

int pcapng_flush(struct pcapng *p)
{
	size_t done = 0;

	while (p->failed == 0 && done < p->out.len) {
		ssize_t n = write(p->fd, p->out.data + done, p->out.len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			p->failed = -errno;
	}
	buf_clear(&p->out);
	return p->failed;
}
