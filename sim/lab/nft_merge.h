/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NATSIM_SIM_LAB_NFT_MERGE_H
#define NATSIM_SIM_LAB_NFT_MERGE_H

/*
 * For each block of a table that it reads, libnftables makes hash tables of half a megabyte in all,
 * and it does not say so: ten blocks of one table take twice the time of one. This makes one block
 * of those that follow each other,
 *
 *	table ip a {			table ip a {
 *		...				...
 *	}
 *	table ip a {
 *		...				...
 *	}				}
 *
 * where both lines stand at the margin and nothing but comments is between them. The number of
 * lines stays. The result is on the heap.
 */
char *nft_merge_tables(const char *text);

#endif
