// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/report/style.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Asks for the locale without making it the program's own. */
static bool is_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

	if (locale == (locale_t)0)
		return false;
	bool utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	freelocale(locale);
	return utf8;
}

struct style style_for(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool terminal = isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;

	if (!terminal || (no_color != NULL && no_color[0] != '\0'))
		return (struct style){ terminal, "", "", "", "", "", is_utf8() };
	return (struct style){ terminal,  "\033[32m", "\033[1;31m", "\033[2m",
			       "\033[1m", "\033[0m",  is_utf8() };
}
