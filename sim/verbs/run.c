#include "sim/verbs/verb.h"
const struct verb verb_run = { .name = "run", .synopsis = "", .about = "x", .help = "", .run = NULL };
const struct verb verb_bench = { .name = "bench", .synopsis = "", .about = "x", .help = "", .run = NULL };
