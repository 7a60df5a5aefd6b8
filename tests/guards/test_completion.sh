#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What bash offers for a line of natsim, whose lists are stand-ins.
set -eu
# shellcheck source=tests/guards/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=completions/natsim.bash
. "$top/completions/natsim.bash"

natsim() {
	case "$*" in
	'models --names') printf '%s\n' full-cone open ;;
	'topologies --names') printf '%s\n' one-home two-homes ;;
	esac
}

# offers EXPECTED WORD...: what is offered for the last word, sorted and between blanks.
offers() {
	expected=$1
	shift
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_natsim
	got=$(printf '%s\n' "${COMPREPLY[@]}" | sort -u | xargs)
	echo "offered: $got"
	[ "$got" = "$expected" ]
}

verbs_are_offered_first() {
	offers 'model models' natsim mod
	offers plan natsim pl
}

models_are_offered_by_name() {
	offers 'full-cone open' natsim classify ''
	offers full-cone natsim classify open f
	offers open natsim model show o
	offers show natsim model ''
}

topologies_are_offered_once() {
	offers 'one-home two-homes' natsim exec ''
	offers two-homes natsim plan --nat a = open two
	offers '' natsim plan two-homes ''
}

a_nat_is_a_role_and_a_model() {
	compopt() { :; }
	offers 'a= b=' natsim exec two-homes --nat ''
	offers 'full-cone open' natsim exec two-homes --nat a =
	offers full-cone natsim exec two-homes --nat a = fu
}

options_are_those_of_the_verb() {
	offers --script natsim plan two-homes --s
	offers --tables natsim exec two-homes --t
	offers '--json --nft' natsim model show open -
	offers --print natsim replay --
}

a_command_is_offered_behind_two_dashes() {
	offers setpriv natsim exec two-homes host-a -- setpri
}

run verbs_are_offered_first \
	models_are_offered_by_name \
	topologies_are_offered_once \
	a_nat_is_a_role_and_a_model \
	options_are_those_of_the_verb \
	a_command_is_offered_behind_two_dashes
