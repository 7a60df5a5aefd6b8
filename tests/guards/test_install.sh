#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make install` puts somewhere works there and goes again.
set -eu
# shellcheck source=tests/guards/tap.sh
. "$(dirname "$0")/tap.sh"

make_quietly() {
	make -C "$top" --no-print-directory "$@" >made 2>&1 || {
		cat made
		return 1
	}
}

an_installed_natsim_finds_its_programs_and_data() {
	make_quietly install DESTDIR="$PWD/root" PREFIX=/usr
	[ "$(NATSIM_DATA=$PWD/root/usr/share/natsim root/usr/bin/natsim models --names | wc -l)" -ge 6 ]
	[ -x root/usr/libexec/natsim/peer ]
	[ -x root/usr/libexec/natsim/rendezvous ]
	[ -s root/usr/share/natsim/nat_models/rules/base.nft ]
	[ -s root/usr/share/natsim/topologies/two-homes.yaml ]
	[ -s root/usr/share/natsim/suites/all.yaml ]
	[ -s root/usr/share/man/man1/natsim.1 ]
	[ -s root/usr/share/bash-completion/completions/natsim ]
}

the_man_page_and_the_completion_know_every_verb_and_option() {
	make_quietly install DESTDIR="$PWD/root" PREFIX=/usr
	verbs=$(root/usr/bin/natsim help | awk '/^  [a-z]/ { print $1 }')
	[ -n "$verbs" ]
	for verb in $verbs; do
		for word in "$verb" $(root/usr/bin/natsim help "$verb" | grep -oE -e '--[a-z]+|-j'); do
			echo "$verb: $word"
			sed 's/\\-/-/g' "$top/docs/natsim.1" | grep -qw -e "$word"
			grep -qw -e "$word" "$top/completions/natsim.bash"
		done
	done
}

uninstall_leaves_no_file() {
	make_quietly install DESTDIR="$PWD/root" PREFIX=/usr
	make_quietly uninstall DESTDIR="$PWD/root" PREFIX=/usr
	[ -z "$(find root ! -type d)" ]
}

run an_installed_natsim_finds_its_programs_and_data \
	the_man_page_and_the_completion_know_every_verb_and_option \
	uninstall_leaves_no_file
