// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "lib/cleanup.h"
#include "sim/verbs/verb.h"

enum { OPT_NAT = 256, OPT_SCRIPT };

static const struct option options[] = {
	{ "nat", required_argument, NULL, OPT_NAT },
	{ "script", no_argument, NULL, OPT_SCRIPT },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* "two-homes --nat a=full-cone --nat b=open": what makes this plan again. */
static void describe(const struct stage_config *config, struct buf *out)
{
	buf_puts(out, config->topology);
	for (size_t i = 0; i < config->nats_count; i++)
		buf_printf(out, " --nat %s=%s", config->nats[i].role, config->nats[i].model);
}

static int print(const struct stage_config *config, bool script, struct err *e)
{
	CLEANUP(catalog) struct catalog catalog = { 0 };
	CLEANUP(stage) struct stage stage = { 0 };
	CLEANUP(buf) struct buf out = BUF_INIT;
	CLEANUP(buf) struct buf title = BUF_INIT;
	int code = catalog_open(&catalog, e);

	if (code == 0)
		code = stage_open(&catalog, config, &stage, e);
	if (code < 0)
		return code;
	describe(config, &title);
	if (script)
		plan_script(&stage.plan, buf_text(&title), &out);
	else
		plan_print(&stage.plan, &out);
	(void)fputs(buf_text(&out), stdout);
	return 0;
}

static int run(int argc, char **argv, struct err *e)
{
	struct stage_config config = { 0 };
	bool script = false;
	int val, code = 0;

	while (code == 0 && (val = verb_option(&verb_plan, argc, argv, options, e)) != -1) {
		if (val < 0)
			return val;
		if (val == OPT_NAT)
			code = verb_parse_nat(optarg, &config, e);
		else
			script = true;
	}
	if (code == 0)
		code = verb_operands(&verb_plan, argc, 1, 1, e);
	if (code < 0)
		return code;
	config.topology = argv[optind];
	return print(&config, script, e);
}

const struct verb verb_plan = {
	.name = "plan",
	.synopsis = "TOPOLOGY [--nat ROLE=MODEL]... [--script]",
	.about = "Print what would be built",
	.help = "  --nat ROLE=MODEL  the router of that role runs that NAT model (default: " STAGE_DEFAULT_NAT
		")\n"
		"  --script          as a shell script of ip, nft and sysctl commands that builds the same\n"
		"                    hosts, links and routers without natsim: sh FILE up, sh FILE down\n",
	.run = run,
};
