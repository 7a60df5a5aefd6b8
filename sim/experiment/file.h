/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that the user may have named, and those that come with natsim. */
#ifndef NATSIM_SIM_EXPERIMENT_FILE_H
#define NATSIM_SIM_EXPERIMENT_FILE_H

#include <stdbool.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "sim/model/yaml.h"

/* One byte more than a YAML text may have is enough for its reader to say that it is too long. */
#define FILE_YAML_ENOUGH (YAML_SIZE_MAX + 1u)

/* A path, on the heap. */
char *file_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

bool file_is_dir(const char *path);

/* All of a regular file, or its first enough bytes and perhaps some more. What cannot be read is
 * the user's mistake, as in "path: No such file or directory". */
int file_read(const char *path, size_t enough, struct buf *ret, struct err *e);

#endif
