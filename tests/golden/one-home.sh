#!/bin/sh
# The title.
#
#	up	builds it; needs root, iproute2 and nftables
#	down	removes it, whole or half built
#
# Each node is a network namespace, named with $PREFIX in front (natsim- if that is not set):
# ip netns exec natsim-NODE COMMAND runs a command in it.
set -eu

prefix=${PREFIX-natsim-}

up() {
	# internet, the Internet: its kernel routes between the sites
	ip netns add "${prefix}internet"
	ip -n "${prefix}internet" link set lo up
	ip netns exec "${prefix}internet" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
	ip netns exec "${prefix}internet" sysctl -q -w net.ipv6.conf.default.disable_ipv6=1
	ip netns exec "${prefix}internet" sysctl -q -w net.ipv4.ip_forward=1
	ip netns exec "${prefix}internet" sysctl -q -w net.ipv4.conf.all.rp_filter=0
	ip netns exec "${prefix}internet" sysctl -q -w net.ipv4.conf.default.rp_filter=0
	ip netns exec "${prefix}internet" sysctl -q -w net.ipv4.icmp_ratelimit=0

	# router-a, a router
	ip netns add "${prefix}router-a"
	ip -n "${prefix}router-a" link set lo up
	ip netns exec "${prefix}router-a" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
	ip netns exec "${prefix}router-a" sysctl -q -w net.ipv6.conf.default.disable_ipv6=1
	ip netns exec "${prefix}router-a" sysctl -q -w net.ipv4.ip_forward=1
	ip netns exec "${prefix}router-a" sysctl -q -w net.ipv4.conf.all.rp_filter=0
	ip netns exec "${prefix}router-a" sysctl -q -w net.ipv4.conf.default.rp_filter=0
	ip netns exec "${prefix}router-a" sysctl -q -w net.ipv4.icmp_ratelimit=0
	ip netns exec "${prefix}router-a" sysctl -q -w net.ipv4.conf.all.send_redirects=0
	ip netns exec "${prefix}router-a" sysctl -q -w net.ipv4.conf.default.send_redirects=0
	[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] ||
		ip netns exec "${prefix}router-a" sysctl -q -w net.bridge.bridge-nf-call-iptables=0

	# host-a, a host
	ip netns add "${prefix}host-a"
	ip -n "${prefix}host-a" link set lo up
	ip netns exec "${prefix}host-a" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
	ip netns exec "${prefix}host-a" sysctl -q -w net.ipv6.conf.default.disable_ipv6=1
	ip netns exec "${prefix}host-a" sysctl -q -w net.ipv4.ip_forward=0
	ip netns exec "${prefix}host-a" sysctl -q -w net.ipv4.conf.all.rp_filter=0
	ip netns exec "${prefix}host-a" sysctl -q -w net.ipv4.conf.default.rp_filter=0
	ip netns exec "${prefix}host-a" sysctl -q -w net.ipv4.icmp_ratelimit=0
	ip netns exec "${prefix}host-a" sysctl -q -w net.ipv4.tcp_orphan_retries=2

	# host-a2, a host
	ip netns add "${prefix}host-a2"
	ip -n "${prefix}host-a2" link set lo up
	ip netns exec "${prefix}host-a2" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
	ip netns exec "${prefix}host-a2" sysctl -q -w net.ipv6.conf.default.disable_ipv6=1
	ip netns exec "${prefix}host-a2" sysctl -q -w net.ipv4.ip_forward=0
	ip netns exec "${prefix}host-a2" sysctl -q -w net.ipv4.conf.all.rp_filter=0
	ip netns exec "${prefix}host-a2" sysctl -q -w net.ipv4.conf.default.rp_filter=0
	ip netns exec "${prefix}host-a2" sysctl -q -w net.ipv4.icmp_ratelimit=0
	ip netns exec "${prefix}host-a2" sysctl -q -w net.ipv4.tcp_orphan_retries=2

	# server, a host
	ip netns add "${prefix}server"
	ip -n "${prefix}server" link set lo up
	ip netns exec "${prefix}server" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
	ip netns exec "${prefix}server" sysctl -q -w net.ipv6.conf.default.disable_ipv6=1
	ip netns exec "${prefix}server" sysctl -q -w net.ipv4.ip_forward=0
	ip netns exec "${prefix}server" sysctl -q -w net.ipv4.conf.all.rp_filter=0
	ip netns exec "${prefix}server" sysctl -q -w net.ipv4.conf.default.rp_filter=0
	ip netns exec "${prefix}server" sysctl -q -w net.ipv4.icmp_ratelimit=0
	ip netns exec "${prefix}server" sysctl -q -w net.ipv4.tcp_orphan_retries=2

	# the links between them, still down
	ip -n "${prefix}internet" link add router-a address 02:00:00:00:01:01 numtxqueues 1 numrxqueues 1 type veth \
		peer name wan netns "${prefix}router-a" address 02:00:00:00:01:02 numtxqueues 1 numrxqueues 1
	ip -n "${prefix}internet" link add server address 02:00:00:00:02:01 numtxqueues 1 numrxqueues 1 type veth \
		peer name eth0 netns "${prefix}server" address 02:00:00:00:02:02 numtxqueues 1 numrxqueues 1
	ip -n "${prefix}router-a" link add lan type bridge stp_state 0 mcast_snooping 0
	ip -n "${prefix}router-a" link add host-a address 02:00:00:00:03:01 numtxqueues 1 numrxqueues 1 type veth \
		peer name eth0 netns "${prefix}host-a" address 02:00:00:00:03:02 numtxqueues 1 numrxqueues 1
	ip -n "${prefix}router-a" link set host-a master lan
	ip -n "${prefix}router-a" link add host-a2 address 02:00:00:00:04:01 numtxqueues 1 numrxqueues 1 type veth \
		peer name eth0 netns "${prefix}host-a2" address 02:00:00:00:04:02 numtxqueues 1 numrxqueues 1
	ip -n "${prefix}router-a" link set host-a2 master lan

	# internet
	ip -n "${prefix}internet" address add 198.51.100.1/24 brd + dev router-a
	ip -n "${prefix}internet" address add 203.0.113.1/24 brd + dev server
	ip -n "${prefix}internet" link set router-a up
	ip -n "${prefix}internet" link set server up

	# router-a, NAT model full-cone
	ip -n "${prefix}router-a" address add 198.51.100.2/24 brd + dev wan
	ip -n "${prefix}router-a" address add 10.1.0.1/24 brd + dev lan
	ip -n "${prefix}router-a" link set wan up
	ip -n "${prefix}router-a" link set lan up
	ip -n "${prefix}router-a" link set host-a up
	ip -n "${prefix}router-a" link set host-a2 up
	ip -n "${prefix}router-a" route add default via 198.51.100.1
	ip netns exec "${prefix}router-a" nft -f - <<'RULES'
# NAT model full-cone: Cone NAT that lets in whoever sends to a port it has mapped
# mapping endpoint-independent, filtering endpoint-independent, ports preserve
#
# Lifetimes and resets are also conntrack's, which these rules load. To be set then:
# sysctl -w net.netfilter.nf_conntrack_udp_timeout=120
# sysctl -w net.netfilter.nf_conntrack_udp_timeout_stream=120
# sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=7440
# sysctl -w net.netfilter.nf_conntrack_tcp_timeout_syn_sent=240
# sysctl -w net.netfilter.nf_conntrack_tcp_timeout_syn_recv=240
# sysctl -w net.netfilter.nf_conntrack_tcp_timeout_fin_wait=240
# sysctl -w net.netfilter.nf_conntrack_tcp_timeout_close_wait=240
# sysctl -w net.netfilter.nf_conntrack_tcp_timeout_last_ack=240
# sysctl -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=240
# sysctl -w net.netfilter.nf_conntrack_tcp_timeout_close=240
# sysctl -w net.netfilter.nf_conntrack_tcp_loose=0
# sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1
#
# Before version 1.0.6, nft takes the timeouts of maps and forgets them: no mapping ends.

# The interface towards the Internet, its address, and who is behind it. No rule has a name
# or an address of its own.
define OUTSIDE = "wan"
define ADDRESS = 198.51.100.2
define ADDRESSES = $ADDRESS
define INSIDE = 10.1.0.0/24

define L4 = { tcp, udp }
define STRANGER = 0x4e61
define OWN = 0x4e62
define PORTS = 1024-65535

table ip natsim
delete table ip natsim

# base: what every router here has. The other files add to this table and to these chains.
#
# own_stack: what becomes of packets for the router itself; own-stack-silent.nft adds to it.
# forwarded: what passes through at all; blocked-*.nft and quota.nft add to it.

table ip natsim {
	chain own_stack {
		type filter hook input priority filter; policy accept;
	}
	chain forwarded {
		type filter hook forward priority filter; policy accept;
	}
}

# own stack, silent: nothing that comes from outside may reach the router's own stack over the
# transports in $L4. A stack that accepts such a packet makes conntrack remember it as a flow of the
# router itself, and a later flow from inside that needs the same port is then moved to another one.
# The stack's own answers (RST, port unreachable) would also not be those the model asks for.

table ip natsim {
	chain own_stack {
		ip daddr $ADDRESSES meta l4proto $L4 drop
	}
}

# own packets: what the router itself sends, an answer to what filtering refuses or one of its own
# stack, permits nobody, owns no port and ends no mapping. Only what it forwards does. Stands before
# all that adds to the chain "remember"; see filtering.nft.

table ip natsim {
	chain own_packets {
		type filter hook output priority filter; policy accept;
		meta mark set $OWN
	}
	chain remember {
		type filter hook postrouting priority srcnat + 10; policy accept;
		meta mark $OWN return
	}
}

# filtering: who may send in (RFC 4787 and RFC 5382, section 5), the part all behaviours share.
#
# The chain sees what comes from outside and belongs to no flow conntrack knows, before anything
# is translated; what conntrack cannot place, as a segment of a connection it has forgotten, ends
# here. filtering-*.nft accept from it, unsolicited-*.nft end it. What is refused here is never
# confirmed by conntrack, so it leaves no trace that a later flow from inside could collide with.
# ICMP errors about a known flow are "related", not new, and pass (RFC 4787, REQ-12).

table ip natsim {
	chain filtering {
		type filter hook prerouting priority dstnat - 10; policy accept;
		iifname != $OUTSIDE accept
		meta l4proto != { tcp, udp } accept
		ct state invalid drop
		ct state != new accept
	}

	# Sees each packet as it leaves, when translation is done, and remembers it for as long as
	# conntrack remembers its flow: a TCP flow that conntrack holds for longer than the
	# transitory timeout is an established one.
	chain remember {
		type filter hook postrouting priority srcnat + 10; policy accept;
		meta l4proto udp jump permit_udp
		meta l4proto udp jump remember_udp_receiver
		meta l4proto udp goto remember_udp
		meta l4proto tcp ct expiration > 240s goto remember_tcp_established
		meta l4proto tcp goto remember_tcp_transitory
	}
	chain permit_udp {
	}
	# The mapping of the host that began the flow, and of the one that it came to.
	chain remember_udp {
	}
	chain remember_udp_receiver {
	}
	chain remember_tcp_established {
	}
	chain remember_tcp_transitory {
	}
}

# translation: what every router that translates has, whatever its behaviours.
#
# translate: which outside endpoint a new flow gets. mapping-*.nft add when it uses a mapping there
# is already, ports-*.nft which port it gets else. hairpinned: the same for flows to the router's
# outside address from inside, if hairpin-*.nft let them in.

table ip natsim {
	# What filtering let in. What the router's own stack is to have stays with it.
	chain inbound {
		type nat hook prerouting priority dstnat; policy accept;
		meta mark $STRANGER accept
	}

	# Sees the first packet of each flow. ICMP queries (RFC 5508) are left to conntrack.
	chain outbound {
		type nat hook postrouting priority srcnat; policy accept;
		oifname != $OUTSIDE goto hairpinned
		ip saddr != $INSIDE accept
		meta l4proto != { tcp, udp } snat ip to $ADDRESS
		goto translate
	}
	chain translate {
	}
	chain hairpinned {
	}

	# A packet that conntrack cannot place is not translated: it must not leave with its
	# inside address.
	chain leak {
		type filter hook postrouting priority srcnat + 5; policy accept;
		oifname $OUTSIDE ct state invalid drop
	}
}

# owners: each outside port belongs to one mapping at a time, and owner_of says to which inside
# endpoint. No two mappings share a port (RFC 4787, REQ-3, and RFC 5382, REQ-7: no port
# overloading), not even towards different destinations. Where the kernel draws the port, at random,
# it may draw one that has an owner; see the chain "clash" of mapping-*.nft.

table ip natsim {
	# protocol . outside port : inside address . inside port
	map owner_of {
		type inet_proto . inet_service : ipv4_addr . inet_service
		flags dynamic, timeout
		size 16384
	}

	# protocol . outside port, while a new mapping of it comes into being; see the chain "clash"
	# of mapping-*.nft.
	set claims {
		type inet_proto . inet_service
		flags dynamic, timeout
		size 16384
	}

	# What filtering let in goes to the owner of the port it came to.
	chain inbound {
		iifname $OUTSIDE ip daddr $ADDRESSES meta l4proto $L4 \
			dnat ip to meta l4proto . th dport map @owner_of
	}

	# An owner keeps its port as long as packets pass in either direction, unless refresh-*.nft
	# say otherwise (RFC 4787, REQ-6). Both in flows begun inside, whose answers come to our
	# address, and in flows begun outside, which came to it themselves.
	chain remember_udp {
		meta l4proto udp ct reply ip daddr $ADDRESSES \
			update @owner_of { \
			meta l4proto . ct reply proto-dst timeout 120s : \
			ct original ip saddr . ct original proto-src }
	}
	chain remember_udp_receiver {
		meta l4proto udp ct original ip daddr $ADDRESSES \
			update @owner_of { \
			meta l4proto . ct original proto-dst timeout 120s : \
			ct reply ip saddr . ct reply proto-src }
	}
	chain remember_tcp_established {
		meta l4proto tcp ct reply ip daddr $ADDRESSES \
			update @owner_of { \
			meta l4proto . ct reply proto-dst timeout 7440s : \
			ct original ip saddr . ct original proto-src }
		meta l4proto tcp ct original ip daddr $ADDRESSES \
			update @owner_of { \
			meta l4proto . ct original proto-dst timeout 7440s : \
			ct reply ip saddr . ct reply proto-src }
	}
	chain remember_tcp_transitory {
		meta l4proto tcp ct reply ip daddr $ADDRESSES \
			update @owner_of { \
			meta l4proto . ct reply proto-dst timeout 240s : \
			ct original ip saddr . ct original proto-src }
		meta l4proto tcp ct original ip daddr $ADDRESSES \
			update @owner_of { \
			meta l4proto . ct original proto-dst timeout 240s : \
			ct reply ip saddr . ct reply proto-src }
	}
}

# mapping, endpoint-independent (RFC 4787, REQ-1; RFC 5382, REQ-1): an inside endpoint keeps its
# outside endpoint whomever it talks to.

table ip natsim {
	# protocol . inside address . inside port : outside address . outside port
	map mapping_of {
		type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service
		flags dynamic, timeout
		size 16384
	}

	chain translate {
		snat ip to meta l4proto . ip saddr . th sport map @mapping_of
	}

	# A new mapping that drew somebody's port is dropped before it exists; the packet that is
	# sent again draws once more. Only a flow's first packet is not confirmed yet.
	#
	# Two packets that two processors translate at the same moment may get the same port, which
	# then has no owner yet. The first to claim it goes on; the limit lets none after it pass.
	chain clash {
		type filter hook postrouting priority srcnat + 5; policy accept;
		meta l4proto $L4 ct reply ip daddr $ADDRESSES \
			ct direction original ct status & confirmed == 0 \
			meta l4proto . ct original ip saddr . ct original proto-src != @mapping_of \
			meta l4proto . ct reply proto-dst @owner_of drop
		meta l4proto $L4 ct reply ip daddr $ADDRESSES \
			ct direction original ct status & confirmed == 0 \
			meta l4proto . ct original ip saddr . ct original proto-src != @mapping_of \
			add @claims { meta l4proto . ct reply proto-dst timeout 1s \
			limit rate over 1/hour burst 1 packets } drop
	}

	# A mapping lives as long as its port has an owner; see owners.nft.
	chain remember_udp {
		meta l4proto udp ct reply ip daddr $ADDRESSES \
			update @mapping_of { \
			meta l4proto . ct original ip saddr . ct original proto-src \
			timeout 120s : ct reply ip daddr . ct reply proto-dst }
	}
	chain remember_udp_receiver {
		meta l4proto udp ct original ip daddr $ADDRESSES \
			update @mapping_of { \
			meta l4proto . ct reply ip saddr . ct reply proto-src \
			timeout 120s : ct original ip daddr . ct original proto-dst }
	}
	chain remember_tcp_established {
		meta l4proto tcp ct reply ip daddr $ADDRESSES \
			update @mapping_of { \
			meta l4proto . ct original ip saddr . ct original proto-src \
			timeout 7440s : ct reply ip daddr . ct reply proto-dst }
		meta l4proto tcp ct original ip daddr $ADDRESSES \
			update @mapping_of { \
			meta l4proto . ct reply ip saddr . ct reply proto-src \
			timeout 7440s : ct original ip daddr . ct original proto-dst }
	}
	chain remember_tcp_transitory {
		meta l4proto tcp ct reply ip daddr $ADDRESSES \
			update @mapping_of { \
			meta l4proto . ct original ip saddr . ct original proto-src \
			timeout 240s : ct reply ip daddr . ct reply proto-dst }
		meta l4proto tcp ct original ip daddr $ADDRESSES \
			update @mapping_of { \
			meta l4proto . ct reply ip saddr . ct reply proto-src \
			timeout 240s : ct original ip daddr . ct original proto-dst }
	}
}

# ports, preserve: a new mapping gets the inside port if that lies in the range and belongs to
# nobody (RFC 4787, section 4.2.1). The next file says what it gets else.

table ip natsim {
	chain translate {
		meta l4proto $L4 th sport $PORTS meta l4proto . th sport != @owner_of \
			snat ip to $ADDRESS
	}
}

# ports, random: a new mapping gets a random port of the range, whatever the inside port is.

table ip natsim {
	chain translate {
		meta l4proto $L4 snat ip to $ADDRESS : $PORTS random
	}
}

# filtering, endpoint-independent (RFC 4787, section 5): whoever sends to a port that a mapping
# holds gets in.

table ip natsim {
	chain filtering {
		meta l4proto . th dport @owner_of accept
	}
}

# unsolicited udp, drop: what filtering refuses gets no answer.

table ip natsim {
	chain filtering {
		meta l4proto udp drop
	}
}

# unsolicited tcp, drop: what filtering refuses gets no answer (RFC 5382, REQ-4, which wants an
# ICMP error only after six seconds, for a simultaneous open to have time).

table ip natsim {
	chain filtering {
		meta l4proto tcp drop
	}
}
RULES
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_udp_timeout=120
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_udp_timeout_stream=120
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_established=7440
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_syn_sent=240
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_syn_recv=240
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_fin_wait=240
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_close_wait=240
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_last_ack=240
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=240
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_close=240
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_loose=0
	ip netns exec "${prefix}router-a" sysctl -q -w net.netfilter.nf_conntrack_tcp_be_liberal=1

	# host-a
	ip -n "${prefix}host-a" address add 10.1.0.2/24 brd + dev eth0
	ip -n "${prefix}host-a" link set eth0 up
	ip -n "${prefix}host-a" route add default via 10.1.0.1

	# host-a2
	ip -n "${prefix}host-a2" address add 10.1.0.3/24 brd + dev eth0
	ip -n "${prefix}host-a2" link set eth0 up
	ip -n "${prefix}host-a2" route add default via 10.1.0.1

	# server
	ip -n "${prefix}server" address add 203.0.113.10/24 brd + dev eth0
	ip -n "${prefix}server" address add 203.0.113.20/24 brd + dev eth0
	ip -n "${prefix}server" link set eth0 up
	ip -n "${prefix}server" route add default via 203.0.113.1
}

down() {
	for node in server host-a2 host-a router-a internet; do
		if [ -e "/run/netns/$prefix$node" ]; then
			ip netns delete "$prefix$node"
		fi
	done
}

case "${1-}" in
up) up ;;
down) down ;;
*)
	echo "usage: $0 up|down" >&2
	exit 2
	;;
esac
