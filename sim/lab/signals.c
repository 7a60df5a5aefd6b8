// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lab/signals.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>

void signals_get(sigset_t *ret)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action;

	(void)sigemptyset(ret);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			(void)sigaddset(ret, ending[i]);
}

void signals_block(void)
{
	sigset_t mask;

	signals_get(&mask);
	(void)sigprocmask(SIG_BLOCK, &mask, NULL);
}

int signals_open(int *ret_fd, struct err *e)
{
	sigset_t mask;

	signals_block();
	signals_get(&mask);
	int fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set(e, -errno, "listen for signals");
	*ret_fd = fd;
	return 0;
}
