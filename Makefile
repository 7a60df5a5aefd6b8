# natsim: a lab for NAT traversal. `make help` lists the targets.
#
# One Makefile, one pass. V=1 shows the commands. A variant has its own folder below build/:
#	make VARIANT=asan check		address and undefined-behaviour sanitisers
#	make CC=clang VARIANT=clang

VERSION := 0.1.0
VARIANT ?= release
PREFIX ?= /usr/local
PKG_CONFIG ?= pkg-config
B := build/$(VARIANT)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j% --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

CPPFLAGS += -D_GNU_SOURCE -DNATSIM_VERSION='"$(VERSION)"' -DNATSIM_DATADIR='"$(PREFIX)/share/natsim"' -I. -MMD -MP
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wvla -Wwrite-strings -Wformat=2 -Wundef \
	-Wcast-align -Wimplicit-fallthrough $(if $(CI),-Werror)
HARDEN := -fno-strict-aliasing -fstack-protector-strong
ifneq ($(findstring asan,$(VARIANT)),)
SANITISE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
ALL_CFLAGS = -std=c11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDEN) $(SANITISE)
ALL_LDFLAGS = $(CFLAGS) $(SANITISE) $(LDFLAGS)

# Left unexpanded until a link needs them, so that `make deps` runs where they are missing.
LIBS_CORE =
LIBS_SIM = $(shell $(PKG_CONFIG) --libs libmnl libnftables libcyaml yaml-0.1 jansson) -lm
LIBS_TEST = $(shell $(PKG_CONFIG) --libs cmocka)

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
MODEL_O := $(call obj,sim/model)
LAB_O := $(call obj,sim/lab)
HARNESS_O := $(call obj,sim/experiment sim/report)
VERBS_O := $(call obj,sim/verbs)

PROGRAMS := $(addprefix $(B)/,natsim peer rendezvous)
UNIT_TESTS := $(patsubst %.c,$(B)/%,$(call src,tests/unit))
LAB_TESTS := $(patsubst %.c,$(B)/%,$(call src,tests/lab))
FUZZERS := $(patsubst %.c,$(B)/%,$(call src,tests/fuzz))
BENCHES := $(patsubst %.c,$(B)/%,$(call src,tests/bench))

all: $(PROGRAMS) ## build natsim, peer and rendezvous

# ---- how it is made

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/lib.a: $(LIB_O)
$(B)/core.a: $(CORE_O)
$(B)/model.a: $(MODEL_O)
$(B)/lab.a: $(LAB_O)
$(B)/harness.a: $(HARNESS_O)
$(B)/%.a:
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# Each layer links only to those below it.
CORE := $(B)/core.a $(B)/lib.a
SIM := $(B)/harness.a $(B)/lab.a $(B)/model.a $(CORE)

link = $(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^)

$(B)/natsim: $(B)/sim/natsim.o $(VERBS_O) $(SIM)
	$(link) $(LIBS_SIM)
$(B)/peer: $(B)/peers/peer.o $(B)/peers/loop.o $(CORE)
	$(link) $(LIBS_CORE)
$(B)/rendezvous: $(B)/peers/rendezvous.o $(B)/peers/loop.o $(CORE)
	$(link) $(LIBS_CORE)
$(UNIT_TESTS) $(LAB_TESTS): $(B)/%: $(B)/%.o $(SIM)
	$(link) $(LIBS_SIM) $(LIBS_TEST)
$(FUZZERS) $(BENCHES): $(B)/%: $(B)/%.o $(SIM)
	$(link) $(LIBS_SIM)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

clean: ## remove everything that was built
	rm -rf build out

.PHONY: all help clean
