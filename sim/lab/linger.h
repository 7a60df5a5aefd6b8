/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endings that take the kernel time in which nothing depends on them. Above all packet sockets: the
 * close of each waits for an RCU grace period (packet_release() in net/packet/af_packet.c), 8 to 20
 * ms in which no processor is needed and the next lab can be built.
 */
#ifndef NATSIM_SIM_LAB_LINGER_H
#define NATSIM_SIM_LAB_LINGER_H

/* Runs fn(arg) in a thread of its own, with no signal delivered to it; or at once if there can be
 * no thread. fn may wait, close, reap and free, and do no more: nobody hears of its failure. */
void linger(void (*fn)(void *arg), void *arg);

#endif
