// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Goes before a program's libraries (LD_PRELOAD) and takes from it what OLD_MACHINE names:
 *
 *	nat	The kernel has no nft NAT: chains of type "nat" are asked for as type "nan", which
 *no kernel has. The answer is its own. nft	libnftables is old: it reads rules in which the word
 *"numgen", say, is one that it does not know. The complaint is its own.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

struct nft_ctx;

ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
int nft_run_cmd_from_filename(struct nft_ctx *nft, const char *path);
int nft_run_cmd_from_buffer(struct nft_ctx *nft, const char *text);

static bool lacks(const char *what)
{
	const char *value = getenv("OLD_MACHINE");

	return value != NULL && strcmp(value, what) == 0;
}

static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (function == NULL)
		abort();
	return function;
}

/* The attribute's text with its end, as netlink carries it. */
static void rename_nat(const struct iovec *part)
{
	char *at, *data = part->iov_base;
	size_t len = part->iov_len;

	while ((at = memmem(data, len, "nat\0", 4)) != NULL) {
		at[2] = 'n';
		len -= (size_t)(at + 4 - data);
		data = at + 4;
	}
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) = NULL;

	*(void **)&real = next("sendmsg");
	for (size_t i = 0; lacks("nat") && i < message->msg_iovlen; i++)
		rename_nat(&message->msg_iov[i]);
	return real(fd, message, flags);
}

static void forget_word(char *text, size_t len)
{
	char *at;

	while ((at = memmem(text, len, "numgen", 6)) != NULL)
		memcpy(at, "gennum", 6);
}

/* Changes the file: it is one in memory, of natsim's own. */
static void forget_word_in_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t len = lseek(fd, 0, SEEK_END);

	if (fd < 0 || len <= 0)
		abort();
	char *text = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (text == MAP_FAILED)
		abort();
	forget_word(text, (size_t)len);
	(void)munmap(text, (size_t)len);
	(void)close(fd);
}

int nft_run_cmd_from_filename(struct nft_ctx *nft, const char *path)
{
	int (*real)(struct nft_ctx *, const char *) = NULL;

	*(void **)&real = next("nft_run_cmd_from_filename");
	if (lacks("nft"))
		forget_word_in_file(path);
	return real(nft, path);
}

int nft_run_cmd_from_buffer(struct nft_ctx *nft, const char *text)
{
	int (*real)(struct nft_ctx *, const char *) = NULL;
	char *copy = strdup(text);

	if (copy == NULL)
		abort();
	*(void **)&real = next("nft_run_cmd_from_buffer");
	if (lacks("nft"))
		forget_word(copy, strlen(copy));
	int code = real(nft, copy);
	free(copy);
	return code;
}
