// SPDX-License-Identifier: GPL-2.0-or-later
/* The sockets of a host: where they live, how they are found, and which ports they get. */
#include "sim/twin/host_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_ITEMS 64u

/* ---- pools */

static void *pool_at(const struct host_pool *pool, size_t index, size_t item_size)
{
	return (uint8_t *)pool->chunks[index / CHUNK_ITEMS] + index % CHUNK_ITEMS * item_size;
}

static void *pool_take(struct host_pool *pool, size_t item_size)
{
	size_t chunk = pool->used / CHUNK_ITEMS;

	if (chunk == pool->chunks_count) {
		void **chunks = realloc(pool->chunks, (chunk + 1) * sizeof(*chunks));

		assert(chunks != NULL);
		pool->chunks = chunks;
		pool->chunks[chunk] = malloc(CHUNK_ITEMS * item_size);
		assert(pool->chunks[chunk] != NULL);
		pool->chunks_count++;
	}
	return pool_at(pool, pool->used++, item_size);
}

static void pool_free(struct host_pool *pool)
{
	for (size_t i = 0; i < pool->chunks_count; i++)
		free(pool->chunks[i]);
	free(pool->chunks);
}

struct segment *host_segment_new(struct twin_host *h)
{
	struct segment *segment = h->unused_segments;

	if (segment == NULL)
		segment = pool_take(&h->segments, sizeof(*segment));
	else
		h->unused_segments = segment->next;
	memset(segment, 0, offsetof(struct segment, data));
	return segment;
}

void host_segment_free(struct twin_host *h, struct segment *segment)
{
	segment->next = h->unused_segments;
	h->unused_segments = segment;
}

void host_sockets_reset(struct twin_host *h)
{
	h->epoch++;
	h->sockets.used = h->segments.used = 0;
	h->unused_sockets = NULL;
	h->unused_segments = NULL;
	h->connections = h->last_connection = NULL;
	h->tcp_timer_us = NEVER;
}

void host_sockets_free(struct twin_host *h)
{
	pool_free(&h->sockets);
	pool_free(&h->segments);
}

/* ---- tables */

static size_t bucket_of(uint64_t a, uint64_t b)
{
	uint64_t mixed = (a ^ b * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;

	return (mixed ^ mixed >> 32) * 0x94d049bb133111ebu >> (64 - HOST_BUCKETS_BITS);
}

static uint64_t as_number(struct endpoint ep)
{
	return (uint64_t)ep.addr << 16 | ep.port;
}

static size_t bucket_of_socket(const struct host_socket *s, enum socket_key key)
{
	if (key == BY_NUMBER)
		return bucket_of(s->number, BY_NUMBER);
	if (key == BY_PORT)
		return bucket_of(s->local.port, s->state);
	return bucket_of(as_number(s->local), as_number(s->remote));
}

static struct host_socket **chain(struct twin_host *h, enum socket_key key, size_t bucket)
{
	struct host_bucket *b = &h->tables[key].buckets[bucket];

	if (b->epoch != h->epoch) {
		b->epoch = h->epoch;
		b->first = NULL;
	}
	return &b->first;
}

static void table_insert(struct twin_host *h, struct host_socket *s, enum socket_key key)
{
	struct host_socket **first = chain(h, key, bucket_of_socket(s, key));

	s->next[key] = *first;
	*first = s;
}

static void table_remove(struct twin_host *h, struct host_socket *s, enum socket_key key)
{
	struct host_socket **at = chain(h, key, bucket_of_socket(s, key));

	while (*at != s)
		at = &(*at)->next[key];
	*at = s->next[key];
}

static bool has_port(const struct host_socket *s)
{
	return s->state == SOCKET_UDP || s->state == SOCKET_LISTENER;
}

struct host_socket *host_find_number(struct twin_host *h, uint32_t number)
{
	struct host_socket *s = *chain(h, BY_NUMBER, bucket_of(number, BY_NUMBER));

	while (s != NULL && s->number != number)
		s = s->next[BY_NUMBER];
	return s;
}

struct host_socket *host_find_local(struct twin_host *h, enum socket_state state,
				    struct endpoint local)
{
	struct host_socket *wild = NULL;

	for (struct host_socket *s = *chain(h, BY_PORT, bucket_of(local.port, state)); s != NULL;
	     s = s->next[BY_PORT]) {
		if (s->local.port != local.port || s->state != state)
			continue;
		if (s->local.addr == local.addr)
			return s;
		if (s->local.addr == 0)
			wild = s;
	}
	return wild;
}

struct host_socket *host_find_pair(struct twin_host *h, struct endpoint local,
				   struct endpoint remote)
{
	struct host_socket *s = *chain(h, BY_PAIR, bucket_of(as_number(local), as_number(remote)));

	while (s != NULL && !(endpoint_equal(s->local, local) && endpoint_equal(s->remote, remote)))
		s = s->next[BY_PAIR];
	return s;
}

/* ---- sockets */

struct host_socket *host_socket_new(struct twin_host *h)
{
	struct host_socket *s = h->unused_sockets;

	if (s == NULL)
		s = pool_take(&h->sockets, sizeof(*s));
	else
		h->unused_sockets = s->next[0];
	*s = (struct host_socket){ .serial = ++h->next_serial, .ttl = TWIN_TTL, .timer_us = NEVER };
	return s;
}

struct host_socket *host_socket_at(struct twin_host *h, size_t index)
{
	return pool_at(&h->sockets, index, sizeof(struct host_socket));
}

void host_socket_own(struct twin_host *h, struct host_socket *s, uint32_t number)
{
	s->number = number;
	s->owned = true;
	table_insert(h, s, BY_NUMBER);
}

void host_socket_disown(struct twin_host *h, struct host_socket *s)
{
	table_remove(h, s, BY_NUMBER);
	s->owned = false;
}

void host_socket_insert(struct twin_host *h, struct host_socket *s)
{
	if (has_port(s)) {
		table_insert(h, s, BY_PORT);
		return;
	}
	table_insert(h, s, BY_PAIR);
	s->earlier = h->last_connection;
	if (s->earlier == NULL)
		h->connections = s;
	else
		s->earlier->later = s;
	h->last_connection = s;
}

static void free_segments(struct twin_host *h, struct segment *segment)
{
	while (segment != NULL) {
		struct segment *next = segment->next;

		host_segment_free(h, segment);
		segment = next;
	}
}

static void remove_connection(struct twin_host *h, struct host_socket *s)
{
	table_remove(h, s, BY_PAIR);
	if (s->earlier == NULL)
		h->connections = s->later;
	else
		s->earlier->later = s->later;
	if (s->later == NULL)
		h->last_connection = s->earlier;
	else
		s->later->earlier = s->earlier;
	free_segments(h, s->sent);
	free_segments(h, s->early);
	free_segments(h, s->held);
}

void host_socket_end(struct twin_host *h, struct host_socket *s)
{
	if (s->owned)
		host_socket_disown(h, s);
	if (has_port(s))
		table_remove(h, s, BY_PORT);
	else
		remove_connection(h, s);
	s->state = SOCKET_ENDED;
	s->serial = 0;
	s->next[0] = h->unused_sockets;
	h->unused_sockets = s;
}

/* ---- ports */

/* net.ipv4.ip_local_port_range. */
#define EPHEMERAL_FIRST 32768u
#define EPHEMERAL_COUNT 28232u

static bool has_address(const struct twin_host *h, uint32_t addr)
{
	for (unsigned i = 0; i < h->config.addrs_count; i++)
		if (h->config.addrs[i] == addr)
			return true;
	return addr == 0;
}

/* A UDP socket with all addresses stands in the way of any other at its port, and the other way
 * round. */
static bool udp_port_is_free(struct twin_host *h, struct endpoint local)
{
	for (const struct host_socket *s = *chain(h, BY_PORT, bucket_of(local.port, SOCKET_UDP));
	     s != NULL; s = s->next[BY_PORT])
		if (s->state == SOCKET_UDP && s->local.port == local.port &&
		    (s->local.addr == local.addr || s->local.addr == 0 || local.addr == 0))
			return false;
	return true;
}

/* Of a port that the system chooses: no TCP socket has it yet, whatever its address. */
static bool tcp_port_is_unused(struct twin_host *h, uint16_t port)
{
	for (const struct host_socket *s = *chain(h, BY_PORT, bucket_of(port, SOCKET_LISTENER));
	     s != NULL; s = s->next[BY_PORT])
		if (s->state == SOCKET_LISTENER && s->local.port == port)
			return false;
	for (const struct host_socket *s = h->connections; s != NULL; s = s->later)
		if (s->local.port == port)
			return false;
	return true;
}

/* From a random one on, the first that is free. TCP sockets that share their port, as those of our
 * machines do, get an odd one in the lower half (inet_csk_find_open_port() in Linux). */
static int choose_port(struct twin_host *h, bool udp, struct endpoint *local)
{
	uint32_t step = udp ? 1 : 2, first = EPHEMERAL_FIRST + (udp ? 0 : 1);
	uint32_t count = udp ? EPHEMERAL_COUNT : EPHEMERAL_COUNT / 4;
	uint32_t offset = (uint32_t)prng_below(&h->prng, count);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t port = first + (offset + i) % count * step;
		struct endpoint chosen = { local->addr, (uint16_t)port };

		if (udp ? udp_port_is_free(h, chosen) : tcp_port_is_unused(h, chosen.port)) {
			*local = chosen;
			return 0;
		}
	}
	return EADDRINUSE;
}

int host_bind(struct twin_host *h, enum socket_state state, struct endpoint *local)
{
	if (!has_address(h, local->addr))
		return EADDRNOTAVAIL;
	if (local->port == 0)
		return choose_port(h, state == SOCKET_UDP, local);
	if (state == SOCKET_UDP)
		return udp_port_is_free(h, *local) ? 0 : EADDRINUSE;
	if (state != SOCKET_LISTENER)
		return 0;
	const struct host_socket *other = host_find_local(h, SOCKET_LISTENER, *local);
	return other != NULL && other->local.addr == local->addr ? EADDRINUSE : 0;
}
