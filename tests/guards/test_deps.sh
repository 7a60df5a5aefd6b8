#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ci/deps, before stand-ins for package managers: a PATH in which only named programs are.
# shellcheck disable=SC2016 # the stand-ins are to expand what they are given
set -eu
# shellcheck source=tests/guards/tap.sh
. "$(dirname "$0")/tap.sh"

# A bin/ with what ci/deps itself runs, and everything it looks for, as programs that succeed.
machine() {
	mkdir bin
	for tool in sh awk tr cat chmod env; do
		ln -s "$(command -v "$tool")" "bin/$tool"
	done
	for tool in make nft ip sysctl setpriv bash turnutils_natdiscovery tshark shellcheck clang-format \
		clang-tidy valgrind; do
		stand_in "$tool"
	done
	stand_in cc 'cat >/dev/null'
	stand_in pkg-config
	stand_in id 'echo 1000'
}

# stand_in NAME [LINE...]: a program of shell lines, which also notes that it was called.
stand_in() {
	name=$1
	shift
	rm -f "bin/$name"
	printf '%s\n' "#!$PWD/bin/sh" "echo $name \"\$@\" >>$PWD/calls" "$@" >"bin/$name"
	chmod +x "bin/$name"
}

# Runs ci/deps on the machine; what it says is in the file "said". The copy looks nowhere else.
deps() {
	sed "s|^PATH=.*|PATH=$PWD/bin|" "$top/ci/deps" >deps.sh
	PATH=$PWD/bin sh deps.sh >said 2>&1 </dev/null
}

nothing_is_done_or_said_where_all_is_there() {
	machine
	stand_in apt-get
	deps
	[ ! -s said ]
	refuses grep -q apt calls
}

fedora_arch_and_alpine_are_told_the_command() {
	for pair in dnf:'sudo dnf install libmnl-devel wireshark-cli' \
		pacman:'sudo pacman -S --needed libmnl wireshark-cli' apk:'sudo apk add libmnl-dev tshark'; do
		machine
		stand_in "${pair%%:*}"
		stand_in pkg-config 'case $2 in libmnl) exit 1 ;; esac'
		rm bin/tshark
		refuses deps
		grep -q "missing: libmnl, tshark$" said
		grep -q "install with: ${pair#*:} *$" said
		refuses grep -q "^${pair%%:*}" calls
		rm -r bin calls
	done
}

an_unknown_system_is_told_what_is_missing() {
	machine
	rm bin/nft
	refuses deps
	grep -q 'missing: nft$' said
}

# apt_machine UID: a Debian without tshark, where apt-get install brings it.
apt_machine() {
	machine
	rm bin/tshark
	stand_in id "echo $1"
	stand_in apt-cache
	stand_in apt-get "case \$1 in install) echo >$PWD/bin/tshark; chmod +x $PWD/bin/tshark ;; esac"
}

root_on_debian_gets_what_is_missing_and_no_more() {
	apt_machine 0
	deps
	grep -q '^apt-get install .*--no-install-recommends tshark$' calls
}

a_user_on_debian_goes_through_sudo() {
	apt_machine 1000
	stand_in sudo '[ "$1" = -n ] || "$@"'
	deps
	grep -q '^sudo env DEBIAN_FRONTEND=noninteractive apt-get install .* tshark$' calls
}

a_user_without_sudo_is_told_the_command() {
	apt_machine 1000
	refuses deps
	grep -q 'sudo apt-get install --no-install-recommends tshark *$' said
	refuses grep -q '^apt-get' calls
}

what_apt_cannot_bring_is_named() {
	apt_machine 0
	rm bin/valgrind
	refuses deps
	grep -q 'missing: valgrind$' said
}

the_version_that_lint_wants_is_preferred_where_apt_has_it() {
	apt_machine 0
	rm bin/clang-format
	refuses deps
	grep -q '^apt-get install .* clang-format-14$' calls
	stand_in apt-cache 'exit 100'
	refuses deps
	grep -q '^apt-get install .* clang-format$' calls
}

run nothing_is_done_or_said_where_all_is_there \
	fedora_arch_and_alpine_are_told_the_command \
	an_unknown_system_is_told_what_is_missing \
	root_on_debian_gets_what_is_missing_and_no_more \
	a_user_on_debian_goes_through_sudo \
	a_user_without_sudo_is_told_the_command \
	what_apt_cannot_bring_is_named \
	the_version_that_lint_wants_is_preferred_where_apt_has_it
