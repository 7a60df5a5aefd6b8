// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a suite's peer is there. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "sim/experiment/suite.h"
#include "sim/model/yaml.h"

/* Where execvp(3) looks if PATH is not set. */
#define PATH_DEFAULT "/bin:/usr/bin"

/* 0, or a negative errno. */
static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return access(path, X_OK) < 0 ? -errno : 0;
}

/* As execvp(3) does it: an empty entry of PATH is the working directory. */
static bool is_in_path(const char *name)
{
	const char *path = getenv("PATH");
	bool found = false;

	if (path == NULL)
		path = PATH_DEFAULT;
	for (; !found && path != NULL; path = strchr(path, ':'), path += path != NULL) {
		CLEANUP(buf) struct buf file = BUF_INIT;
		size_t len = strcspn(path, ":");

		buf_add(&file, path, len);
		buf_printf(&file, "%s%s", len > 0 ? "/" : "", name);
		found = check_executable(buf_text(&file)) == 0;
	}
	return found;
}

int suite_check_peer(const struct suite *s, const char *file, const char *data, size_t len,
		     struct err *e)
{
	const struct yaml_source src = { file, data, len };
	const char *name = s->peer.count == 0 ? NULL : s->peer.items[0];

	/* What a placeholder makes of it is known only in a trial. */
	if (name == NULL || strchr(name, '{') != NULL)
		return 0;
	if (strchr(name, '/') == NULL)
		return is_in_path(name)
			       ? 0
			       : yaml_error(&src, e, "peer[0]", "no program \"%s\" in PATH", name);
	int code = check_executable(name);
	return code == 0 ? 0
			 : yaml_error(&src, e, "peer[0]", "cannot execute \"%s\": %s", name,
				      strerror(-code));
}

int suite_check_twin(const struct suite *s, const char *file, const char *data, size_t len,
		     struct err *e)
{
	struct yaml_source src = { file, data, len };

	if (s->peer.count > 0)
		return yaml_error(&src, e, "peer",
				  "the twin runs natsim's own peers only; --world lab runs yours");
	return 0;
}
