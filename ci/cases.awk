# Reads what a test program printed; writes a line for each test case: its result (passed, failed or
# skipped), its name and, if skipped, the reason, between tabs.
#
# Understood are cmocka ("[ RUN      ] name", then "[       OK ] name") and TAP ("ok 1 - name"). A case
# that began and never ended is the one the program died in. A case says why it skips in a line
# "skip: REASON". Marks may stand behind text that a case printed without a newline.

function close_case(result) {
	print result "\t" name (result == "skipped" ? "\t" reason : "")
	name = ""
	reason = "no reason given"
}

# True if the line has mark in it; what stands behind it is then in rest.
function has(mark,    at) {
	at = index($0, mark)
	if (at > 0)
		rest = substr($0, at + length(mark))
	return at > 0
}

BEGIN {
	reason = "no reason given"
}

has("[ RUN      ] ") {
	if (name != "")
		close_case("failed")
	name = rest
	next
}

name != "" && has("[       OK ] ") && rest == name {
	close_case("passed")
}

name != "" && (has("[  FAILED  ] ") || has("[  ERROR   ] ")) && rest == name {
	close_case("failed")
}

name != "" && has("[  SKIPPED ] ") && rest == name {
	close_case("skipped")
}

has("skip: ") {
	reason = rest
}

/^(not )?ok [0-9]+/ {
	result = /^not/ ? "failed" : "passed"
	sub(/^(not )?ok [0-9]+( -)? */, "")
	name = $0
	if (has(" # SKIP ")) {
		result = "skipped"
		reason = rest
		sub(/ # SKIP .*/, "", name)
	}
	close_case(result)
}

END {
	if (name != "")
		close_case("failed")
}
