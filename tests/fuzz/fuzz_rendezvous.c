// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An input is a play: a byte says what happens next to a rendezvous (a datagram, bytes on a
 * connection, time passing ...), and some more say how. Whatever is played, what the rendezvous
 * does must be possible and harmless: it writes whole messages that are no requests, sends
 * datagrams only to addresses it has heard from, uses only connections that are there, connects
 * only to where a connection came from, and relays no more than it gets, to nobody who did not show
 * the ticket that was sent there.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prng.h"
#include "peers/core/rendezvous.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum scene {
	SCENE_DATAGRAM,
	SCENE_DATA,
	SCENE_ACCEPT,
	SCENE_CLOSE,
	SCENE_WAIT,
	SCENE_CROWD,
	SCENE_RELAY
};
#define SCENES 7u

#define CLIENTS     16u
#define CLIENT_ADDR 0xc6336400u /* 198.51.100.0 */
#define SOCKETS_MAX 4096u
#define TICKETS     16u

/* The tickets that were told last, and which of them was shown from where it was told. */
struct tickets {
	uint64_t list[TICKETS];
	bool shown[TICKETS];
	uint32_t sockets[TICKETS]; /* of the server, on which they were told */
	uint32_t told;
};

/* The world around the rendezvous. */
struct world {
	struct rendezvous r;
	struct actions out;
	uint64_t now_us, wake_us;
	bool heard[CLIENTS];                 /* over UDP */
	struct tickets tickets[CLIENTS + 1]; /* of each client over UDP, of all over TCP */
	size_t got;                          /* bytes, with this event */
	uint32_t accepted;                   /* connections so far */
	bool open[SOCKETS_MAX];
	bool back[RENDEZVOUS_BACKS_MAX];
	uint32_t open_count;
};

/* What is left of the input; reads zeros behind its end. */
struct play {
	const uint8_t *data;
	size_t len;
};

static uint8_t take_byte(struct play *p)
{
	if (p->len == 0)
		return 0;
	p->len--;
	return *p->data++;
}

static struct endpoint client(unsigned i)
{
	return (struct endpoint){ CLIENT_ADDR + i % CLIENTS, (uint16_t)(1000 + i % CLIENTS) };
}

/* The number of the ticket that m shows, or TICKETS if it is none of those. */
static unsigned find_ticket(const struct tickets *t, const struct stun_message *m)
{
	uint64_t ticket;
	unsigned i = 0;

	if (!stun_get_u64(m, STUN_TICKET, &ticket))
		return TICKETS;
	while (i < TICKETS && t->list[i] != ticket)
		i++;
	return i;
}

static void keep_ticket(struct tickets *t, uint32_t socket, const struct stun_message *m)
{
	unsigned i = t->told % TICKETS;

	if (find_ticket(t, m) < TICKETS || !stun_get_u64(m, STUN_TICKET, &t->list[i]))
		return;
	t->shown[i] = false;
	t->sockets[i] = socket;
	t->told++;
}

static void show_ticket(struct world *w, const struct event *event)
{
	struct stun_message m;

	if (event->kind != EVENT_DATAGRAM || !stun_read(event->data, event->len, &m))
		return;
	struct tickets *t = &w->tickets[event->remote.addr - CLIENT_ADDR];
	unsigned i = find_ticket(t, &m);
	if (i < TICKETS)
		t->shown[i] = true;
}

static void check_relayed(const struct world *w, const struct action *a,
			  const struct stun_message *m)
{
	assert(m->class == STUN_INDICATION && a->len <= w->got);
	if (a->kind == ACTION_TCP_SEND)
		return;
	const struct tickets *t = &w->tickets[a->remote.addr - CLIENT_ADDR];
	unsigned i = find_ticket(t, m);
	assert(i == TICKETS ? t->told > TICKETS : t->shown[i]);
}

static void check_message(struct world *w, const struct action *a)
{
	const struct actions *out = &w->out;
	struct stun_message m;

	assert(a->len <= STUN_MESSAGE_MAX);
	assert(stun_read(out->bytes + a->at, a->len, &m));
	assert(m.class != STUN_REQUEST);
	if (m.method == STUN_RELAY)
		check_relayed(w, a, &m);
	else
		keep_ticket(&w->tickets[a->kind == ACTION_UDP_SEND ? a->remote.addr - CLIENT_ADDR
								   : CLIENTS],
			    a->socket, &m);
}

static bool *connection(struct world *w, uint32_t socket)
{
	assert(socket >= SOCKET_ACCEPTED && socket < SOCKET_ACCEPTED + SOCKETS_MAX);
	return &w->open[socket - SOCKET_ACCEPTED];
}

static void check_end(struct world *w, uint32_t socket)
{
	if (socket >= RENDEZVOUS_BACK && socket < RENDEZVOUS_BACK + RENDEZVOUS_BACKS_MAX) {
		assert(w->back[socket - RENDEZVOUS_BACK]);
		w->back[socket - RENDEZVOUS_BACK] = false;
		return;
	}
	assert(*connection(w, socket));
	*connection(w, socket) = false;
	w->open_count--;
}

static void check_action(struct world *w, const struct action *a)
{
	switch (a->kind) {
	case ACTION_UDP_SEND:
		assert(a->socket < RENDEZVOUS_LISTENER);
		assert(a->remote.port != 0 && a->remote.addr - CLIENT_ADDR < CLIENTS);
		assert(w->heard[a->remote.addr - CLIENT_ADDR]);
		check_message(w, a);
		break;
	case ACTION_TCP_SEND:
		assert(*connection(w, a->socket));
		check_message(w, a);
		break;
	case ACTION_TCP_CONNECT:
		assert(a->socket >= RENDEZVOUS_BACK);
		assert(a->socket < RENDEZVOUS_BACK + RENDEZVOUS_BACKS_MAX);
		assert(!w->back[a->socket - RENDEZVOUS_BACK]);
		assert(endpoint_equal(a->remote, client(a->remote.addr - CLIENT_ADDR)));
		w->back[a->socket - RENDEZVOUS_BACK] = true;
		break;
	case ACTION_CLOSE:
	case ACTION_ABORT:
		check_end(w, a->socket);
		break;
	default:
		abort();
	}
}

static void step(struct world *w, const struct event *event)
{
	w->out.count = 0;
	w->out.used = 0;
	w->got = event->len;
	show_ticket(w, event);
	w->wake_us = rendezvous_step(&w->r, w->now_us, event, &w->out);
	assert(w->wake_us >= w->now_us);
	for (size_t i = 0; i < w->out.count; i++)
		check_action(w, &w->out.items[i]);
	assert(w->open_count <= CONNECTIONS_MAX);
}

static void accept_one(struct world *w, unsigned who)
{
	if (w->accepted == SOCKETS_MAX)
		return;
	uint32_t socket = SOCKET_ACCEPTED + w->accepted++;
	*connection(w, socket) = true;
	w->open_count++;
	step(w, &(struct event){ .kind = EVENT_ACCEPTED,
				 .socket = socket,
				 .listener = RENDEZVOUS_LISTENER + who % 4,
				 .remote = client(who) });
}

/* A length of two bytes, then as many; what is not there is not sent. */
static void send_bytes(struct world *w, struct play *p, struct event event)
{
	size_t len = (size_t)take_byte(p) << 8;

	len |= take_byte(p);
	event.data = p->data;
	event.len = len < p->len ? len : p->len;
	p->data += event.len;
	p->len -= event.len;
	step(w, &event);
}

static void play_datagram(struct world *w, struct play *p)
{
	unsigned who = take_byte(p) % CLIENTS;

	w->heard[who] = true;
	send_bytes(w, p,
		   (struct event){ .kind = EVENT_DATAGRAM,
				   .socket = take_byte(p) % 4,
				   .remote = client(who) });
}

static void play_data(struct world *w, struct play *p)
{
	uint32_t socket = SOCKET_ACCEPTED + take_byte(p) % (w->accepted + 1);

	if (socket - SOCKET_ACCEPTED < SOCKETS_MAX && *connection(w, socket))
		send_bytes(w, p, (struct event){ .kind = EVENT_DATA, .socket = socket });
}

static void play_close(struct world *w, struct play *p)
{
	uint8_t which = take_byte(p);
	uint32_t socket = SOCKET_ACCEPTED + which % (w->accepted + 1);
	struct event event = { .kind = which % 2 == 0 ? EVENT_CLOSED : EVENT_CONNECTED,
			       .socket = RENDEZVOUS_BACK + which % RENDEZVOUS_BACKS_MAX,
			       .error = 1 };

	if (socket - SOCKET_ACCEPTED < SOCKETS_MAX && *connection(w, socket)) {
		*connection(w, socket) = false;
		w->open_count--;
		step(w, &(struct event){ .kind = EVENT_CLOSED, .socket = socket });
	}
	if (w->back[which % RENDEZVOUS_BACKS_MAX]) {
		w->back[which % RENDEZVOUS_BACKS_MAX] = event.kind == EVENT_CONNECTED;
		step(w, &event);
	}
}

/* From somewhere, with a ticket of somebody, its own or another's, that was told there or not. */
static void play_relay(struct world *w, struct play *p)
{
	static const uint8_t zeros[STUN_DATA_MAX];
	struct stun_id id = stun_id_make((const uint8_t *)"transaction!");
	uint8_t from = take_byte(p), owner = take_byte(p) % (CLIENTS + 1), which = take_byte(p);
	const struct tickets *t = &w->tickets[owner];
	uint32_t socket = t->sockets[which % TICKETS] ^ (which >= 128 ? 1 : 0);
	struct stun_writer m;

	stun_begin(&m, STUN_INDICATION, STUN_RELAY, &id);
	stun_add_u64(&m, STUN_TICKET, t->list[which % TICKETS]);
	stun_add(&m, STUN_DATA, zeros, take_byte(p) * 2u);
	bool tcp = socket >= SOCKET_ACCEPTED;
	if (!tcp)
		w->heard[from % CLIENTS] = true;
	else if (socket - SOCKET_ACCEPTED >= SOCKETS_MAX || !*connection(w, socket))
		return;
	step(w, &(struct event){ .kind = tcp ? EVENT_DATA : EVENT_DATAGRAM,
				 .socket = socket,
				 .remote = client(from),
				 .data = m.data,
				 .len = m.len });
}

static void play_scene(struct world *w, struct play *p)
{
	unsigned who;

	switch ((enum scene)(take_byte(p) % SCENES)) {
	case SCENE_DATAGRAM:
		play_datagram(w, p);
		break;
	case SCENE_DATA:
		play_data(w, p);
		break;
	case SCENE_ACCEPT:
		accept_one(w, take_byte(p));
		break;
	case SCENE_CLOSE:
		play_close(w, p);
		break;
	case SCENE_WAIT:
		w->now_us += (uint64_t)take_byte(p) * 300000u;
		step(w, &(struct event){ .kind = EVENT_TIMER });
		break;
	case SCENE_RELAY:
		play_relay(w, p);
		break;
	case SCENE_CROWD:
		who = take_byte(p);
		for (unsigned i = 0; i < who; i++)
			accept_one(w, who + i);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct world *w = calloc(1, sizeof(*w));
	struct play p = { data, len };

	assert(w != NULL);
	bool alone = take_byte(&p) % 4 == 0;
	rendezvous_init(&w->r, &(struct rendezvous_config){
				       { 0xcb007101, alone ? 0 : 0xcb007102 }, { 3478, 3479 }, 1 });
	w->wake_us = rendezvous_step(&w->r, 0, &(struct event){ .kind = EVENT_START }, &w->out);
	while (p.len > 0)
		play_scene(w, &p);
	free(w);
	return 0;
}

static void add_introduction(struct prng *prng, struct stun_writer *w)
{
	uint8_t role = (uint8_t)('a' + prng_below(prng, 2));

	stun_add(w, STUN_SESSION, &(uint8_t){ (uint8_t)prng_below(prng, 3) }, 1);
	stun_add(w, STUN_ROLE, &role, 1);
	if (prng_chance(prng, 0.3))
		stun_add(w, STUN_NOTE, &(uint8_t[STUN_NOTE_SIZE]){ (uint8_t)prng_below(prng, 130) },
			 STUN_NOTE_SIZE - (prng_chance(prng, 0.1) ? 1 : 0));
	if (prng_chance(prng, 0.3))
		stun_add_u32(w, STUN_SEEN, (uint32_t)prng_below(prng, 3));
	if (prng_chance(prng, 0.3))
		stun_add(w, STUN_CONFIRM, "", 0);
	for (uint64_t i = prng_below(prng, 5); i > 0; i--)
		stun_add_xor_address(w, STUN_LOCAL_ENDPOINT,
				     (struct endpoint){ (uint32_t)prng_next(prng), 1 });
}

static void make_request(struct prng *prng, struct stun_writer *w)
{
	static const uint16_t methods[] = { STUN_BINDING, STUN_INTRODUCE, STUN_CONNECT_BACK };
	uint16_t method = methods[prng_chance(prng, 0.5) ? 1 : prng_below(prng, 3)];
	struct stun_id id = stun_id_make((const uint8_t *)"transaction!");

	if (prng_chance(prng, 0.1))
		id.bytes[0] ^= 1; /* classic */
	stun_begin(w, STUN_REQUEST, method, &id);
	if (method == STUN_INTRODUCE)
		add_introduction(prng, w);
	if (method == STUN_CONNECT_BACK || prng_chance(prng, 0.3))
		stun_add_u32(w, STUN_CHANGE_REQUEST, (uint32_t)prng_below(prng, 8));
	if (prng_chance(prng, 0.1))
		stun_add_u16(w, STUN_RESPONSE_PORT, (uint16_t)prng_next(prng));
	for (uint16_t type = 0x6000; prng_chance(prng, 0.2); type++)
		stun_add(w, type, "", 0);
	if (prng_chance(prng, 0.2))
		stun_add_fingerprint(w);
}

/* Writes what play_datagram() or play_data() reads. */
static size_t make_bytes(struct prng *prng, uint8_t *data, enum scene scene)
{
	struct stun_writer w;
	uint8_t *p = data;

	make_request(prng, &w);
	*p++ = (uint8_t)scene;
	*p++ = (uint8_t)prng_below(prng, 8);
	if (scene == SCENE_DATAGRAM)
		*p++ = (uint8_t)prng_below(prng, 4);
	*p++ = (uint8_t)(w.len >> 8);
	*p++ = (uint8_t)w.len;
	memcpy(p, w.data, w.len);
	return (size_t)(p - data) + w.len;
}

static size_t fuzz_make(struct prng *prng, uint8_t *data, size_t size)
{
	size_t len = 1;

	data[0] = (uint8_t)prng_next(prng);
	for (uint64_t i = prng_below(prng, 24); i > 0 && size - len >= STUN_MESSAGE_MAX + 8; i--) {
		enum scene scene = (enum scene)prng_below(prng, SCENES);

		if (prng_chance(prng, 0.6)) /* two that meet, and relay, are rare otherwise */
			scene = prng_chance(prng, 0.5) ? SCENE_RELAY : SCENE_DATAGRAM;
		if (scene == SCENE_CROWD && !prng_chance(prng, 0.1))
			scene = SCENE_ACCEPT;
		if (scene == SCENE_DATAGRAM || scene == SCENE_DATA) {
			len += make_bytes(prng, data + len, scene);
			continue;
		}
		data[len++] = (uint8_t)scene;
		data[len++] = (uint8_t)prng_below(prng, scene == SCENE_RELAY ? 8 : 256);
		if (scene != SCENE_RELAY)
			continue;
		data[len] = prng_chance(prng, 0.7) ? data[len - 1] : (uint8_t)prng_below(prng, 17);
		data[len + 1] = (uint8_t)(prng_below(prng, 3) + 128 * prng_below(prng, 2));
		data[len + 2] = (uint8_t)prng_next(prng);
		len += 3;
	}
	return len;
}

#include "tests/fuzz/fuzz_main.h"
