// SPDX-License-Identifier: GPL-2.0-or-later
/* `natsim exec`: a lab with its rendezvous, and commands of the user's in its nodes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/experiment/contract.h"
#include "sim/lab/enter.h"
#include "sim/lab/process.h"
#include "sim/lab/signals.h"
#include "sim/report/nat_table.h"
#include "sim/verbs/exec_commands.h"
#include "sim/verbs/verb.h"

enum { OPT_NAT = 256, OPT_LINK, OPT_TABLES, OPT_PCAP, OPT_SEED };

static const struct option options[] = {
	{ "nat", required_argument, NULL, OPT_NAT },
	{ "link", required_argument, NULL, OPT_LINK },
	{ "tables", no_argument, NULL, OPT_TABLES },
	{ "pcap", required_argument, NULL, OPT_PCAP },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* How long a command that runs beside has to settle, and to end after SIGTERM before SIGKILL. */
#define GRACE_US 1000000u

struct request {
	struct stage_config stage;
	const char *pcap;
	bool tables;
	uint64_t seed;
	struct exec_commands commands;
};

static int read_options(int argc, char **argv, struct request *r, struct err *e)
{
	int val, code = 0;

	while (code == 0 && (val = verb_option(&verb_exec, argc, argv, options, e)) != -1) {
		if (val < 0)
			return val;
		if (val == OPT_NAT)
			code = verb_parse_nat(optarg, &r->stage, e);
		else if (val == OPT_LINK)
			r->stage.link = optarg;
		else if (val == OPT_PCAP)
			r->pcap = optarg;
		else if (val == OPT_SEED)
			code = verb_parse_number("--seed", optarg, 0, UINT64_MAX, &r->seed, e);
		else
			r->tables = true;
	}
	if (code == 0)
		code = verb_operands(&verb_exec, argc, 1, 1, e);
	if (code == 0)
		r->stage.topology = argv[optind];
	return code;
}

/* What the contract tells a program in this node. A peer's host knows its role; the session has one
 * name, so that two of natsim's own peers find each other without being told. */
static void fill_env(const struct stage *stage, unsigned node, struct contract_env *ret)
{
	const struct topology_host *host =
		topology_host(&stage->topology, stage->plan.nodes[node].name);

	contract_env_fill(&(struct contract){ .role = host == NULL ? NULL : host->peer,
					      .session = "exec",
					      .rendezvous = stage->rendezvous,
					      .rendezvous_alt = stage->rendezvous_alt },
			  ret);
}

static int start(const struct stage *stage, const struct lab *lab, const struct exec_command *c,
		 struct process *ret, struct err *e)
{
	struct contract_env env;

	fill_env(stage, c->node, &env);
	CLEANUP(contract_command)
	char **argv = contract_command(&env, (const char *const *)c->argv);
	return process_start(&(struct process_config){ .argv = (const char *const *)argv,
						       .env = env.list,
						       .netns_fd = lab_netns(lab, c->node),
						       .stdin_fd = c->beside ? -1 : STDIN_FILENO,
						       .stdout_fd = STDOUT_FILENO,
						       .stderr_fd = STDERR_FILENO,
						       .own_group = c->beside },
			     ret, e);
}

/* True once the program waits for something: its state in /proc is S, "sleeping" (proc(5)). Also
 * where there is no /proc of ours to look at, or the program has ended. */
static bool is_waiting(pid_t pid)
{
	char path[64], stat[512];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
	if (len <= 0)
		return true;
	stat[len] = '\0';
	/* "PID (NAME) STATE ...", where the name may hold anything. */
	const char *behind_name = strrchr(stat, ')');
	return behind_name == NULL || behind_name[1] == '\0' ||
	       (behind_name[2] != 'R' && behind_name[2] != 'D');
}

/* A server that runs beside should listen before the main command looks for it. When a program
 * first waits for something it has most likely got there. */
static void await_beside(const struct process *p)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	uint64_t deadline_us = process_now_us() + GRACE_US;

	while (!is_waiting(p->pid) && process_now_us() < deadline_us)
		(void)nanosleep(&pause, NULL);
}

/* The terminal has sent its signals (SI_KERNEL) to the command as well; others are for us to pass
 * on. */
static void pass_on(int signal_fd, const struct process *p)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_code != SI_KERNEL)
			(void)kill(p->pid, (int)info.ssi_signo);
}

/* Until the main command has ended. */
static int wait_main(const struct process *p, int signal_fd, int *ret_status, struct err *e)
{
	struct pollfd fds[] = { { .fd = p->pidfd, .events = POLLIN },
				{ .fd = signal_fd, .events = POLLIN } };

	while (fds[0].revents == 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return err_set(e, -errno, "wait for the command");
		if (fds[1].revents != 0)
			pass_on(signal_fd, p);
	}
	return process_wait(p, UINT64_MAX, ret_status, e);
}

static void end_beside(struct process *p)
{
	int status;

	if (p->pid > 0) {
		(void)kill(-p->pid, SIGTERM);
		(void)process_wait(p, process_now_us() + GRACE_US, &status, NULL);
	}
	process_end(p);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int print_tables(const struct stage *stage, const struct lab *lab, struct err *e)
{
	CLEANUP(buf) struct buf out = BUF_INIT;
	int code = 0;

	for (unsigned i = 0; code == 0 && i < stage->plan.nodes_count; i++) {
		const struct plan_node *node = &stage->plan.nodes[i];
		CLEANUP(free) struct conntrack_entry *entries = NULL;
		size_t count = 0;

		if (node->kind != PLAN_NODE_ROUTER)
			continue;
		code = conntrack_list(lab_netns(lab, i), &entries, &count, e);
		if (code == 0)
			nat_table_print(node->name, node->outside_addr, entries, count, &out);
	}
	(void)fputs(buf_text(&out), stdout);
	return code;
}

/* Returns the main command's exit status, or a negative errno. */
static int run_commands(const struct request *r, const struct stage *stage, const struct lab *lab,
			int signal_fd, struct err *e)
{
	struct process processes[EXEC_COMMANDS_MAX];
	const struct process *main_process = NULL;
	int code = 0, status = 0;

	for (size_t i = 0; i < r->commands.count; i++)
		processes[i] = (struct process)PROCESS_NONE;
	/* Those beside it first: they are what the main one will want to find. */
	for (size_t i = 0; code == 0 && i < r->commands.count; i++)
		if (r->commands.items[i].beside)
			code = start(stage, lab, &r->commands.items[i], &processes[i], e);
	for (size_t i = 0; code == 0 && i < r->commands.count; i++)
		if (r->commands.items[i].beside)
			await_beside(&processes[i]);
	for (size_t i = 0; code == 0 && i < r->commands.count; i++)
		if (!r->commands.items[i].beside)
			code = start(stage, lab, &r->commands.items[i], &processes[i], e);
	for (size_t i = 0; i < r->commands.count; i++)
		if (!r->commands.items[i].beside)
			main_process = &processes[i];
	if (code == 0)
		code = wait_main(main_process, signal_fd, &status, e);
	if (code == 0 && r->tables)
		code = print_tables(stage, lab, e);
	for (size_t i = r->commands.count; i-- > 0;)
		end_beside(&processes[i]);
	return code < 0 ? code : exit_status(status);
}

/* natsim's own programs, so that `peer` can be said without its path. */
static void extend_path(const struct catalog *c)
{
	CLEANUP(buf) struct buf path = BUF_INIT;
	const char *old = getenv("PATH");
	const char *slash = strrchr(c->peer, '/');

	buf_printf(&path, "%.*s:%s", (int)(slash - c->peer), c->peer,
		   old != NULL ? old : "/usr/bin:/bin");
	(void)setenv("PATH", buf_text(&path), 1);
}

static int execute(const struct request *r, const struct catalog *c, const struct stage *stage,
		   struct err *e)
{
	CLEANUP(fd) int pcap_fd = -1;
	CLEANUP(fd) int signal_fd = -1;
	struct lab *lab = NULL;

	if (r->pcap != NULL) {
		pcap_fd = open(r->pcap, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (pcap_fd < 0)
			return err_set_input(e, "%s: %s", r->pcap, strerror(errno));
	}
	signals_block();
	int code = enter_namespaces(e);
	if (code == 0)
		code = enter_check_machine(e);
	if (code == 0)
		code = signals_open(&signal_fd, e);
	if (code == 0)
		code = stage_build(stage, c, r->seed, pcap_fd, &lab, e);
	if (code == 0) {
		extend_path(c);
		code = run_commands(r, stage, lab, signal_fd, e);
	}
	/* The command's status counts only if the record is whole. */
	if (code < 0 || r->pcap == NULL) {
		lab_free(lab);
		return code;
	}
	int ended = lab_end(lab, e);
	if (ended < 0)
		err_prefix(e, "%s", r->pcap);
	return ended < 0 ? ended : code;
}

static int run(int argc, char **argv, struct err *e)
{
	CLEANUP(catalog) struct catalog catalog = { 0 };
	CLEANUP(stage) struct stage stage = { 0 };
	struct request r = { .seed = 1 };
	int at = exec_commands_begin(argc, argv), code = read_options(at, argv, &r, e);

	if (code == 0)
		code = catalog_open(&catalog, e);
	if (code == 0)
		code = stage_open(&catalog, &r.stage, &stage, e);
	if (code == 0)
		code = exec_commands_read(&stage.plan, argc, argv, at, &r.commands, e);
	return code < 0 ? code : execute(&r, &catalog, &stage, e);
}

const struct verb verb_exec = {
	.name = "exec",
	.synopsis = "TOPOLOGY [OPTION]... NODE -- COMMAND... [--with NODE -- COMMAND...]...",
	.about = "Run a command in a node of a lab",
	.help = "Builds the lab with its rendezvous, runs the command in that node, and exits with its status\n"
		"(128 + N if signal N ended it). Standard input and the terminal are the command's.\n\n"
		"  --with NODE -- COMMAND  runs beside it and is ended after it; may be given again\n"
		"  --nat ROLE=MODEL        the router of that role runs that NAT model (default: " STAGE_DEFAULT_NAT
		")\n"
		"  --link NAME             the access link of every site (default: ideal)\n"
		"  --tables                print each router's NAT table at the end\n"
		"  --pcap FILE             write what the wire saw, as pcapng\n"
		"  --seed S                of what the links leave to chance (default: 1)\n\n"
		"The commands find the rendezvous in NATSIM_RENDEZVOUS and NATSIM_RENDEZVOUS_ALT (ADDRESS:PORT),\n"
		"also as {rendezvous} and {rendezvous_alt} in their own words. Two of natsim's own peers:\n\n"
		"  natsim exec two-homes --nat a=full-cone host-a -- peer --with host-b -- peer\n",
	.run = run,
};
