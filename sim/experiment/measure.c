// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/experiment/measure.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/cleanup.h"
#include "peers/core/classify.h"
#include "sim/experiment/contract.h"
#include "sim/experiment/measure_twin.h"
#include "sim/experiment/observe_twin.h"
#include "sim/experiment/output.h"
#include "sim/experiment/pool.h"
#include "sim/experiment/stage.h"
#include "sim/model/nat_seen.h"

/* The link is ideal, so what is not there after this long was refused. A busy machine may delay a
 * packet by some milliseconds, not by hundreds. */
#define SILENCE_US 300000u

/* But where nothing at all came back, and something should have, it may have been longer. */
#define PATIENCE_US 2000000u

/* A classifier asks some 25 questions, of which at most the last waits for SILENCE_US. */
#define DEADLINE_US 15000000u

struct measuring {
	const struct measure_config *config;
	struct measurements results;
};

static void set_word(char word[static MEASURE_WORD_SIZE], const char *text)
{
	(void)snprintf(word, MEASURE_WORD_SIZE, "%s", text == NULL ? "?" : text);
}

static void declare(const struct nat_model *model, bool tcp, struct measure_behavior *ret)
{
	struct nat_seen seen = nat_seen_as(model, tcp ? NAT_TCP : NAT_UDP);

	set_word(ret->mapping, seen.mapping);
	set_word(ret->filtering, seen.filtering);
	set_word(ret->ports, seen.ports == NULL ? MEASURE_ANY : seen.ports);
	ret->step = seen.step;
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
	if (strcmp(m->declared.ports, MEASURE_ANY) == 0)
		return m->complete;
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

/* Where nothing gets through, the classifier cannot come to an end, and that is what is measured.
 */
static void see_blocked(struct measurement *m)
{
	if (m->complete || strcmp(m->reason, CLASSIFY_NO_ANSWER) != 0)
		return;
	m->complete = true;
	set_word(m->measured.mapping, NAT_SEEN_BLOCKED);
	set_word(m->measured.filtering, NAT_SEEN_BLOCKED);
	set_word(m->measured.ports, NAT_SEEN_BLOCKED);
}

/* Not as declared: then the machine may have been too busy to answer. */
static bool is_found_blocked(const struct measurement *m)
{
	return strcmp(m->measured.mapping, NAT_SEEN_BLOCKED) == 0 &&
	       strcmp(m->declared.mapping, NAT_SEEN_BLOCKED) != 0;
}

/* Runs the classifier in the lab. */
static int classify(const struct measuring *m, const struct stage *stage, struct lab *lab,
		    uint64_t silence_us, struct measurement *ret, struct err *e)
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
					      .give_up_us = silence_us },
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
	see_blocked(ret);
	return code;
}

/* What a worker has to say of a job. */
struct finding {
	size_t model;
	bool is_observation;
	struct measurement measurement;
	struct observations observations;
};

/* The router with as little as needed beside it. */
static int open_stage(const struct measuring *m, size_t model, const struct nat_timeouts *timeouts,
		      struct stage *stage, struct err *e)
{
	struct stage_config config = { .topology = OBSERVE_TOPOLOGY,
				       .nats_count = 1,
				       .timeouts = timeouts };

	config.nats[0] = (struct stage_nat){ "a", m->config->models[model] };
	return stage_open(m->config->catalog, &config, stage, e);
}

static int build(const struct measuring *m, size_t model, const struct nat_timeouts *timeouts,
		 struct stage *stage, struct lab **ret, struct err *e)
{
	int code = open_stage(m, model, timeouts, stage, e);

	return code < 0 ? code
			: stage_build(stage, m->config->catalog, m->config->seed, -1, ret, e);
}

static int classify_in_twin(const struct measuring *m, struct finding *f, struct err *e)
{
	CLEANUP(stage) struct stage stage = { 0 };
	CLEANUP(buf) struct buf output = BUF_INIT;
	int code = open_stage(m, f->model, NULL, &stage, e);

	if (code < 0)
		return code;
	declare(&stage.models[0], f->measurement.tcp, &f->measurement.declared);
	code = measure_in_twin(&stage,
			       &(struct measure_twin_config){ .tcp = f->measurement.tcp,
							      .seed = m->config->seed,
							      .silence_us = SILENCE_US,
							      .deadline_us = DEADLINE_US },
			       &output, e);
	if (code == 0)
		read_findings(&output, &f->measurement);
	see_blocked(&f->measurement);
	return code;
}

static int classify_one(const struct measuring *m, struct finding *f, struct err *e)
{
	CLEANUP(stage) struct stage stage = { 0 };
	struct lab *lab = NULL;

	if (m->config->world == RUN_IN_TWIN)
		return classify_in_twin(m, f, e);
	int code = build(m, f->model, NULL, &stage, &lab, e);

	if (code == 0) {
		declare(&stage.models[0], f->measurement.tcp, &f->measurement.declared);
		code = classify(m, &stage, lab, SILENCE_US, &f->measurement, e);
	}
	if (code == 0 && is_found_blocked(&f->measurement)) {
		code = lab_reset(lab, m->config->seed, e);
		if (code == 0)
			code = classify(m, &stage, lab, PATIENCE_US, &f->measurement, e);
	}
	lab_free(lab);
	return code;
}

static int observe_one_in_twin(const struct measuring *m, struct finding *f, struct err *e)
{
	CLEANUP(stage) struct stage stage = { 0 };
	int code = open_stage(m, f->model, NULL, &stage, e);

	return code < 0 ? code : observe_in_twin(&stage, m->config->seed, &f->observations, e);
}

static int observe_one(const struct measuring *m, struct finding *f, struct err *e)
{
	static const struct nat_timeouts timeouts = {
		.udp_ms = OBSERVE_UDP_MS,
		.tcp_established_ms = OBSERVE_TCP_ESTABLISHED_MS,
		.tcp_transitory_ms = OBSERVE_TCP_TRANSITORY_MS,
		.udp_unreplied_ms = OBSERVE_UDP_UNREPLIED_MS,
	};
	CLEANUP(stage) struct stage stage = { 0 };
	struct lab *lab = NULL;

	if (m->config->world == RUN_IN_TWIN)
		return observe_one_in_twin(m, f, e);
	int code = build(m, f->model, &timeouts, &stage, &lab, e);

	if (code == 0)
		code = observe_router(&stage, lab, &f->observations, e);
	lab_free(lab);
	return code;
}

/* Observations take longest and come first; then two classifications for each model. */
static int measure_one(void *arg, void *kept, size_t job, struct pool_channel *channel,
		       struct err *e)
{
	const struct measuring *m = arg;
	size_t observations = m->config->observes ? m->config->models_count : 0;
	struct finding f = { .is_observation = job < observations };
	int code;

	(void)kept;
	if (f.is_observation) {
		f.model = job;
		code = observe_one(m, &f, e);
	} else {
		f.model = (job - observations) / 2;
		f.measurement.model = f.model;
		f.measurement.tcp = (job - observations) % 2 == 1;
		code = classify_one(m, &f, e);
	}
	if (code == 0)
		pool_send(channel, &f);
	return code;
}

static void take_result(void *arg, const void *message)
{
	struct measuring *m = arg;
	struct finding f;

	memcpy(&f, message, sizeof(f));
	if (f.is_observation)
		m->results.observed[f.model] = f.observations;
	else
		m->results.items[2 * f.model + (f.measurement.tcp ? 1 : 0)] = f.measurement;
}

void measurements_free(struct measurements *m)
{
	free(m->items);
	free(m->observed);
	*m = (struct measurements){ .items = NULL };
}

int measure_run(const struct measure_config *config, struct measurements *ret, int *ret_signal,
		struct err *e)
{
	size_t count = config->models_count;
	struct measuring m = { .config = config };

	m.results.items = calloc(2 * count + 1, sizeof(*m.results.items));
	if (config->observes)
		m.results.observed = calloc(count + 1, sizeof(*m.results.observed));
	assert(m.results.items != NULL && config->observes == (m.results.observed != NULL));
	int code = pool_run(&(struct pool_config){ .workers = config->workers,
						   .jobs = (config->observes ? 3 : 2) * count,
						   .message_size = sizeof(struct finding),
						   .work = measure_one,
						   .message = take_result,
						   .interval_us = 100000,
						   .arg = &m },
			    ret_signal, e);
	if (code == 0)
		*ret = m.results;
	else
		measurements_free(&m.results);
	return code;
}
