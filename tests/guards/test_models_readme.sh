#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The table in nat_models/README.md is that of the models there are.
set -eu
# shellcheck source=tests/guards/tap.sh
. "$(dirname "$0")/tap.sh"

# The README as it should be, made with the models below a folder.
readme_of() {
	make -C "$top" --no-print-directory install DESTDIR="$PWD/root" PREFIX=/usr >made 2>&1
	(cd "$top" && NATSIM_DATA=$1 ci/models-readme "$OLDPWD/root/usr/bin/natsim")
}

the_readme_of_the_models_is_current() {
	readme_of "$top" >wanted
	diff "$top/nat_models/README.md" wanted
}

a_model_more_is_a_line_more() {
	mkdir data
	cp -r "$top/nat_models" "$top/topologies" data
	cp data/nat_models/full-cone.yaml data/nat_models/one-more.yaml
	readme_of "$PWD/data" >wanted
	[ "$(diff "$top/nat_models/README.md" wanted | grep -c '^[<>]')" -eq 1 ]
}

run the_readme_of_the_models_is_current a_model_more_is_a_line_more
