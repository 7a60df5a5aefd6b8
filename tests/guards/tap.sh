# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Sourced by the tests in this folder. A test is a function named as the sentence it proves;
# `run NAME...` runs each in a scratch folder of its own and reports in TAP.

top=$(cd "$(dirname "$0")/../.." && pwd)
export top

# Succeeds if the command fails.
refuses() {
	! "$@"
}

run() {
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 130' INT TERM HUP
	number=0
	status=0
	for name in "$@"; do
		number=$((number + 1))
		mkdir "$scratch/$name"
		# Not in an "if": the shell would ignore set -e inside.
		set +e
		(
			set -e
			cd "$scratch/$name"
			"$name"
		) >"$scratch/log" 2>&1
		ended=$?
		set -e
		if [ $ended = 0 ]; then
			echo "ok $number - $name"
		else
			sed 's/^/# /' "$scratch/log"
			echo "not ok $number - $name"
			status=1
		fi
	done
	exit $status
}
