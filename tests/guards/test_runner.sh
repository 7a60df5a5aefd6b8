#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The test runner counts what it should, and no failure gets past it.
set -eu
# shellcheck source=tests/guards/tap.sh
. "$(dirname "$0")/tap.sh"

# program NAME LINE...: makes a program of shell lines.
program() {
	file=$1
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$file"
	chmod +x "$file"
}

# cases RESULT...: lines that print a cmocka report. "dies" begins a case and never ends it.
cases() {
	for result in "$@"; do
		echo "echo '[ RUN      ] it_$result'"
		case $result in
		passes) echo "echo '[       OK ] it_passes'" ;;
		fails) echo "echo '[  FAILED  ] it_fails'" ;;
		skips) echo "echo 'skip: no such kernel'; echo '[  SKIPPED ] it_skips'" ;;
		esac
	done
	echo "echo '[==========] $# test(s) run.'"
}

# reports STATUS TOTALS PROGRAM...: the runner's exit status and last line.
reports() {
	status=$1
	totals=$2
	shift 2
	ended=0
	MUST_RUN=${must_run:-0} "$top/ci/run-tests" "$@" >said 2>&1 || ended=$?
	cat said
	[ "$ended" = "$status" ] && [ "$(tail -n 1 said)" = "$totals" ]
}

cases_are_counted_over_all_programs() {
	program ./one "$(cases passes passes)"
	program ./two "$(cases passes)" 'exit 0'
	reports 0 '3 passed, 0 failed' ./one ./two
}

a_failed_case_fails_the_run_and_shows_its_output() {
	program ./one "$(cases passes fails)" 'echo of-interest; exit 1'
	reports 1 '1 passed, 1 failed' ./one
	grep -q '^of-interest' said
}

a_failed_case_counts_whatever_the_exit_status() {
	program ./one "$(cases fails)" 'exit 0'
	reports 1 '0 passed, 1 failed' ./one
}

a_program_that_dies_fails_in_the_case_it_was_in() {
	program ./one "$(cases passes dies)" 'kill -ABRT $$'
	reports 1 '1 passed, 1 failed' ./one
	grep -q 'ended by signal 6' said
}

a_bad_exit_after_good_cases_is_a_failure() {
	program ./one "$(cases passes)" 'exit 23'
	reports 1 '1 passed, 1 failed' ./one
	grep -q 'exit status 23' said
}

a_program_without_a_case_is_a_failure() {
	program ./one 'echo hello'
	reports 1 '0 passed, 1 failed' ./one
}

a_program_that_is_not_there_is_a_failure() {
	reports 1 '0 passed, 1 failed' ./none
}

a_program_that_never_ends_is_ended() {
	mkfifo forever
	program ./one "$(cases passes dies)" 'read -r line <forever'
	LIMIT_S=1 reports 1 '1 passed, 1 failed' ./one
	grep -q 'still running after 1 s' said
}

a_skip_tells_its_reason() {
	program ./one "$(cases passes skips)"
	reports 0 '1 passed, 0 failed (1 skipped)' ./one
	grep -q 'SKIP .*it_skips: no such kernel' said
}

a_skip_is_a_failure_where_everything_must_run() {
	program ./one "$(cases passes skips)"
	must_run=1
	reports 1 '1 passed, 1 failed (1 skipped, which counts as failed here)' ./one
}

tap_is_understood_too() {
	program ./one 'echo "ok 1 - first"' 'echo "not ok 2 - second"' 'echo "ok 3 - third # SKIP no root"'
	reports 1 '1 passed, 1 failed (1 skipped)' ./one
	grep -q 'SKIP .*third: no root' said
}

text_that_looks_like_a_result_of_another_case_is_ignored() {
	program ./one 'echo "[ RUN      ] outer"' 'echo "[       OK ] inner"' 'echo "[       OK ] outer"' \
		'echo "[  FAILED  ] outer"'
	reports 0 '1 passed, 0 failed' ./one
}

run cases_are_counted_over_all_programs \
	a_failed_case_fails_the_run_and_shows_its_output \
	a_failed_case_counts_whatever_the_exit_status \
	a_program_that_dies_fails_in_the_case_it_was_in \
	a_bad_exit_after_good_cases_is_a_failure \
	a_program_without_a_case_is_a_failure \
	a_program_that_is_not_there_is_a_failure \
	a_program_that_never_ends_is_ended \
	a_skip_tells_its_reason \
	a_skip_is_a_failure_where_everything_must_run \
	tap_is_understood_too \
	text_that_looks_like_a_result_of_another_case_is_ignored
