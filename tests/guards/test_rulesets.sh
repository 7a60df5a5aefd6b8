#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `natsim model show --nft` prints, nft takes: for a router without natsim.
set -eu
# shellcheck source=tests/guards/tap.sh
. "$(dirname "$0")/tap.sh"

# nft -c asks the kernel too, in a network of its own and with a user of its own.
take() {
	unshare -rn nft -c -f "$1"
}

nft_takes_the_ruleset_of_every_model() {
	make -C "$top" --no-print-directory install DESTDIR="$PWD/root" PREFIX=/usr >made 2>&1
	natsim=root/usr/bin/natsim
	export NATSIM_DATA="$top"
	count=0
	for model in $($natsim models --names); do
		$natsim model show "$model" --nft >"$model.nft"
		take "$model.nft" || {
			echo "$model"
			return 1
		}
		count=$((count + 1))
	done
	[ "$count" -ge 50 ]
}

nft_does_not_take_anything() {
	echo 'table ip natsim { chain x { nonsense; }; }' >bad.nft
	! take bad.nft 2>/dev/null
}

run nft_takes_the_ruleset_of_every_model nft_does_not_take_anything
