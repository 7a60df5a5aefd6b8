// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An acknowledgement is an NLMSG_ERROR message with error 0. With NETLINK_EXT_ACK a refusal carries
 * attributes behind the failed request's header, NLMSGERR_ATTR_MSG among them: a sentence of the
 * kernel's. NETLINK_CAP_ACK keeps the kernel from sending the rest of the request back.
 *
 * Answers are told apart by their sequence number. One that belongs to an earlier request, given up
 * half-way, is skipped.
 */
#include "sim/lab/netlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel fills dumps in pieces of at most 32 KiB (netlink_dump() in af_netlink.c), and only as
 * large as the reader's buffer was. */
#define ANSWER_BYTES 16384u

/* Stops a read that the kernel never answers; it answers requests at once. */
#define ANSWER_TIMEOUT_S 10

struct talk {
	uint32_t seq;
	unsigned acks; /* still to come */
	mnl_cb_t fn;
	void *arg;
};

static int set_options(struct mnl_socket *socket)
{
	int on = 1;
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };

	/* Not for NETLINK_NETFILTER, which has no strict mode but accepts the option. */
	if (mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on)) < 0 ||
	    mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on)) < 0 ||
	    mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0 ||
	    setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) < 0)
		return -errno;
	return 0;
}

int netlink_open(int bus, struct netlink *ret, struct err *e)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (socket == NULL)
		return err_set(e, -errno, "open a netlink socket (protocol %d)", bus);
	int rc = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	if (rc == 0)
		rc = set_options(socket);
	if (rc < 0) {
		(void)mnl_socket_close(socket);
		return err_set(e, rc, "set up a netlink socket (protocol %d)", bus);
	}
	*ret = (struct netlink){ .socket = socket };
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->socket != NULL)
		(void)mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

struct nlmsghdr *netlink_request(void *buf, uint16_t type, uint16_t flags, size_t extra_bytes,
				 void *ret_extra)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	*(void **)ret_extra = mnl_nlmsg_put_extra_header(nlh, extra_bytes);
	return nlh;
}

static int find_message(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		*(const char **)arg = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* What the kernel says about a refusal, or NULL. */
static const char *extack_text(const struct nlmsghdr *nlh, const struct nlmsgerr *refusal)
{
	size_t offset = sizeof(*refusal);
	const char *text = NULL;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(&refusal->msg);
	if (offset <= mnl_nlmsg_get_payload_len(nlh))
		(void)mnl_attr_parse(nlh, (unsigned)offset, find_message, (void *)&text);
	return text;
}

static int read_ack(struct talk *talk, const struct nlmsghdr *nlh, struct err *e)
{
	const struct nlmsgerr *ack = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ack))
		return err_set(e, -EBADMSG, "a short acknowledgement");
	if (ack->error == 0) {
		talk->acks--;
		return 0;
	}
	const char *text = extack_text(nlh, ack);
	int code = ack->error < 0 ? ack->error : -ack->error;
	return text != NULL ? err_set(e, code, "%s", text)
			    : err_set_plain(e, code, "%s", strerror(-code));
}

/* Takes one message of an answer. */
static int take(struct talk *talk, const struct nlmsghdr *nlh, struct err *e)
{
	if (nlh->nlmsg_seq != talk->seq || nlh->nlmsg_type == NLMSG_NOOP)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		return err_set_plain(e, -EAGAIN, "it changed while it was read");
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return read_ack(talk, nlh, e);
	if (nlh->nlmsg_type == NLMSG_DONE) {
		talk->acks--;
		return 0;
	}
	if (talk->fn != NULL && talk->fn(nlh, talk->arg) < MNL_CB_OK)
		return err_set_plain(e, -errno, "%s", strerror(errno));
	return 0;
}

static int take_all(struct talk *talk, const void *data, size_t len, struct err *e)
{
	const struct nlmsghdr *nlh = data;
	int rest = (int)len;

	for (; mnl_nlmsg_ok(nlh, rest); nlh = mnl_nlmsg_next(nlh, &rest)) {
		int rc = take(talk, nlh, e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int converse(struct netlink *nl, const void *data, size_t len, struct talk *talk,
		    struct err *e)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];

	if (mnl_socket_sendto(nl->socket, data, len) < 0)
		return err_set(e, -errno, "send to netlink");
	while (talk->acks > 0) {
		ssize_t got = mnl_socket_recvfrom(nl->socket, answer, sizeof(answer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(e, -errno, "read from netlink");
		int rc = take_all(talk, answer, (size_t)got, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int netlink_talk(struct netlink *nl, struct nlmsghdr *request, mnl_cb_t fn, void *arg,
		 struct err *e)
{
	assert(request->nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP));
	struct talk talk = { .seq = ++nl->seq, .acks = 1, .fn = fn, .arg = arg };

	request->nlmsg_seq = talk.seq;
	return converse(nl, request, request->nlmsg_len, &talk, e);
}

int netlink_talk_batch(struct netlink *nl, void *messages, size_t len, unsigned acks, struct err *e)
{
	struct talk talk = { .seq = ++nl->seq, .acks = acks };
	struct nlmsghdr *nlh = messages;
	int rest = (int)len;

	for (; mnl_nlmsg_ok(nlh, rest); nlh = mnl_nlmsg_next(nlh, &rest))
		nlh->nlmsg_seq = talk.seq;
	return converse(nl, messages, len, &talk, e);
}
