/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of a host share: its sockets, and how they tell its machine. Private to
 * sim/twin/host*.c.
 *
 * Nothing is freed before the host is: sockets and segments come from pools that a reset takes back
 * whole, and a table is emptied by counting its epoch up. A socket stays where it is as long as it
 * lives; one that may have ended meanwhile, since a machine was called, is known by its serial.
 */
#ifndef NATSIM_SIM_TWIN_HOST_SOCKET_H
#define NATSIM_SIM_TWIN_HOST_SOCKET_H

#include "sim/twin/host.h"

/* TCP's states are those of RFC 9293, section 3.3.2. There is no CLOSE_WAIT: a machine's world
 * closes a stream as soon as the other side has (peers/loop.c), which leads to LAST_ACK. */
enum socket_state {
	SOCKET_ENDED,
	SOCKET_UDP,
	SOCKET_LISTENER,
	SOCKET_REQUEST, /* SYN-RECEIVED of a listener: nobody's socket yet */
	SOCKET_SYN_SENT,
	SOCKET_SYN_RECEIVED, /* of a simultaneous open */
	SOCKET_ESTABLISHED,
	SOCKET_FIN_WAIT_1,
	SOCKET_FIN_WAIT_2,
	SOCKET_CLOSING,
	SOCKET_LAST_ACK,
	SOCKET_TIME_WAIT,
};

/* A piece of a stream that waits to be acknowledged, or for what comes before it. */
struct segment {
	struct segment *next;
	uint64_t sent_us; /* for the last time */
	uint32_t sequence;
	uint8_t flags; /* of TWIN_SYN and TWIN_FIN */
	bool again;    /* sent more than once */
	bool sacked;   /* there already, though what comes before it is not */
	bool lost;     /* and not sent again yet */
	uint16_t len;
	uint8_t data[DATA_MAX];
};

/* What a connection waits for that has sent something. */
enum tcp_timer {
	TIMER_RTO,
	TIMER_PROBE,   /* of a tail that is lost (RFC 8985, section 7) */
	TIMER_REORDER, /* until what may be late is lost (RFC 8985, section 6.3) */
};

/* Linux: TCP_CA_Open with TCP_CA_Disorder, TCP_CA_Recovery and TCP_CA_Loss. */
enum tcp_recovery { RECOVERY_NONE, RECOVERY_FAST, RECOVERY_RTO };

/* The ways to find a socket: each a table. */
enum socket_key {
	BY_NUMBER, /* those the machine has */
	BY_PORT,   /* UDP and listeners: of each protocol */
	BY_PAIR,   /* TCP's others: local and remote */
	SOCKET_KEYS,
};

struct host_socket {
	struct host_socket *next[SOCKET_KEYS]; /* in the bucket of each table */
	enum socket_state state;
	uint32_t number;
	bool owned; /* by the machine, under that number */
	uint8_t ttl;
	struct endpoint local, remote; /* a local address of 0: all */
	uint64_t serial;

	/* The rest is TCP's, and not a listener's. */
	struct host_socket *later, *earlier; /* among the host's connections */
	struct host_socket *listener;        /* of a request */
	uint64_t listener_serial;
	uint32_t first_sent, unacknowledged, send_next; /* ISS, SND.UNA, SND.NXT */
	uint32_t first_received, receive_next;          /* IRS, RCV.NXT */
	struct segment *sent, *last_sent;               /* not acknowledged, in order */
	struct segment *held, *last_held;               /* not sent yet, in order */
	struct segment *early;                          /* received out of order, in order */
	uint64_t timer_us;
	enum tcp_timer timer;
	uint64_t rto_us, srtt_us, rttvar_us, min_rtt_us;
	unsigned retries;   /* since anything new was acknowledged, */
	unsigned doublings; /* and of the RTO */
	enum tcp_recovery recovery;
	uint32_t recover; /* ends when this is acknowledged */
	bool holding;     /* nothing new goes before anything more is acknowledged */
	bool probed;      /* the last one was sent again, and what was sent ended there */
	uint32_t probe_end;
	/* Of what the other side has, what was sent last (RFC 8985, section 6.2). */
	uint64_t rack_sent_us, rack_rtt_us;
	uint32_t rack_end;
	uint64_t limited_us; /* no ACK in answer to anything odd before then */
};

/* Linux: TCP_TIMEWAIT_LEN, and net.ipv4.tcp_fin_timeout. */
#define TCP_TIME_WAIT_US 60000000u

/* More sockets make the chains longer. */
#define HOST_BUCKETS_BITS 10u
#define HOST_BUCKETS      (1u << HOST_BUCKETS_BITS)

struct host_table {
	struct host_bucket {
		uint64_t epoch; /* another one than the host's: empty */
		struct host_socket *first;
	} buckets[HOST_BUCKETS];
};

/* Items of one size in chunks that never move. */
struct host_pool {
	void **chunks;
	size_t chunks_count, used;
};

struct twin_host {
	struct twin_node node;
	struct twin_host_config config;
	void (*look)(void *arg, uint64_t now_us, const struct twin_packet *p);
	void *look_arg;

	struct twin_world *world; /* while it runs */
	uint64_t now_us;

	machine_step_fn *step;
	void *state;
	uint64_t start_us, wake_us;
	bool started, done;
	int status;
	uint64_t rested_us;  /* when time last passed between two timers, */
	unsigned restless;   /* and how many there were since */
	struct event *queue; /* events without data, oldest first */
	size_t queue_first, queue_count, queue_size;
	struct actions actions;

	uint64_t seed;
	struct prng prng;
	uint32_t next_accepted;
	uint64_t epoch, next_serial;
	struct host_table tables[SOCKET_KEYS];
	struct host_pool sockets, segments;
	struct host_socket *unused_sockets; /* chained by next[0] */
	struct segment *unused_segments;
	struct host_socket *connections, *last_connection;
	uint64_t tcp_timer_us; /* no connection's timer is earlier */
	struct twin_packet out;
};

/* ---- sockets (host_socket.c) */

void host_sockets_reset(struct twin_host *h);
void host_sockets_free(struct twin_host *h);

/* In no table yet, and in state ENDED. */
struct host_socket *host_socket_new(struct twin_host *h);
/* Takes it out of all tables, and all of its segments with it. */
void host_socket_end(struct twin_host *h, struct host_socket *s);

/* Each of the sockets that were in use since the reset, for index < h->sockets.used. */
struct host_socket *host_socket_at(struct twin_host *h, size_t index);

/* Puts it in where its state says so, and under its number if that is owned. */
void host_socket_insert(struct twin_host *h, struct host_socket *s);
/* From now on the machine has it, or has it no more. */
void host_socket_own(struct twin_host *h, struct host_socket *s, uint32_t number);
void host_socket_disown(struct twin_host *h, struct host_socket *s);

/* Each returns NULL if there is none. At a port, a socket with that very address goes before one
 * with all. */
struct host_socket *host_find_number(struct twin_host *h, uint32_t number);
struct host_socket *host_find_local(struct twin_host *h, enum socket_state state,
				    struct endpoint local);
struct host_socket *host_find_pair(struct twin_host *h, struct endpoint local,
				   struct endpoint remote);

/* As bind(2) for a UDP socket (state UDP), a listener or a connection (any other): gives a port in
 * place of 0. Returns 0 or an errno. */
int host_bind(struct twin_host *h, enum socket_state state, struct endpoint *local);

struct segment *host_segment_new(struct twin_host *h);
void host_segment_free(struct twin_host *h, struct segment *segment);

/* ---- towards the machine and the world (host.c) */

/* The machine hears of it as soon as it is not at work (host_tell_all). */
void host_tell(struct twin_host *h, const struct event *event);
void host_tell_all(struct twin_host *h);
/* At once, after all that waits; the machine is not at work. */
void host_tell_data(struct twin_host *h, const struct event *event);

/* The packet to fill in, with all but these zero or empty; and off with it. */
struct twin_packet *host_packet(struct twin_host *h, enum twin_protocol protocol, uint8_t ttl,
				struct endpoint from, struct endpoint to);
void host_send(struct twin_host *h);

/* ---- UDP (host_udp.c) */

/* An ACTION_UDP_SEND. */
void udp_send(struct twin_host *h, const struct host_socket *s, const struct action *a);
void udp_receive(struct twin_host *h, const struct twin_packet *p);

/* ---- TCP out (host_tcp.c) */

/* An ACTION_TCP_CONNECT. Returns 0 or an errno. */
int tcp_connect(struct twin_host *h, const struct action *a);
void tcp_put(struct twin_host *h, struct host_socket *s, const uint8_t *data, size_t len);
void tcp_close(struct twin_host *h, struct host_socket *s);
void tcp_abort(struct twin_host *h, struct host_socket *s);

/* An initial sequence number and the SYN with it; s is bound. */
void tcp_begin(struct twin_host *h, struct host_socket *s, enum socket_state state);
void tcp_send_ack(struct twin_host *h, const struct host_socket *s);
/* The ACK of p, which is out of order or has come before: with SACKs. */
void tcp_send_sack(struct twin_host *h, const struct host_socket *s, const struct twin_packet *p);
/* One that is not acknowledged, and as many that follow as fit in with it. */
void tcp_send_again(struct twin_host *h, struct host_socket *s, struct segment *segment);
/* What was held back. */
void tcp_send_held(struct twin_host *h, struct host_socket *s);
void tcp_send_fin(struct twin_host *h, struct host_socket *s);
/* The connection is gone for this reason; its machine hears so if it has it. */
void tcp_fail(struct twin_host *h, struct host_socket *s, int error);

/* ---- TCP's timers (host_tcp_time.c) */

void tcp_timers(struct twin_host *h);
void tcp_set_timer(struct twin_host *h, struct host_socket *s, enum tcp_timer timer,
		   uint64_t at_us);
/* After something new was sent, or acknowledged (advanced). */
void tcp_start_timer(struct twin_host *h, struct host_socket *s, bool advanced);
/* What may be late is lost if it has not come in so long. */
void tcp_wait_for_late(struct twin_host *h, struct host_socket *s, uint64_t wait_us);

/* ---- what is lost (host_tcp_loss.c) */

/* Takes note of what p, whose acknowledgement is within what was sent, says has come. */
void tcp_acknowledged(struct twin_host *h, struct host_socket *s, const struct twin_packet *p);
/* Looks for what is lost now and sends of it as much as budget, if anything. Returns 0, or how
 * long to wait for what may only be late. */
uint64_t tcp_send_lost(struct twin_host *h, struct host_socket *s, unsigned budget,
		       unsigned *ret_sent);

/* Nobody will accept it: its listener was closed. */
static inline bool tcp_is_stray_request(const struct host_socket *s)
{
	return s->state == SOCKET_REQUEST && s->listener->serial != s->listener_serial;
}

/* ---- TCP in (host_tcp_in.c, and host_tcp_stream.c) */

void tcp_receive(struct twin_host *h, const struct twin_packet *p);
void tcp_receive_error(struct twin_host *h, const struct twin_quote *quote);
/* The RST that answers what fits nowhere; to an RST there is none. */
void tcp_answer_reset(struct twin_host *h, const struct twin_packet *p);

/* What p has for the stream: data and FIN. It may be the end of s. */
void tcp_receive_text(struct twin_host *h, struct host_socket *s, const struct twin_packet *p);
/* Nothing is left but TIME_WAIT. */
void tcp_wait_for_strays(struct twin_host *h, struct host_socket *s);

/* ---- sequence numbers go round (RFC 9293, section 3.4) */

static inline bool sequence_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* The sequence number that follows what has these flags and so much data. */
static inline uint32_t sequence_after(uint32_t sequence, uint8_t flags, uint32_t len)
{
	return sequence + len + ((flags & TWIN_SYN) != 0) + ((flags & TWIN_FIN) != 0);
}

static inline uint32_t packet_end(const struct twin_packet *p)
{
	return sequence_after(p->sequence, p->flags, p->len);
}

static inline uint32_t segment_end(const struct segment *segment)
{
	return sequence_after(segment->sequence, segment->flags, segment->len);
}

#endif
