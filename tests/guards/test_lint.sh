#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The guards of `make lint` are quiet about good code, and each notices a planted mistake.
set -eu
# shellcheck source=tests/guards/tap.sh
. "$(dirname "$0")/tap.sh"

licence='// SPDX-License-Identifier: GPL-2.0-or-later'

# plant FILE LINE...: writes a file of the tree in the scratch folder.
plant() {
	mkdir -p "$(dirname "$1")"
	file=$1
	shift
	printf '%s\n' "$licence" "$@" >"$file"
}

# layering_refuses FILE INCLUDE
layering_refuses() {
	plant "$1" "#include $2"
	"$top/ci/layering" "$1" >said && return 1
	grep -q "^$1:2: " said
}

layering_lets_each_layer_include_what_is_below() {
	plant lib/a.c '#include "lib/err.h"' '#include <string.h>'
	plant peers/core/b.c '#include "lib/err.h"' '#include "peers/core/machine.h"'
	plant peers/c.c '#include "peers/core/machine.h"' '#include <sys/epoll.h>'
	plant sim/model/d.c '#include "peers/core/machine.h"' '#include <cyaml/cyaml.h>'
	plant sim/lab/e.c '#include "sim/model/plan.h"' '#include <libmnl/libmnl.h>'
	plant sim/experiment/f.c '#include "sim/lab/lab.h"' '#include <dirent.h>'
	plant sim/verbs/g.c '#include "sim/report/json.h"'
	"$top/ci/layering" lib/a.c peers/core/b.c peers/c.c sim/model/d.c sim/lab/e.c sim/experiment/f.c \
		sim/verbs/g.c
}

layering_refuses_includes_that_point_up() {
	layering_refuses lib/a.c '"peers/core/machine.h"'
	layering_refuses peers/core/a.c '"sim/model/link.h"'
	layering_refuses peers/a.c '"sim/model/link.h"'
	layering_refuses sim/model/a.c '"sim/lab/netns.h"'
	layering_refuses sim/lab/a.c '"sim/experiment/suite.h"'
	layering_refuses sim/report/a.c '"sim/verbs/verbs.h"'
}

layering_keeps_the_harness_apart_from_the_peers_driver() {
	layering_refuses sim/experiment/a.c '"peers/loop.h"'
	layering_refuses sim/lab/a.c '"peers/loop.h"'
}

layering_refuses_system_headers_in_pure_layers() {
	layering_refuses lib/a.c '<time.h>'
	layering_refuses peers/core/a.c '<sys/socket.h>'
	layering_refuses sim/model/a.c '<unistd.h>'
}

layering_lets_sim_lab_alone_include_libmnl_and_libnftables() {
	layering_refuses sim/experiment/a.c '<libmnl/libmnl.h>'
	layering_refuses sim/verbs/a.c '<nftables/libnftables.h>'
}

layering_refuses_a_folder_it_does_not_know() {
	layering_refuses sim/misc/a.c '"lib/err.h"'
}

# compile LINE...: makes a.o of them.
compile() {
	plant a.c "$@"
	cc -O2 -c a.c
}

purity_lets_pure_code_pass() {
	compile '#include <stdlib.h>' '#include <string.h>' \
		'int b(void);' 'char *a(const char *s) { return b() ? strdup(s) : malloc(3); }' \
		'static const char *const names[] = { "x", "y" };' 'const char *n(int i) { return names[i]; }'
	mv a.o first.o
	compile 'int b(void);' 'int b(void) { return 0; }'
	"$top/ci/purity" a.o first.o
}

# purity_refuses NAME LINE...
purity_refuses() {
	name=$1
	shift
	compile "$@"
	"$top/ci/purity" a.o >said && return 1
	grep -q "[^a-z]${name}[^a-z].*a\.o\|a\.o: ${name}[. ]" said
}

purity_refuses_clock_file_socket_entropy_and_environment() {
	purity_refuses time '#include <time.h>' 'long a(void) { return time(NULL); }'
	purity_refuses fopen '#include <stdio.h>' 'FILE *a(void) { return fopen("x", "r"); }'
	purity_refuses socket '#include <sys/socket.h>' 'int a(void) { return socket(1, 1, 0); }'
	purity_refuses rand '#include <stdlib.h>' 'int a(void) { return rand(); }'
	purity_refuses getenv '#include <stdlib.h>' 'char *a(void) { return getenv("HOME"); }'
	purity_refuses stderr '#include <stdio.h>' 'FILE *a(void) { return stderr; }'
}

purity_refuses_variables_that_outlive_their_function() {
	purity_refuses counter 'int counter;' 'int a(void) { return counter++; }'
	purity_refuses number 'static int number = 3;' 'int a(void) { return number++; }'
	purity_refuses calls 'int a(void) { static int calls; return calls++; }'
}

names_refuse_a_function_that_a_library_has_too() {
	plant a.c 'int main(void) { return 0; }'
	cc -o good a.c
	"$top/ci/names" good
	plant a.c 'char *getenv(const char *name) { return (char *)name; }' 'int main(void) { return 0; }'
	cc -o bad a.c
	refuses "$top/ci/names" good bad
}

# conventions_refuse FILE LINE...
conventions_refuse() {
	plant "$@"
	"$top/ci/conventions" "$1" >said && return 1
	grep -q "^$1:" said
}

conventions_let_clean_files_pass() {
	plant tests/unit/a.c 'static void one_is_one(void **state)' 'const char *word = "sleep";'
	plant tests/unit/b.c 'static void two_is_two(void **state)'
	"$top/ci/conventions" tests/unit/a.c tests/unit/b.c
}

conventions_refuse_a_file_without_a_licence() {
	echo 'int a;' >a.c
	refuses "$top/ci/conventions" a.c
}

conventions_refuse_unfinished_work() {
	conventions_refuse a.c "/* TO""DO: mend */"
	conventions_refuse a.c "/* FIX""ME */"
}

conventions_refuse_sleep_in_a_test() {
	conventions_refuse tests/unit/a.c "	usle""ep(100);"
	conventions_refuse tests/unit/a.c "	(void)nanosle""ep(&t, NULL);"
	conventions_refuse tests/guards/a.sh "x=1; sle""ep 1"
}

conventions_refuse_a_test_name_used_twice() {
	plant tests/unit/a.c 'static void one_is_one(void **state)'
	plant tests/lab/b.c 'static void one_is_one(void **state)'
	refuses "$top/ci/conventions" tests/unit/a.c tests/lab/b.c
}

run layering_lets_each_layer_include_what_is_below \
	layering_refuses_includes_that_point_up \
	layering_keeps_the_harness_apart_from_the_peers_driver \
	layering_refuses_system_headers_in_pure_layers \
	layering_lets_sim_lab_alone_include_libmnl_and_libnftables \
	layering_refuses_a_folder_it_does_not_know \
	purity_lets_pure_code_pass \
	purity_refuses_clock_file_socket_entropy_and_environment \
	purity_refuses_variables_that_outlive_their_function \
	names_refuse_a_function_that_a_library_has_too \
	conventions_let_clean_files_pass \
	conventions_refuse_a_file_without_a_licence \
	conventions_refuse_unfinished_work \
	conventions_refuse_sleep_in_a_test \
	conventions_refuse_a_test_name_used_twice
