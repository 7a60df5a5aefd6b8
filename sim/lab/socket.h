/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets in other namespaces: a socket stays in the one it was made in, whoever uses it. */
#ifndef NATSIM_SIM_LAB_SOCKET_H
#define NATSIM_SIM_LAB_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "lib/err.h"

/* A socket of family AF_INET in namespace netns_fd, which does not block, bound to local unless
 * that is none. Its address may be used by others too (SO_REUSEADDR). The caller closes *ret_fd. */
int socket_in(int netns_fd, int type, int protocol, struct endpoint local, int *ret_fd,
	      struct err *e);

/* What a socket is bound to, and what it is connected to; none if it is not. */
struct endpoint socket_local(int fd);
struct endpoint socket_remote(int fd);

/* As connect(), sendto() and recvfrom(): 0 or a length, or a negative errno; a connect that goes on
 * is -EINPROGRESS. ret_from may be NULL. */
int socket_connect(int fd, struct endpoint to);
int socket_send(int fd, const void *data, size_t len, struct endpoint to);
int socket_receive(int fd, void *data, size_t len, struct endpoint *ret_from);

/* Waits until fd has one of events (poll.h) or an error, or until the time of process_now_us() has
 * come. Returns whether it has. */
bool socket_await(int fd, short events, uint64_t until_us);

/* Whether routers may fragment what the socket sends; then what is too big for a link is an error
 * of the socket (-EMSGSIZE) or gets through in pieces. */
void socket_set_fragments(int fd, bool may);

/* How much a link of the namespace takes that the socket was made in. */
int socket_set_link_mtu(int fd, const char *ifname, uint32_t mtu_bytes, struct err *e);

/* Asks for messages about ICMP errors. Then: whether one has come, which is taken. A reset leaves
 * none. */
void socket_watch_icmp(int fd);
bool socket_take_icmp(int fd);

/* What went wrong with a socket since last asked: a negative errno, or 0. */
int socket_take_error(int fd);

/* The sequence number that a connection waits for (RFC 9293: RCV.NXT). Returns false if the kernel
 * does not tell. */
bool socket_awaited_sequence(int fd, uint32_t *ret);

#endif
