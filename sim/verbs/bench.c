#include "sim/verbs/verb.h"
const struct verb verb_bench = {
	.name = "bench", .synopsis = "", .about = "x", .help = "", .run = NULL
};
