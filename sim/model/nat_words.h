/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a NAT model's file. In the structs of nat_model_raw.h 0 is a key that is not there,
 * so each word stands for its value plus one. The words that are not a behaviour's own come last.
 */
#ifndef NATSIM_SIM_MODEL_NAT_WORDS_H
#define NATSIM_SIM_MODEL_NAT_WORDS_H

#include <cyaml/cyaml.h>

/* Nobody knows. */
#define NAT_WORD_UNKNOWN 100
/* "mapping: none": the router does not translate. */
#define NAT_WORD_NONE    101

/* All but axis and transport have "unknown"; the last of mapping is "none", of unsolicited "rst".
 */
extern const struct cyaml_strval nat_words_mapping[5];
extern const struct cyaml_strval nat_words_choose[5];
extern const struct cyaml_strval nat_words_on_clash[5];
extern const struct cyaml_strval nat_words_unsolicited[6];
extern const struct cyaml_strval nat_words_hairpin[4];
extern const struct cyaml_strval nat_words_refresh[5];
extern const struct cyaml_strval nat_words_rst[4];
extern const struct cyaml_strval nat_words_icmp_errors[3];
extern const struct cyaml_strval nat_words_blocked[4];
extern const struct cyaml_strval nat_words_pool[3];
extern const struct cyaml_strval nat_words_axis[13];
extern const struct cyaml_strval nat_words_transport[2];

/* For what cannot be the last word: filtering, the mapping of one transport, and UDP. */
#define NAT_WORDS_FILTERING_COUNT       (CYAML_ARRAY_LEN(nat_words_mapping) - 1)
#define NAT_WORDS_UNSOLICITED_UDP_COUNT (CYAML_ARRAY_LEN(nat_words_unsolicited) - 1)

#endif
