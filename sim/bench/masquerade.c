// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/bench/masquerade.h"

#include <assert.h>
#include <string.h>

static const char model_text[] = "about: A Linux router of one rule\n"
				 "mapping: address-and-port-dependent\n"
				 "filtering: address-and-port-dependent\n"
				 "ports: { choose: preserve, overloading: yes }\n"
				 "ruleset: masquerade.nft\n";

static const char rule[] =
	"table ip natsim {\n"
	"	chain outbound {\n"
	"		type nat hook postrouting priority srcnat; policy accept;\n"
	"		oifname \"wan\" masquerade\n"
	"	}\n"
	"}\n";

int masquerade_model(struct nat_model *ret, struct err *e)
{
	int rc = nat_model_parse("masquerade.yaml", model_text, strlen(model_text), ret, e);

	if (rc < 0)
		return rc;
	ret->ruleset = strdup(rule);
	assert(ret->ruleset != NULL);
	return 0;
}
