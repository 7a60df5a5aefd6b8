/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How natsim gets out of the host's way: it re-enters itself as process 1 of a new PID namespace,
 * in new mount and network namespaces and, when it is not privileged, in a new user namespace in
 * which it is root. When that process ends, for whatever reason, the kernel ends everything in it.
 */
#ifndef NATSIM_SIM_LAB_ENTER_H
#define NATSIM_SIM_LAB_ENTER_H

#include "lib/err.h"

/*
 * Forks. The child is process 1 of the new namespaces, with /proc of its own where the kernel
 * allows it, loopback up, and dies when the caller dies at any moment; there it returns 0.
 *
 * The calling process never returns from a success: it waits for the child and exits with its
 * status (or dies of the same signal). SIGTERM, SIGHUP and SIGQUIT are passed on to the child;
 * SIGINT reaches it from the terminal, and is passed on where the child is not in the terminal's
 * foreground group. A second SIGINT or SIGTERM ends the child at once.
 *
 * On failure returns a negative errno in the caller, with e saying what is missing and what to do
 * about it: namespaces switched off (names the sysctl), no capability (says sudo).
 */
int enter_namespaces(struct err *e);

/*
 * Proves in a scratch network namespace that the lab's needs are met: libnftables reads our syntax
 * (else: which version is needed), and the kernel has nft NAT, conntrack, veth and packet sockets
 * (else: which module or option). Costs some 2 ms. Call after enter_namespaces.
 */
int enter_check_machine(struct err *e);

#endif
