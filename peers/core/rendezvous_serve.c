// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our endpoints are numbered 2 * address + port, and CHANGE-REQUEST has "change IP" in bit 2 and
 * "change port" in bit 1: shifted by one, its flags turn an endpoint's number into that of the one
 * to answer from.
 */
#include "peers/core/rendezvous_serve.h"

#define CHANGE_BOTH (STUN_CHANGE_IP | STUN_CHANGE_PORT)

/* What of unknown attributes an answer lists. */
#define LISTED_MAX 16u

struct endpoint rendezvous_endpoint(const struct rendezvous *r, unsigned at)
{
	return (struct endpoint){ r->config.addr[at >> 1], r->config.port[at & 1] };
}

/* RFC 5780, section 6: what it defines is for servers with the same two ports on two addresses. */
static bool has_alternate(const struct rendezvous *r)
{
	return r->config.addr[1] != 0 && r->config.port[1] != 0;
}

static unsigned changed(unsigned at, uint32_t flags)
{
	return at ^ (flags & CHANGE_BOTH) >> 1;
}

void rendezvous_answer_begin(struct stun_writer *w, const struct rendezvous_request *req,
			     enum stun_class class)
{
	stun_begin(w, class, req->message->method, &req->message->id);
}

/* Adds what every answer ends with. FINGERPRINT answers FINGERPRINT: who does not send it may not
 * know it. */
static void end_answer(struct stun_writer *w, const struct rendezvous_request *req)
{
	const uint8_t *value;
	size_t len;

	if (req->message->classic)
		return;
	stun_add(w, STUN_SOFTWARE, "natsim", 6);
	if (stun_get(req->message, STUN_FINGERPRINT, &value, &len))
		stun_add_fingerprint(w);
}

void rendezvous_answer_send(struct stun_writer *w, const struct rendezvous_request *req,
			    struct actions *out)
{
	end_answer(w, req);
	if (req->tcp)
		act_tcp_send(out, req->socket, w->data, w->len);
	else
		act_udp_send(out, req->socket, req->from, w->data, w->len);
}

void rendezvous_refuse(const struct rendezvous_request *req, unsigned code, const char *reason,
		       struct actions *out)
{
	struct stun_writer w;

	rendezvous_answer_begin(&w, req, STUN_ERROR);
	stun_add_error(&w, code, reason);
	rendezvous_answer_send(&w, req, out);
}

static void refuse_unknown(const struct rendezvous_request *req, const uint16_t *types,
			   size_t count, struct actions *out)
{
	struct stun_writer w;

	rendezvous_answer_begin(&w, req, STUN_ERROR);
	stun_add_error(&w, STUN_UNKNOWN_ATTRIBUTE, "Unknown Attribute");
	stun_add_unknown(&w, types, count);
	rendezvous_answer_send(&w, req, out);
}

/* ---- Binding */

/* The attributes that cannot be served here although we know them. RFC 5780, section 6: without
 * an alternate address CHANGE-REQUEST is an unknown attribute; and a connection answers only from
 * where, and to where, it goes. */
static size_t find_unsupported(const struct rendezvous *r, const struct rendezvous_request *req,
			       uint16_t ret[static 2])
{
	const uint8_t *value;
	size_t len, count = 0;

	if (stun_get(req->message, STUN_CHANGE_REQUEST, &value, &len) &&
	    (req->tcp || !has_alternate(r)))
		ret[count++] = STUN_CHANGE_REQUEST;
	if (stun_get(req->message, STUN_RESPONSE_PORT, &value, &len) && req->tcp)
		ret[count++] = STUN_RESPONSE_PORT;
	return count;
}

/* Reads what the request says about its answer. Returns false if it is malformed. */
static bool read_wishes(const struct rendezvous_request *req, uint32_t *ret_flags,
			struct endpoint *ret_to)
{
	const struct stun_message *m = req->message;
	const uint8_t *value;
	size_t len;
	uint32_t flags = 0;
	struct endpoint to = req->from;

	if (stun_get(m, STUN_CHANGE_REQUEST, &value, &len) &&
	    !stun_get_u32(m, STUN_CHANGE_REQUEST, &flags))
		return false;
	if (stun_get(m, STUN_RESPONSE_PORT, &value, &len) &&
	    (!stun_get_u16(m, STUN_RESPONSE_PORT, &to.port) || to.port == 0))
		return false;
	*ret_flags = flags;
	*ret_to = to;
	return true;
}

/* RFC 3489, section 8.1. A classic client drops an answer with an attribute below 0x8000 that it
 * does not know, XOR-MAPPED-ADDRESS for one. */
static void add_classic_binding(struct stun_writer *w, const struct rendezvous *r,
				const struct rendezvous_request *req, unsigned from)
{
	stun_add_address(w, STUN_MAPPED_ADDRESS, req->from);
	stun_add_address(w, STUN_SOURCE_ADDRESS, rendezvous_endpoint(r, from));
	if (has_alternate(r))
		stun_add_address(w, STUN_CHANGED_ADDRESS,
				 rendezvous_endpoint(r, changed(req->at, CHANGE_BOTH)));
}

/* RFC 5780, section 6.1, asks for both kinds of mapped address. */
static void add_binding(struct stun_writer *w, const struct rendezvous *r,
			const struct rendezvous_request *req, unsigned from)
{
	stun_add_xor_address(w, STUN_XOR_MAPPED_ADDRESS, req->from);
	stun_add_address(w, STUN_MAPPED_ADDRESS, req->from);
	if (!has_alternate(r))
		return;
	stun_add_address(w, STUN_RESPONSE_ORIGIN, rendezvous_endpoint(r, from));
	stun_add_address(w, STUN_OTHER_ADDRESS,
			 rendezvous_endpoint(r, changed(req->at, CHANGE_BOTH)));
}

static void serve_binding(const struct rendezvous *r, const struct rendezvous_request *req,
			  struct actions *out)
{
	struct rendezvous_request answer = *req;
	struct stun_writer w;
	uint16_t unsupported[2];
	uint32_t flags;
	size_t count = find_unsupported(r, req, unsupported);

	if (count > 0) {
		refuse_unknown(req, unsupported, count, out);
		return;
	}
	if (!read_wishes(req, &flags, &answer.from)) {
		rendezvous_refuse(req, STUN_BAD_REQUEST, "Bad Request", out);
		return;
	}
	unsigned from = changed(req->at, flags);
	rendezvous_answer_begin(&w, req, STUN_SUCCESS);
	if (req->message->classic)
		add_classic_binding(&w, r, req, from);
	else
		add_binding(&w, r, req, from);
	if (!req->tcp)
		answer.socket = RENDEZVOUS_UDP + from;
	rendezvous_answer_send(&w, &answer, out);
}

/* ---- CONNECT-BACK */

static void serve_connect_back(struct rendezvous *r, uint64_t now_us,
			       const struct rendezvous_request *req, struct actions *out)
{
	struct stun_writer w;
	uint32_t flags = 0, i = 0;
	const uint16_t change_request = STUN_CHANGE_REQUEST;

	/* Without a change the connection back would be the one that the request came on. */
	if (!req->tcp || !stun_get_u32(req->message, STUN_CHANGE_REQUEST, &flags) ||
	    (flags & CHANGE_BOTH) == 0) {
		rendezvous_refuse(req, STUN_BAD_REQUEST, "Bad Request", out);
		return;
	}
	if (!has_alternate(r)) {
		refuse_unknown(req, &change_request, 1, out);
		return;
	}
	while (i < RENDEZVOUS_BACKS_MAX && r->back_until_us[i] != 0)
		i++;
	if (i == RENDEZVOUS_BACKS_MAX) {
		rendezvous_refuse(req, STUN_SERVER_ERROR, "Server Error", out);
		return;
	}
	r->back_until_us[i] = now_us + RENDEZVOUS_BACK_US;
	act_tcp_connect(out, RENDEZVOUS_BACK + i, rendezvous_endpoint(r, changed(req->at, flags)),
			req->from);
	rendezvous_answer_begin(&w, req, STUN_SUCCESS);
	stun_add_xor_address(&w, STUN_XOR_MAPPED_ADDRESS, req->from);
	rendezvous_answer_send(&w, req, out);
}

void rendezvous_serve(struct rendezvous *r, uint64_t now_us, const struct rendezvous_request *req,
		      struct actions *out)
{
	uint16_t unknown[LISTED_MAX];
	uint16_t method = req->message->method;
	bool ours = method == STUN_INTRODUCE || method == STUN_CONNECT_BACK;

	if (req->message->class == STUN_INDICATION && method == STUN_RELAY)
		rendezvous_relay(r, now_us, req, out);
	/* RFC 8489, section 6.3: what else is no request, or for an unknown method, is discarded in
	 * silence. RFC 3489 knew only Binding over UDP. */
	if (req->message->class != STUN_REQUEST || (method != STUN_BINDING && !ours) ||
	    (req->message->classic && ours))
		return;
	size_t count = stun_get_unknown(req->message, unknown, LISTED_MAX);
	if (count > 0)
		refuse_unknown(req, unknown, count, out);
	else if (method == STUN_BINDING)
		serve_binding(r, req, out);
	else if (method == STUN_INTRODUCE)
		rendezvous_introduce(r, now_us, req, out);
	else
		serve_connect_back(r, now_us, req, out);
}
