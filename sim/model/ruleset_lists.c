// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/ruleset_lists.h"

/* How many elements of a map stand on a line. */
#define ELEMENTS_A_LINE 8u

/* Ports whose last byte is the same. */
#define ROWS 256u

struct list {
	struct buf *out;
	unsigned count;
};

static struct list list_begin(struct buf *out)
{
	buf_puts(out, "{");
	return (struct list){ .out = out };
}

static void list_next(struct list *l)
{
	buf_puts(l->out, l->count++ % ELEMENTS_A_LINE == 0 ? "\n\t" : " ");
}

static void list_end(struct list *l)
{
	buf_puts(l->out, "\n}");
}

void ruleset_list_sequence(const struct ruleset_part *part, struct buf *out)
{
	const struct nat_model *m = part->model;
	struct list l = list_begin(out);
	int start = m->ports.step > 0 ? m->ports.first : m->ports.last;

	for (unsigned i = 0; i < ruleset_sequence(m); i++) {
		list_next(&l);
		buf_printf(out, "%u : %d,", i + 1, start + (int)i * m->ports.step);
	}
	list_end(&l);
}

unsigned ruleset_list_parity(const struct nat_model *m, unsigned odd)
{
	unsigned shift = 1 - odd;

	return (m->ports.last + 1u + shift) / 2 - (m->ports.first + shift) / 2;
}

static void put_parity(const struct nat_model *m, unsigned odd, struct buf *out)
{
	struct list l = list_begin(out);
	unsigned n = 0;

	for (unsigned port = m->ports.first; port <= m->ports.last; port++) {
		if (port % 2 != odd)
			continue;
		list_next(&l);
		buf_printf(out, "%u : %u,", n++, port);
	}
	list_end(&l);
}

void ruleset_list_even_ports(const struct ruleset_part *part, struct buf *out)
{
	put_parity(part->model, 0, out);
}

void ruleset_list_odd_ports(const struct ruleset_part *part, struct buf *out)
{
	put_parity(part->model, 1, out);
}

/* Subscribers with higher addresses than the last block's get nothing. */
void ruleset_list_blocks(const struct ruleset_part *part, struct buf *out)
{
	const struct nat_model *m = part->model;
	struct list l = list_begin(out);

	for (unsigned i = 0; i < ruleset_blocks(m); i++) {
		unsigned first = m->ports.first + i * m->ports.block;

		list_next(&l);
		buf_printf(out, "$HOST_%u : $ADDRESS . %u-%u,", RULESET_FIRST_HOST + i, first,
			   first + m->ports.block - 1);
	}
	list_end(&l);
}

/* Between the outside and the inside endpoint stands link. */
static void list_forwards(const struct ruleset_part *part, const char *link, struct buf *out)
{
	const struct nat_model *m = part->model;
	struct list l = list_begin(out);

	for (unsigned i = 0; i < m->forwards_count; i++) {
		const struct nat_forward *f = &m->forwards[i];

		list_next(&l);
		buf_printf(out, "%s . %u %s $HOST_%u . %u,", nat_transport_name(f->transport),
			   f->port, link, f->host, f->host_port);
	}
	list_end(&l);
}

void ruleset_list_forwards(const struct ruleset_part *part, struct buf *out)
{
	list_forwards(part, ":", out);
}

void ruleset_list_forwarded_to(const struct ruleset_part *part, struct buf *out)
{
	list_forwards(part, ".", out);
}

/* ---- a long sequence */

/* The counter of the ports with one last byte. To the machine they are that byte's 256-fold plus
 * their first byte. */
static void put_row(const struct nat_model *m, unsigned i, struct buf *out)
{
	unsigned port = m->ports.first + i;
	unsigned count = (m->ports.last - port) / ROWS + 1;

	buf_printf(out,
		   "\tchain row_%u {\n\t\tupdate @port_at { ct mark : "
		   "numgen inc mod %u offset %u }\n\t}\n",
		   i, count, (port & 0xff) * ROWS + (port >> 8));
}

void ruleset_list_rows(const struct ruleset_part *part, struct buf *out)
{
	for (unsigned i = 0; i < ROWS; i++)
		put_row(part->model, i, out);
}

/* The first place in the sequence is 1. */
void ruleset_list_row_of(const struct ruleset_part *part, struct buf *out)
{
	(void)part;
	buf_puts(out, "{");
	for (unsigned i = 0; i < ROWS; i++)
		buf_printf(out, "%s%u : jump row_%u", i == 0 ? " " : ", ", (i + 1) % ROWS, i);
	buf_puts(out, " }");
}
