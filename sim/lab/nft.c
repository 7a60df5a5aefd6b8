// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libnftables opens its netlink socket in nft_ctx_new(), so a context belongs to the namespace it
 * was made in. One costs 20 us after the first. The last thing a load leaves to the kernel, it does
 * after an RCU grace period, and closing the socket waits for that; see nft_flush.c.
 *
 * libnftables reads a buffer faster than a file, which it takes character by character, but only
 * for files does version 1.0.6 say in which line an error is: a ruleset that fails goes through a
 * file in memory as well.
 */
#include "sim/lab/nft.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sim/lab/netns.h"
#include "sim/lab/nft_merge.h"

/* How libnftables 1.0 introduces an errno of the kernel's. */
#define KERNEL_REFUSAL "Could not process rule: "

/* Between the place and the reason. */
#define ERROR_MARK "Error: "

/* The highest errno of asm-generic, EHWPOISON, and some room. */
#define ERRNO_MAX 160

static void ctx_cleanup(struct nft_ctx **ctx)
{
	nft_release(*ctx);
}

static int ctx_new(struct nft_ctx **ret, struct err *e)
{
	CLEANUP(ctx) struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);

	if (ctx == NULL || nft_ctx_buffer_output(ctx) != 0 || nft_ctx_buffer_error(ctx) != 0)
		return err_set(e, -ENOMEM, "start libnftables");
	*ret = steal_ptr(&ctx);
	return 0;
}

/* The errno behind what libnftables says, -EINVAL if the kernel was not asked. Where the kernel
 * does not find something, the reason comes without an introduction and goes on with what the user
 * may have meant: "Error: No such file or directory; did you mean chain ...?" */
static int error_code(const char *text, size_t len)
{
	const char *refusal = memmem(text, len, KERNEL_REFUSAL, strlen(KERNEL_REFUSAL));
	const char *mark = memmem(text, len, ERROR_MARK, strlen(ERROR_MARK));
	const char *reason = refusal != NULL ? refusal + strlen(KERNEL_REFUSAL)
			     : mark != NULL  ? mark + strlen(ERROR_MARK)
					     : text;
	size_t reason_len = strcspn(reason, ";\n");

	for (int code = 1; code < ERRNO_MAX; code++) {
		const char *known = strerror(code);

		if (strlen(known) == reason_len && memcmp(known, reason, reason_len) == 0)
			return -code;
	}
	return refusal != NULL ? -EIO : -EINVAL;
}

/* From ":4:7-9: "; what is not there is 0. */
static void read_place(const char *text, struct nft_mistake *ret)
{
	char *end = (char *)text;

	if (*end == ':')
		ret->line = strtoul(end + 1, &end, 10);
	if (*end == ':')
		ret->column = strtoul(end + 1, &end, 10);
}

/*
 * Makes one line of the first error in text, which reads
 *	/proc/self/fd/5:4:7-9: Error: Could not process rule: No such file or directory
 *	 jump nowhere
 *	      ^^^^^^^
 * path, which the user never saw, becomes "ruleset".
 */
static int load_failed(const char *text, const char *path, struct nft_mistake *ret, struct err *e)
{
	size_t path_len = strlen(path), len = strcspn(text, "\n");
	const char *source = text + len + (text[len] == '\n');
	int code = error_code(text, len), place_len = 0;
	const char *why = memmem(text, len, ERROR_MARK, strlen(ERROR_MARK));

	*ret = (struct nft_mistake){ .line = 0 };
	if (strncmp(text, path, path_len) == 0 && why != NULL && why >= text + path_len) {
		place_len = (int)(why - text - (ptrdiff_t)path_len);
		read_place(text + path_len, ret);
	}
	why = why == NULL ? text : why + strlen(ERROR_MARK);
	source += strspn(source, " \t");
	(void)snprintf(ret->what, sizeof(ret->what), "%.*s: %.*s", (int)(text + len - why), why,
		       (int)strcspn(source, "\n"), source);
	return err_set_plain(e, code, "ruleset%.*s%s", place_len, text + path_len, ret->what);
}

static int write_all(int fd, const char *text)
{
	for (size_t len = strlen(text); len > 0;) {
		ssize_t done = write(fd, text, len);

		if (done < 0)
			return -errno;
		text += done;
		len -= (size_t)done;
	}
	return 0;
}

struct load {
	const char *text;
	struct nft_ctx *used;       /* set on success */
	struct nft_mistake mistake; /* set on failure; nowhere if it is another */
};

/* Loads text again, as it is and now for the place of the error. What failed has changed nothing.
 */
static int load_from_file(struct load *load, struct err *e)
{
	CLEANUP(fd) int fd = memfd_create("ruleset", MFD_CLOEXEC);
	CLEANUP(ctx) struct nft_ctx *ctx = NULL;
	char path[sizeof("/proc/self/fd/") + 10];

	int rc = fd < 0 ? -errno : write_all(fd, load->text);
	if (rc < 0)
		return err_set(e, rc, "hand a ruleset to libnftables");
	rc = ctx_new(&ctx, e);
	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (nft_run_cmd_from_filename(ctx, path) != 0)
		return load_failed(nft_ctx_get_error_buffer(ctx), path, &load->mistake, e);
	load->used = steal_ptr(&ctx);
	return 0;
}

static int load(void *arg, struct err *e)
{
	struct load *load = arg;
	CLEANUP(free) char *merged = nft_merge_tables(load->text);
	CLEANUP(ctx) struct nft_ctx *ctx = NULL;

	int rc = ctx_new(&ctx, e);
	if (rc < 0)
		return rc;
	if (nft_run_cmd_from_buffer(ctx, merged) != 0)
		return load_from_file(load, e);
	load->used = steal_ptr(&ctx);
	return 0;
}

int nft_load_holding(int netns_fd, const char *text, struct nft_ctx **ret_used,
		     struct nft_mistake *ret_mistake, struct err *e)
{
	struct load l = { .text = text };
	int rc = netns_run(netns_fd, load, &l, e);

	if (rc == 0)
		*ret_used = l.used;
	else
		*ret_mistake = l.mistake;
	return rc;
}

void nft_release(struct nft_ctx *used)
{
	if (used != NULL)
		nft_ctx_free(used);
}

int nft_load(int netns_fd, const char *text, struct err *e)
{
	CLEANUP(ctx) struct nft_ctx *used = NULL;
	struct nft_mistake mistake;

	return nft_load_holding(netns_fd, text, &used, &mistake, e);
}

static int list(void *arg, struct err *e)
{
	CLEANUP(ctx) struct nft_ctx *ctx = NULL;
	struct nft_mistake mistake;

	int rc = ctx_new(&ctx, e);
	if (rc < 0)
		return rc;
	if (nft_run_cmd_from_buffer(ctx, "list ruleset") != 0)
		return load_failed(nft_ctx_get_error_buffer(ctx), "", &mistake, e);
	buf_puts(arg, nft_ctx_get_output_buffer(ctx));
	return 0;
}

int nft_list(int netns_fd, struct buf *out, struct err *e)
{
	return netns_run(netns_fd, list, out, e);
}
