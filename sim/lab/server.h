/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program of the lab that serves the peers for as long as the lab lives: the rendezvous. It says
 * that it is ready with a line of JSON on its standard output that has "event":"ready"; what else
 * it prints is thrown away. Its standard error is natsim's.
 */
#ifndef NATSIM_SIM_LAB_SERVER_H
#define NATSIM_SIM_LAB_SERVER_H

#include "lib/err.h"
#include "sim/lab/process.h"

struct server {
	const char *path; /* borrowed; NULL: none was started */
	struct process process;
	int output_fd; /* the end of its standard output that is read; non-blocking */
};

#define SERVER_NONE                                       \
	{                                                 \
		.process = PROCESS_NONE, .output_fd = -1, \
	}

/* Starts the program at path in namespace netns_fd; env as in process.h. */
int server_start(const char *path, const char *const *env, int netns_fd, struct server *ret,
		 struct err *e);

/* Waits until it is ready. Fails if it ends or says nothing for too long. */
int server_await_ready(struct server *server, struct err *e);

/* Fails if it has ended. Also reads what it has printed, lest it should wait for that; call it from
 * time to time. */
int server_check(struct server *server, struct err *e);

void server_end(struct server *server); /* SERVER_NONE is allowed, and what is left */

#endif
