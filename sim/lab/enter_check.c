// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel loads most of what is asked for here as modules when it is first used, also for users
 * who are root only in a user namespace; so to try is the only way to know.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/lab/conntrack.h"
#include "sim/lab/enter.h"
#include "sim/lab/netns.h"
#include "sim/lab/nft.h"
#include "sim/lab/rtnl.h"
#include "sim/model/ruleset.h"

/* Everything that the files of nat_models/rules/ use, once. */
static const char ruleset[] =
	"define PORTS = 1024-65535\n"
	"table ip natsim {\n"
	"	map owner_of {\n"
	"		type inet_proto . inet_service : ipv4_addr . inet_service\n"
	"		flags dynamic, timeout\n"
	"		size 16\n"
	"	}\n"
	"	set permitted {\n"
	"		type inet_proto . ipv4_addr . inet_service . ipv4_addr . inet_service\n"
	"		flags dynamic, timeout\n"
	"		size 16\n"
	"	}\n"
	"	map port_at {\n"
	"		type mark : inet_service\n"
	"		elements = { 1 : 6000, 2 : 6001 }\n"
	"	}\n"
	"	chain outbound {\n"
	"		type nat hook postrouting priority srcnat; policy accept;\n"
	"		meta l4proto != { tcp, udp } masquerade\n"
	"		ct mark set numgen inc mod 2 offset 1\n"
	"		snat ip to meta l4proto . th sport map @owner_of\n"
	"		meta l4proto . th sport != @owner_of snat ip to 192.0.2.1\n"
	"		meta l4proto { tcp, udp } snat ip to 192.0.2.1 : $PORTS random\n"
	"		meta l4proto udp snat ip to 192.0.2.1 : ct mark map @port_at\n"
	"	}\n"
	"	chain inbound {\n"
	"		type nat hook prerouting priority dstnat; policy accept;\n"
	"		meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @owner_of\n"
	"	}\n"
	"	chain remember {\n"
	"		meta l4proto udp ct original ip saddr 192.0.2.0/24 update @owner_of { \\\n"
	"			meta l4proto . ct reply proto-dst timeout 120s : \\\n"
	"			ct original ip saddr . ct original proto-src }\n"
	"		update @permitted { \\\n"
	"			meta l4proto . ip saddr . th sport . ip daddr . th dport timeout 120s }\n"
	"	}\n"
	"	chain outgoing {\n"
	"		type filter hook postrouting priority srcnat + 10; policy accept;\n"
	"		oifname \"out\" ct direction original ct status ! confirmed ct state new \\\n"
	"			ct expiration > 240s goto remember\n"
	"	}\n"
	"	chain own_stack {\n"
	"		type filter hook input priority filter; policy accept;\n"
	"		meta l4proto udp reject with icmp type port-unreachable\n"
	"		meta l4proto tcp reject with tcp reset\n"
	"	}\n"
	"}\n";

/* Asked for a table that is not there, nf_tables says ENOENT. libnftables would end the program
 * where there is no nf_tables to ask. */
static int check_netfilter(struct err *e)
{
	CLEANUP(netlink) struct netlink nl = { .socket = NULL };
	struct err reason = { .kind = ERR_NONE };

	int rc = netlink_open(NETLINK_NETFILTER, &nl, &reason);
	if (rc == 0)
		rc = nft_flush_dynamic(&nl, RULESET_TABLE, &reason);
	if (rc < 0 && rc != -ENOENT)
		return err_set_plain(e, rc,
				     "this kernel has no nftables (modprobe nf_tables, or "
				     "CONFIG_NF_TABLES and CONFIG_NF_TABLES_IPV4): %s",
				     reason.text);
	rc = conntrack_flush(&nl, e);
	if (rc < 0)
		err_prefix(e, "this kernel has no conntrack over netlink (modprobe "
			      "nf_conntrack_netlink, or CONFIG_NF_CT_NETLINK)");
	return rc;
}

static int check_ruleset(int netns_fd, struct err *e)
{
	int rc = nft_load(netns_fd, ruleset, e);

	if (rc == -EINVAL)
		err_prefix(e, "libnftables is too old: version 1.0.2 or newer is needed");
	else if (rc < 0)
		err_prefix(e,
			   "this kernel has no nft NAT, or not all of it (modprobe nft_chain_nat "
			   "nft_ct nft_numgen nft_reject_ipv4, or CONFIG_NFT_NAT, CONFIG_NFT_MASQ, "
			   "CONFIG_NFT_CT, CONFIG_NFT_NUMGEN, CONFIG_NFT_REJECT)");
	return rc;
}

static int check_veth(int netns_fd, struct err *e)
{
	CLEANUP(netlink) struct netlink nl = { .socket = NULL };
	struct rtnl_veth veth = { .ifname = "check0",
				  .peer_ifname = "check1",
				  .netns_fd = netns_fd,
				  .peer_netns_fd = netns_fd,
				  .mac = { 2, 0, 0, 0, 0, 1 },
				  .peer_mac = { 2, 0, 0, 0, 0, 2 } };

	int rc = rtnl_open(&nl, e);
	return rc < 0 ? rc : rtnl_veth_new(&nl, &veth, e);
}

/* Asks for a type that packet sockets do not have: closing one that exists takes 10 ms. */
static int check_packet_socket(struct err *e)
{
	CLEANUP(fd) int fd = socket(AF_PACKET, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 && errno != ESOCKTNOSUPPORT)
		return err_set(e, -errno,
			       "this kernel has no packet sockets (modprobe af_packet, or "
			       "CONFIG_PACKET)");
	return 0;
}

static int check_inside(int netns_fd, struct err *e)
{
	int rc = netns_sysctl("net/ipv4/ip_forward", "1", e);

	if (rc == 0)
		rc = check_netfilter(e);
	if (rc == 0)
		rc = check_ruleset(netns_fd, e);
	if (rc == 0)
		rc = check_packet_socket(e);
	if (rc == 0)
		rc = check_veth(netns_fd, e);
	return rc;
}

int enter_check_machine(struct err *e)
{
	CLEANUP(fd) int home = -1;
	CLEANUP(fd) int scratch = -1;

	int rc = netns_self(&home, e);
	if (rc < 0)
		return rc;
	rc = netns_unshare(&scratch, e);
	if (rc == 0)
		rc = check_inside(scratch, e);
	netns_return(home);
	return rc;
}
