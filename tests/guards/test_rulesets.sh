#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `natsim model show --nft` prints, nft takes: for a router without natsim, which has other
# interfaces and addresses and says so in the defines at the head.
set -eu
# shellcheck source=tests/guards/tap.sh
. "$(dirname "$0")/tap.sh"

# nft asks the kernel too, in a network of its own and with a user of its own.
take() {
	unshare -rn nft -c -f "$1"
}

install_natsim() {
	make -C "$top" --no-print-directory install DESTDIR="$PWD/root" PREFIX=/usr >made 2>&1
	natsim=root/usr/bin/natsim
	export NATSIM_DATA="$top"
}

# All that comes with natsim, and what none of them has.
every_model() {
	$natsim models --names
	cat >forwards.yaml <<-END
		about: A pool with forwards
		mapping: endpoint-independent
		filtering: address-dependent
		pool: { addresses: 3 }
		forwards: [ { transport: tcp, port: 80, host: 2, host_port: 8080 } ]
		hairpin: external-source
		rst: any
	END
	printf 'about: x\nmapping: none\nfiltering: address-dependent\n%s\n' \
		'tcp: { filtering: endpoint-independent }' >half.yaml
	echo "$PWD/half.yaml"
	echo "$PWD/forwards.yaml"
}

# Names and addresses of the ruleset on standard input that stand in rules below its head.
literals_of_the_body() {
	awk '
		/^table / { body = 1 }
		body && !/^[ \t]*#/ && /[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|"/ { print FNR ": " $0 }'
}

# The same ruleset for another router: only the values of the defines change.
move() {
	sed -E -e '/^table /,$ b' \
		-e 's/^(define OUTSIDE = ).*/\1"ppp0"/' \
		-e 's/^(define [A-Z0-9_]+ = )198\.51\.100\./\1203.0.113.10/' \
		-e 's/^(define [A-Z0-9_]+ = )10\.1\.0\./\1192.168.7./'
}

nft_takes_the_ruleset_of_every_model() {
	install_natsim
	count=0
	for model in $(every_model); do
		$natsim model show "$model" --nft >one.nft
		take one.nft || {
			echo "$model"
			return 1
		}
		count=$((count + 1))
	done
	[ "$count" -ge 50 ]
}

only_the_head_has_names_and_addresses() {
	install_natsim
	for model in $(every_model); do
		$natsim model show "$model" --nft >one.nft
		literals_of_the_body <one.nft >literals
		[ ! -s literals ] || {
			echo "$model"
			cat literals
			return 1
		}
	done
}

# Loaded in earnest, for what the kernel holds then to be seen.
another_router_changes_the_defines_and_nothing_else() {
	install_natsim
	for model in $(every_model); do
		$natsim model show "$model" --nft | move >moved.nft
		# shellcheck disable=SC2016 # $1 is the inner shell's
		unshare -rn sh -c 'nft -f "$1" && nft list ruleset' sh moved.nft >loaded || {
			echo "$model"
			return 1
		}
		! grep -E '"wan"|198\.51\.100|10\.1\.0\.' loaded || {
			echo "$model"
			return 1
		}
		grep -q '^table ip natsim' loaded
	done
	# The last one: a pool of three, and a forward.
	grep -q '203.0.113.104' loaded && grep -q '192.168.7.2 . 8080' loaded && grep -q ppp0 loaded
}

# The sysctls are comments, and conntrack has them once the rules are loaded.
the_sysctls_of_the_head_can_be_set() {
	install_natsim
	for model in linux-masquerade rst-kills; do
		$natsim model show "$model" --nft >one.nft
		sed -n 's/^# \(sysctl -w \)/\1/p' one.nft >sysctls
		grep -q nf_conntrack_udp_timeout_stream sysctls
		unshare -rn sh -ec 'nft -f one.nft; . ./sysctls' >were_set
		[ "$(wc -l <were_set)" -eq "$(wc -l <sysctls)" ]
	done
}

nft_does_not_take_anything() {
	echo 'table ip natsim { chain x { nonsense; }; }' >bad.nft
	! take bad.nft 2>/dev/null
}

an_address_in_a_rule_is_seen() {
	printf 'define A = 192.0.2.1\ntable ip t {\n# 4.2.1\n}\n' >good.nft
	[ -z "$(literals_of_the_body <good.nft)" ]
	printf 'table ip t {\nip saddr 192.0.2.1\n}\n' | literals_of_the_body | grep -q 192.0.2.1
	printf 'table ip t {\niifname "wan"\n}\n' | literals_of_the_body | grep -q wan
}

run nft_takes_the_ruleset_of_every_model only_the_head_has_names_and_addresses \
	another_router_changes_the_defines_and_nothing_else the_sysctls_of_the_head_can_be_set \
	nft_does_not_take_anything an_address_in_a_rule_is_seen
