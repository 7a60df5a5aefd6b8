# natsim: a lab for NAT traversal. `make help` lists the targets.
#
# One Makefile, one pass. V=1 shows the commands. A variant has its own folder below build/:
#	make VARIANT=asan tests		with the address and undefined-behaviour sanitisers
#	make VARIANT=clang CC=clang

VERSION := 0.1.0
VARIANT ?= release
PREFIX ?= /usr/local
PKG_CONFIG ?= pkg-config
B := build/$(VARIANT)
FUZZ_S ?= 60

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j% --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

CPPFLAGS += -D_GNU_SOURCE -DNATSIM_VERSION='"$(VERSION)"' -I. -MMD -MP
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wvla -Wwrite-strings -Wformat=2 -Wundef \
	-Wcast-align -Wimplicit-fallthrough $(if $(CI),-Werror)
# Numbers are the same with every compiler: no multiplication and addition in one rounding.
HARDEN := -fno-strict-aliasing -fstack-protector-strong -ffp-contract=off
ifneq ($(findstring asan,$(VARIANT)),)
SANITISE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
ifeq ($(VARIANT),fuzz)
CC := clang
SANITISE := -DLIBFUZZER -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
endif
ALL_CFLAGS = -std=c11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDEN) $(SANITISE)
ALL_LDFLAGS = $(CFLAGS) $(SANITISE) $(LDFLAGS)

# Left unexpanded until a link needs them, so that `make deps` runs where they are missing.
LIBS_CORE = $(shell $(PKG_CONFIG) --libs zlib) -lm
LIBS_SIM = $(shell $(PKG_CONFIG) --libs libmnl libnftables libcyaml yaml-0.1 jansson zlib) -lm
LIBS_TEST = $(shell $(PKG_CONFIG) --libs cmocka)

# In `make deps check` everything waits for deps.
DEPS := $(filter deps,$(MAKECMDGOALS))

ifeq ($(V),)
say = @printf '  %-6s %s\n' $(1) $(2);
else
say =
endif

# ---- what there is

src = $(sort $(wildcard $(addsuffix /*.c,$(1))))
obj = $(patsubst %.c,$(B)/%.o,$(call src,$(1)))

LIB_O := $(call obj,lib)
CORE_O := $(call obj,peers/core)
PEERS_O := $(filter-out %/peer.o %/rendezvous.o,$(call obj,peers))
MODEL_O := $(call obj,sim/model)
TWIN_O := $(call obj,sim/twin)
LAB_O := $(call obj,sim/lab)
HARNESS_O := $(call obj,sim/experiment sim/report sim/bench)
VERBS_O := $(call obj,sim/verbs)

PROGRAMS := $(addprefix $(B)/,natsim peer rendezvous)
UNIT_TESTS := $(patsubst %.c,$(B)/%,$(call src,tests/unit))
LAB_TESTS := $(patsubst %.c,$(B)/%,$(call src,tests/lab))
# The longest first, so that the short ones fill the gaps at the end.
LONG_TESTS := $(addprefix $(B)/tests/lab/,test_models test_kill)
LAB_TESTS := $(LONG_TESTS) $(filter-out $(LONG_TESTS),$(LAB_TESTS))
TWIN_TESTS := $(patsubst %.c,$(B)/%,$(call src,tests/twin))
FUZZERS := $(patsubst %.c,$(B)/%,$(call src,tests/fuzz))
# What lab tests start, and what they put before a program's libraries.
TEST_PROGRAMS := $(patsubst %.c,$(B)/%,$(call src,tests/programs))
TEST_PRELOADS := $(patsubst %.c,$(B)/%.so,$(call src,tests/preload))
GUARD_TESTS := $(wildcard tests/guards/test_*.sh)
TESTS := $(UNIT_TESTS) $(TWIN_TESTS) $(LAB_TESTS) $(FUZZERS) $(GUARD_TESTS)

C_FILES := $(sort $(wildcard $(addsuffix /*.[ch],lib peers peers/core sim sim/* tests tests/* tests/*/*)))
SCRIPTS := .ci/run $(filter-out %.awk %-symbols,$(wildcard ci/*)) \
	$(wildcard tests/*/*.sh completions/*)

all: $(PROGRAMS) ## build natsim, peer and rendezvous

deps: ## install what building and testing need
	@ci/deps

# ---- how it is made

$(B)/%.o: %.c Makefile | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/lib.a: $(LIB_O)
$(B)/core.a: $(CORE_O)
$(B)/peers.a: $(PEERS_O)
$(B)/model.a: $(MODEL_O)
$(B)/twin.a: $(TWIN_O)
$(B)/lab.a: $(LAB_O)
$(B)/harness.a: $(HARNESS_O)
$(B)/%.a:
	@mkdir -p $(@D)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# Each layer links only to those below it.
CORE := $(B)/core.a $(B)/lib.a
SIM := $(B)/harness.a $(B)/lab.a $(B)/twin.a $(B)/model.a $(CORE)

link = $(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^)

$(B)/natsim: $(B)/sim/natsim.o $(VERBS_O) $(SIM)
	$(link) $(LIBS_SIM)
$(B)/peer $(B)/rendezvous: $(B)/%: $(B)/peers/%.o $(B)/peers.a $(CORE)
	$(link) $(LIBS_CORE)
$(UNIT_TESTS) $(TWIN_TESTS) $(LAB_TESTS): $(B)/%: $(B)/%.o $(B)/peers.a $(SIM)
	$(link) $(LIBS_SIM) $(LIBS_TEST)
$(LAB_TESTS): | $(TEST_PROGRAMS) $(TEST_PRELOADS)
$(TEST_PROGRAMS): $(B)/%: $(B)/%.o
	$(link)
# Not sanitised: it goes into programs that may not be.
$(TEST_PRELOADS): $(B)/%.so: %.c Makefile | $(DEPS)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -fPIC -shared -o $@ $< -ldl
$(FUZZERS): $(B)/%: $(B)/%.o $(B)/peers.a $(SIM)
	$(link) $(LIBS_SIM) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer)

# Static, so that nothing but the kernel takes time.
$(B)/empty: $(B)/tests/bench/empty.o
	$(link) -static

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---- what is done with it

sim-all: $(PROGRAMS) ## run the whole matrix; writes out/
	@$(B)/natsim run all
bench: $(PROGRAMS) $(B)/empty ## measure natsim against the bare system
	@$(B)/natsim bench

check: lint tests ## lint, then every test
tests: $(PROGRAMS) $(TESTS) | $(if $(filter check,$(MAKECMDGOALS)),lint) ## every test
	@ci/run-tests $(LAB_TESTS) $(TWIN_TESTS) $(UNIT_TESTS) $(FUZZERS) $(GUARD_TESTS)
unit: $(UNIT_TESTS) ## tests that need no privileges
	@ci/run-tests $^
twin-tests: $(PROGRAMS) $(TWIN_TESTS) ## tests in virtual time
	@ci/run-tests $(TWIN_TESTS)
lab-tests: $(PROGRAMS) $(LAB_TESTS) ## tests in network namespaces
	@ci/run-tests $(LAB_TESTS)
asan: ## every test, under the address and undefined-behaviour sanitisers
	@+$(MAKE) --no-print-directory VARIANT=asan tests
# Of the tests in virtual time those that start no natsim, and end soon.
valgrind: $(UNIT_TESTS) $(filter %_hostile %_udp %_tcp %_strategy %/test_classify,$(TWIN_TESTS)) ## unit tests and strategies, under valgrind
	@RUN_UNDER='valgrind --quiet --error-exitcode=1 --leak-check=full' ci/run-tests $^
models-readme: $(PROGRAMS) ## make the table in nat_models/README.md anew
	@ci/models-readme $(B)/natsim >$(B)/models.md && mv $(B)/models.md nat_models/README.md
fuzz: ## look for input that breaks a reader, FUZZ_S=60 seconds for each (clang)
	@+$(MAKE) --no-print-directory VARIANT=fuzz fuzz-run
fuzz-run: $(FUZZERS)
	@for f in $^; do corpus=build/corpus/$${f##*/}; mkdir -p $$corpus && \
		$$f -max_total_time=$(FUZZ_S) $$corpus nat_models topologies sim/suites || exit; done

# ---- lint: each stamp stands for files that were found good

LINTED := $(B)/lint
TIDY := $(patsubst %.c,$(LINTED)/%.tidy,$(filter %.c,$(C_FILES)))
PURE_O := $(LIB_O) $(CORE_O) $(MODEL_O) $(TWIN_O)

GUARDS := $(addprefix $(LINTED)/,format shell layering purity names conventions)
guard = $(call say,LINT,$(@F))mkdir -p $(@D) && $(1) && touch $@

lint: $(GUARDS) $(TIDY) ## style, static analysis, layering, purity
format: ## lay out the C files
	@ci/llvm clang-format -i $(C_FILES)

# An object is newer than every header it includes.
$(LINTED)/%.tidy: %.c $(B)/%.o .clang-tidy tests/.clang-tidy ci/llvm
	@mkdir -p $(@D)
	$(call say,TIDY,$<)ci/llvm clang-tidy --quiet $< -- -std=c11 $(CPPFLAGS) && touch $@
$(LINTED)/format: $(C_FILES) .clang-format ci/llvm
	$(call guard,ci/llvm clang-format --dry-run -Werror $(C_FILES))
$(LINTED)/shell: $(SCRIPTS)
	$(call guard,shellcheck $(SCRIPTS))
$(LINTED)/layering: $(C_FILES) ci/layering
	$(call guard,ci/layering $(C_FILES))
$(LINTED)/purity: $(PURE_O) ci/purity ci/pure-symbols
	$(call guard,ci/purity $(PURE_O))
$(LINTED)/names: $(PROGRAMS) ci/names
	$(call guard,ci/names $(PROGRAMS))
$(LINTED)/conventions: $(C_FILES) $(SCRIPTS) Makefile ci/conventions
	$(call guard,ci/conventions $(C_FILES) $(SCRIPTS) Makefile)
$(GUARDS): | $(DEPS)

# ---- where it goes: natsim looks for the other two programs in its own folder

LIBEXEC = $(DESTDIR)$(PREFIX)/libexec/natsim
SHARE = $(DESTDIR)$(PREFIX)/share
BINARY = $(DESTDIR)$(PREFIX)/bin/natsim
MANPAGE = $(SHARE)/man/man1/natsim.1
COMPLETION = $(SHARE)/bash-completion/completions/natsim

# $(call put,FOLDER,FILES)
put = install -d $(1) && install -m 0644 $(2) $(1)

install: $(PROGRAMS) ## install below PREFIX=/usr/local, under DESTDIR
	@install -d $(LIBEXEC) $(dir $(BINARY) $(MANPAGE) $(COMPLETION))
	@install -m 0755 $(PROGRAMS) $(LIBEXEC)
	@ln -sf ../libexec/natsim/natsim $(BINARY)
	@$(call put,$(SHARE)/natsim/nat_models,nat_models/*.yaml)
	@$(call put,$(SHARE)/natsim/nat_models/rules,nat_models/rules/*.nft)
	@$(call put,$(SHARE)/natsim/topologies,topologies/*.yaml)
	@$(call put,$(SHARE)/natsim/suites,sim/suites/*.yaml)
	@install -m 0644 docs/natsim.1 $(MANPAGE)
	@install -m 0644 completions/natsim.bash $(COMPLETION)
uninstall: ## remove what install put there
	rm -rf $(LIBEXEC) $(SHARE)/natsim
	rm -f $(BINARY) $(MANPAGE) $(COMPLETION)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

clean: ## remove everything that was built
	rm -rf build out

.PHONY: all deps sim-all bench check tests unit twin-tests lab-tests asan valgrind fuzz fuzz-run lint format \
	models-readme install uninstall help clean
