// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/measure.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/cleanup.h"
#include "sim/experiment/contract.h"
#include "sim/experiment/output.h"
#include "sim/experiment/pool.h"
#include "sim/experiment/stage.h"

#define TOPOLOGY "one-home"

/* The link is ideal, so what is not there after this long was refused. A busy machine may delay a
 * packet by some milliseconds, not by hundreds. */
#define SILENCE_US 300000u

/* A classifier asks some 25 questions, of which at most the last waits for SILENCE_US. */
#define DEADLINE_US 15000000u

struct measuring {
	const struct measure_config *config;
	struct measurement *results;
};

static void set_word(char word[static MEASURE_WORD_SIZE], const char *text)
{
	(void)snprintf(word, MEASURE_WORD_SIZE, "%s", text == NULL ? "?" : text);
}

static void declare(const struct nat_model *model, struct measure_behavior *ret)
{
	set_word(ret->mapping, nat_mapping_name(model));
	set_word(ret->filtering, nat_behavior_name(model->filtering));
	set_word(ret->ports,
		 model->translates ? nat_port_choice_name(model->ports.choose) : "preserve");
	ret->step = model->translates && model->ports.choose == NAT_PORTS_SEQUENTIAL ? 1 : 0;
}

bool measurement_mapping_agrees(const struct measurement *m)
{
	return m->complete && strcmp(m->declared.mapping, m->measured.mapping) == 0;
}

bool measurement_filtering_agrees(const struct measurement *m)
{
	return m->complete && strcmp(m->declared.filtering, m->measured.filtering) == 0;
}

bool measurement_ports_agree(const struct measurement *m)
{
	return m->complete && strcmp(m->declared.ports, m->measured.ports) == 0 &&
	       m->declared.step == m->measured.step;
}

bool measurement_agrees(const struct measurement *m)
{
	return measurement_mapping_agrees(m) && measurement_filtering_agrees(m) &&
	       measurement_ports_agree(m);
}

static void read_findings(const struct buf *output, struct measurement *ret)
{
	json_t *line = json_loadb(buf_text(output), output->len, JSON_DISABLE_EOF_CHECK, NULL);
	const char *result = json_string_value(json_object_get(line, "result"));
	const char *reason = json_string_value(json_object_get(line, "reason"));

	ret->complete = result != NULL && strcmp(result, "classified") == 0;
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s",
		       reason != NULL ? reason : "the classifier said nothing");
	if (ret->complete) {
		struct measure_behavior *m = &ret->measured;

		set_word(m->mapping, json_string_value(json_object_get(line, "mapping")));
		set_word(m->filtering, json_string_value(json_object_get(line, "filtering")));
		set_word(m->ports, json_string_value(json_object_get(line, "ports")));
		m->step = (int)json_integer_value(json_object_get(line, "step"));
	}
	json_decref(line);
}

/* Runs the classifier in the lab. */
static int classify(const struct measuring *m, const struct stage *stage, struct lab *lab,
		    struct measurement *ret, struct err *e)
{
	CLEANUP(buf) struct buf output = BUF_INIT;
	const char *argv[] = { m->config->catalog->peer, NULL };
	struct contract_env env;
	int node = stage_peer_node(stage, "a"), status = 0;

	assert(node >= 0);
	contract_env_fill(&(struct contract){ .strategy = "classify",
					      .transport = ret->tcp ? "tcp" : "udp",
					      .rendezvous = stage->rendezvous,
					      .rendezvous_alt = stage->rendezvous_alt,
					      .seed = m->config->seed,
					      .give_up_us = SILENCE_US },
			  &env);
	int code = output_of(&(struct process_config){ .argv = argv,
						       .env = env.list,
						       .netns_fd = lab_netns(lab, (unsigned)node),
						       .stdin_fd = -1,
						       .stderr_fd = STDERR_FILENO,
						       .own_group = true },
			     process_now_us() + DEADLINE_US, &output, &status, e);
	if (code == 0)
		read_findings(&output, ret);
	return code;
}

static int measure_one(void *arg, void *kept, size_t job, struct pool_channel *channel,
		       struct err *e)
{
	const struct measuring *m = arg;
	struct measurement result = { .model = job / 2, .tcp = job % 2 == 1 };
	CLEANUP(stage) struct stage stage = { 0 };
	struct lab *lab = NULL;
	struct stage_config config = { .topology = TOPOLOGY, .nats_count = 1 };

	(void)kept;
	config.nats[0] = (struct stage_nat){ "a", m->config->models[result.model] };
	int code = stage_open(m->config->catalog, &config, &stage, e);
	if (code == 0)
		code = stage_build(&stage, m->config->catalog, m->config->seed, -1, &lab, e);
	if (code == 0) {
		declare(&stage.models[0], &result.declared);
		code = classify(m, &stage, lab, &result, e);
	}
	lab_free(lab);
	if (code == 0)
		pool_send(channel, &result);
	return code;
}

static void take_result(void *arg, const void *message)
{
	struct measuring *m = arg;
	struct measurement result;

	memcpy(&result, message, sizeof(result));
	m->results[2 * result.model + (result.tcp ? 1 : 0)] = result;
}

int measure_run(const struct measure_config *config, struct measurement **ret, int *ret_signal,
		struct err *e)
{
	CLEANUP(free)
	struct measurement *results = calloc(2 * config->models_count + 1, sizeof(*results));
	struct measuring m = { .config = config, .results = results };

	assert(results != NULL);
	int code = pool_run(&(struct pool_config){ .workers = config->workers,
						   .jobs = 2 * config->models_count,
						   .message_size = sizeof(struct measurement),
						   .work = measure_one,
						   .message = take_result,
						   .interval_us = 100000,
						   .arg = &m },
			    ret_signal, e);
	if (code == 0)
		*ret = steal_ptr(&results);
	return code;
}
