// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/model/nat_sysctls.h"

#include <assert.h>

/* conntrack knows no less than seconds. */
static unsigned seconds_up(uint32_t ms)
{
	return (ms + 999) / 1000;
}

/* Its timeouts are those of the mappings; see filtering.nft. Where it has the mappings all to
 * itself it is also told that those nobody has answered yet may be forgotten sooner. */
static size_t timeouts(const struct nat_model *m, struct nat_sysctl ret[static NAT_SYSCTLS_MAX])
{
	const struct nat_timeouts *of = &m->timeouts;
	uint32_t unreplied_ms = m->of[NAT_UDP].overloads ? of->udp_unreplied_ms : of->udp_ms;
	static const char *const transitory[] = {
		"nf_conntrack_tcp_timeout_syn_sent", "nf_conntrack_tcp_timeout_syn_recv",
		"nf_conntrack_tcp_timeout_fin_wait", "nf_conntrack_tcp_timeout_close_wait",
		"nf_conntrack_tcp_timeout_last_ack", "nf_conntrack_tcp_timeout_time_wait",
		"nf_conntrack_tcp_timeout_close",
	};
	size_t n = 0;

	ret[n++] = (struct nat_sysctl){ "nf_conntrack_udp_timeout", seconds_up(unreplied_ms) };
	ret[n++] = (struct nat_sysctl){ "nf_conntrack_udp_timeout_stream", seconds_up(of->udp_ms) };
	ret[n++] = (struct nat_sysctl){ "nf_conntrack_tcp_timeout_established",
					seconds_up(of->tcp_established_ms) };
	for (size_t i = 0; i < sizeof(transitory) / sizeof(transitory[0]); i++)
		ret[n++] = (struct nat_sysctl){ transitory[i], seconds_up(of->tcp_transitory_ms) };
	return n;
}

size_t nat_sysctls(const struct nat_model *m, struct nat_sysctl ret[static NAT_SYSCTLS_MAX])
{
	size_t n;

	if (!nat_model_remembers(m))
		return 0;
	n = timeouts(m, ret);
	/* A mapping begins with a SYN: a segment of a connection that was forgotten makes none. */
	ret[n++] = (struct nat_sysctl){ "nf_conntrack_tcp_loose", 0 };
	/* Where conntrack is only our means, it must not judge sequence numbers: after SYNs that
	 * crossed it takes those of a fresh attempt for invalid, until it forgets the flow. */
	ret[n++] = (struct nat_sysctl){ "nf_conntrack_tcp_be_liberal",
					!m->of[NAT_TCP].overloads && m->rst != NAT_RST_IN_WINDOW };
	/* Resets out of the window are taken for resets. */
	if (m->rst == NAT_RST_ANY)
		ret[n++] = (struct nat_sysctl){ "nf_conntrack_tcp_ignore_invalid_rst", 1 };
	assert(n <= NAT_SYSCTLS_MAX);
	return n;
}
