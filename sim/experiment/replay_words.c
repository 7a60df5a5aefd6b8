// SPDX-License-Identifier: GPL-2.0-or-later
/* Traces for people. */
#include <inttypes.h>
#include <string.h>

#include "peers/core/probe.h"
#include "peers/core/stun.h"
#include "sim/experiment/replay.h"

/* Of data of which only the start is shown: a probe's type and tag, a STUN message's header. */
#define START_BYTES 20u

void replay_ms(uint64_t us, struct buf *out)
{
	buf_printf(out, "%" PRIu64 ".%03u ms", us / 1000, (unsigned)(us % 1000));
}

static const char *stun_words(uint16_t method)
{
	switch (method) {
	case STUN_BINDING:
		return "STUN binding";
	case STUN_INTRODUCE:
		return "STUN introduce";
	case STUN_CONNECT_BACK:
		return "STUN connect-back";
	case STUN_RELAY:
		return "STUN relay";
	default:
		return "STUN";
	}
}

/* What the bytes are, if they are one message of ours. */
static void put_message(const uint8_t *data, size_t len, struct buf *out)
{
	static const char *const probes[] = { [PROBE_PROBE] = "probe",
					      [PROBE_NOMINATE] = "nomination",
					      [PROBE_NOMINATE_ACK] = "nomination accepted",
					      [PROBE_BYE] = "bye" };
	static const char *const classes[] = { [STUN_REQUEST] = "request",
					       [STUN_INDICATION] = "indication",
					       [STUN_SUCCESS] = "success",
					       [STUN_ERROR] = "error" };
	struct stun_message m;
	struct probe p;

	if (probe_read(data, len, &p))
		buf_printf(out, " (%s)", probes[p.type]);
	else if (stun_read(data, len, &m))
		buf_printf(out, " (%s %s)", stun_words(m.method), classes[m.class]);
}

static void put_data(const uint8_t *data, size_t len, bool shortened, struct buf *out)
{
	size_t shown = shortened && len > START_BYTES ? START_BYTES : len;

	buf_printf(out, ", %zu bytes", len);
	put_message(data, len, out);
	buf_puts(out, shown > 0 ? " " : "");
	for (size_t i = 0; i < shown; i++)
		buf_printf(out, "%02x", data[i]);
	buf_puts(out, shown < len ? "..." : "");
}

void replay_words(const struct trace_item *item, bool shortened, struct buf *out)
{
	unsigned fields = item->kind->fields;
	char text[ENDPOINT_TEXT_SIZE];

	buf_puts(out, item->kind->name);
	if ((fields & TRACE_SOCKET) != 0)
		buf_printf(out, " %" PRIu32, item->socket);
	if ((fields & TRACE_LISTENER) != 0)
		buf_printf(out, " by %" PRIu32, item->listener);
	if ((fields & TRACE_LOCAL) != 0)
		buf_printf(out, ", local %s", endpoint_format(item->local, text));
	if ((fields & TRACE_REMOTE) != 0)
		buf_printf(out, ", remote %s", endpoint_format(item->remote, text));
	if ((fields & TRACE_ERROR) != 0)
		buf_printf(out, ", error %d (%s)", item->error,
			   item->error == 0 ? "the other side closed it" : strerror(item->error));
	if ((fields & TRACE_STATUS) != 0)
		buf_printf(out, ", status %d", item->status);
	if (item->ttl != 0)
		buf_printf(out, ", TTL %u", item->ttl);
	if ((fields & TRACE_DATA) != 0)
		put_data(item->data, item->len, shortened, out);
}

static void put_wake(uint64_t wake_us, struct buf *out)
{
	if (wake_us == NEVER)
		return;
	buf_puts(out, "                  wake at ");
	replay_ms(wake_us, out);
	buf_puts(out, "\n");
}

static void put_step(const struct replay_step *step, struct buf *out)
{
	struct trace_item item = trace_event_item(&step->event);

	buf_printf(out, "%10" PRIu64 ".%03u ms  ", step->at_us / 1000,
		   (unsigned)(step->at_us % 1000));
	replay_words(&item, true, out);
	buf_puts(out, "\n");
	if (!step->whole) {
		buf_puts(out, "                  the peer ended within this step\n");
		return;
	}
	for (size_t i = 0; i < step->actions.count; i++) {
		item = trace_action_item(&step->actions, i);
		buf_puts(out, "                  > ");
		replay_words(&item, true, out);
		buf_puts(out, "\n");
	}
	put_wake(step->wake_us, out);
}

static void put_head(const struct replay_head *head, struct buf *out)
{
	char text[ENDPOINT_TEXT_SIZE];

	buf_printf(out, "%s over %s", head->strategy->name, head->config.tcp ? "tcp" : "udp");
	if (head->config.role != '\0')
		buf_printf(out, ", role %c", head->config.role);
	buf_printf(out, ", rendezvous %s, natsim %s\n", endpoint_format(head->config.server, text),
		   head->version);
}

int replay_print(const char *name, const char *text, size_t len, struct buf *out, struct err *e)
{
	struct replay_reader reader;
	struct replay_head head;
	struct replay_step step;
	int code = replay_open(name, text, len, &reader, &head, e);

	if (code < 0)
		return code;
	put_head(&head, out);
	while ((code = replay_next(&reader, &step, e)) > 0)
		put_step(&step, out);
	return code;
}
