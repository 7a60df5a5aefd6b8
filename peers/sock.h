/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets of a running machine: a table that gives each its number, watched by one epoll set.
 */
#ifndef NATSIM_PEERS_SOCK_H
#define NATSIM_PEERS_SOCK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"

enum sock_kind { SOCK_FREE, SOCK_DATAGRAM, SOCK_LISTENER, SOCK_CONNECTING, SOCK_CONNECTED };

struct sock {
	enum sock_kind kind;
	uint32_t id; /* the machine's number for it */
	uint32_t generation;
	int fd;
	struct endpoint local, remote;
};

/* A pointer to a sock is valid until the next sock_add. */
struct sock_table {
	int epoll_fd;
	struct sock *items;
	size_t count;
	bool paused; /* listeners that could accept no more are not watched */
};

int sock_table_init(struct sock_table *t); /* 0 or a negative errno */
void sock_table_fini(struct sock_table *t);

struct sock *sock_find(struct sock_table *t, uint32_t id);

/* Takes ownership of fd, and watches it for what its kind waits for. Returns NULL, with fd closed,
 * when there is no room for it. */
struct sock *sock_add(struct sock_table *t, enum sock_kind kind, uint32_t id, int fd);
void sock_remove(struct sock_table *t, struct sock *s);

/* A listener that can accept no more would be ready for ever. It is not watched until a socket of
 * the table is removed, which may have made room, or sock_resume(). */
void sock_pause(struct sock_table *t, const struct sock *listener);
void sock_resume(struct sock_table *t);

/* A socket whose connect() has come through is now a stream. */
int sock_set_connected(struct sock_table *t, struct sock *s);

/* What epoll reports of a socket, and back. A tag outlives its socket: NULL if that is gone. */
uint64_t sock_tag(const struct sock_table *t, const struct sock *s);
struct sock *sock_by_tag(struct sock_table *t, uint64_t tag);

/* A bound non-blocking socket of type SOCK_DGRAM or SOCK_STREAM, or a negative errno. A stream
 * socket shares its port with others of this program: hole punching needs a listener and several
 * connecting sockets on one port. */
int sock_bound(int type, struct endpoint local);

/* What a socket sends has this TTL from now on, or the system's. */
#define SOCK_TTL_DEFAULT (-1)
void sock_set_ttl(int fd, int ttl);

/* Sends a datagram, with this TTL unless it is 0. What goes wrong is as if it had been lost. */
void sock_send_datagram(int fd, struct endpoint to, const void *data, size_t len, uint8_t ttl);

/* Switches an option on, as far as the system knows it. */
void sock_set_flag(int fd, int level, int name);

struct sockaddr_in sock_to_sockaddr(struct endpoint ep);
struct endpoint sock_from_sockaddr(const struct sockaddr_in *sa);

#endif
