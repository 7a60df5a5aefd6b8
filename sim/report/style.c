// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/style.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct style style_for(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool terminal = isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;

	if (!terminal || (no_color != NULL && no_color[0] != '\0'))
		return (struct style){ terminal, "", "", "", "", "" };
	return (struct style){
		terminal, "\033[32m", "\033[1;31m", "\033[2m", "\033[1m", "\033[0m"
	};
}
