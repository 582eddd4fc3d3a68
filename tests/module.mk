# tests: each tests/unit/<module>/test_*.c is one cmocka program; tests/lib holds what they share.
flags_tests := $(SYSTEM) -isystem $(LLHTTP_INCLUDE)
$(eval $(call library,testlib,$(wildcard tests/lib/*.c)))

# --- units: `make unit`, or `make unit T=tree` for those whose path has "tree" -------------------
unit_sources := $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c)
ifeq ($(flavour),tsan)
# Threads meet in these folders only; the others are pure, or belong to one thread.
T ?= unit/p2p unit/rpc unit/node unit/storage
endif
unit_chosen := $(if $(T),$(sort $(foreach t,$(T),$(foreach s,$(unit_sources), \
    $(if $(findstring $(t),$(s)),$(s))))),$(unit_sources))
unit_programs = $(patsubst %.c,$(B)/%,$(unit_chosen))
$(foreach s,$(unit_sources),$(eval $(call program,$(B)/$(s:.c=),$(s))))

# A test that does not build fails, and the others still run.
.PHONY: unit unit-programs
unit-programs: $$(unit_programs)
unit: | packages
	@$(MAKE) -k unit-programs && built=yes; \
	    tests/run.sh $(unit_programs) && [ "$$built" = yes ]

# --- small worlds tried in full: tests/exhaustive/*.c, `make exhaustive` -----------------------------
exhaustive_sources := $(wildcard tests/exhaustive/*.c)
exhaustive_programs := $(exhaustive_sources:%.c=$(B)/%)
$(foreach s,$(exhaustive_sources),$(eval $(call program,$(B)/$(s:.c=),$(s))))

# --- the simulator: tests/sim/*.c -> build/<flavour>/bin/sim ------------------------------------
sim_sources := $(wildcard tests/sim/*.c)
sim_program := $(if $(sim_sources),$(B)/bin/sim)
ifneq ($(sim_sources),)
sim_link := $(foreach f,nv_sign nv_signer_init nv_signer_sign nv_verify nv_key_public nv_sha256 \
    nv_sha256_parts nv_tagged_hash cs_schedule_leader cs__second_signer,-Wl,--wrap=$(f))
$(eval $(call program,$(sim_program),$(sim_sources),$(sim_link)))
endif

# --- crashes: tests/crash/*.c -> build/<flavour>/bin/crash ----------------------------------------
# Its definitions of open, pwrite and the like come before those of the C library.  The files that hold
# a point of base/crash.def are compiled once more with NV_CRASH, and linked before the archives that
# hold the plain ones; so is the daemon that integration tests kill.
crash_sources := $(filter-out $(if $(filter asan tsan,$(flavour)),tests/crash/memory.c), \
    $(wildcard tests/crash/*.c))
crash_program := $(if $(crash_sources),$(B)/bin/crash)
ifneq ($(crash_sources),)
point_sources := $(shell grep -l NV_CRASH_POINT storage/*.c node/*/*.c)
point_objects := $(patsubst %.c,$(B)/point/%.o,$(point_sources))
crash_daemon := $(B)/bin/novated-crash
$(B)/point/%.o: %.c $(B)/flags | packages $$(generated_headers)
	@mkdir -p $(@D)
	$(say) CC "$< with crash points"
	$(quiet)$(CC) $(CFLAGS_ALL) $(folder_flags) -DNV_CRASH -MMD -MP -c -o $@ $<
-include $(point_objects:.o=.d)
$(eval $(call program,$(crash_program),$(crash_sources),$(point_objects) -ldl))
$(eval $(call program,$(crash_daemon),node/main.c tests/crash/point.c,$(point_objects)))
$(crash_program) $(crash_daemon): $(point_objects)
endif

# --- fuzzing: tests/fuzz/fuzz_<name>.c defines LLVMFuzzerTestOneInput ----------------------------
# In the fuzz flavour it becomes a libFuzzer program; in every other a plain one that replays its
# corpus, which is run as a test.
fuzz_sources := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(fuzz_sources))
fuzz_programs := $(if $(filter fuzz,$(flavour)),$(patsubst %,$(B)/bin/fuzz_%,$(fuzz_names)))
replay_programs := $(patsubst %,$(B)/tests/fuzz/replay_%,$(fuzz_names))
fuzz_support := $(filter-out $(fuzz_sources) tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c))
$(foreach n,$(fuzz_names),$(eval $(call program,$(B)/tests/fuzz/replay_$(n),tests/fuzz/fuzz_$(n).c \
    tests/fuzz/replay.c $(fuzz_support))))
ifneq ($(fuzz_programs),)
$(foreach n,$(fuzz_names),$(eval $(call program,$(B)/bin/fuzz_$(n),tests/fuzz/fuzz_$(n).c \
    $(fuzz_support),-fsanitize=fuzzer)))
endif

# --- abuse: tests/abuse/flood.c -> build/<flavour>/bin/flood, for tests/integration/test_abuse.py ----
flood_program := $(B)/bin/flood
$(eval $(call program,$(flood_program),$(wildcard tests/abuse/*.c)))

# --- golden files: tests/golden/*.c -> build/<flavour>/bin/golden ---------------------------------
golden_sources := $(wildcard tests/golden/*.c)
golden_program := $(if $(golden_sources),$(B)/bin/golden)
ifneq ($(golden_sources),)
$(eval $(call program,$(golden_program),$(golden_sources)))
endif

# --- whole nodes: tests/sim/node/*.c -> build/<flavour>/bin/nodesim -------------------------------
nodesim_sources := $(wildcard tests/sim/node/*.c)
nodesim_program := $(B)/bin/nodesim
nodesim_link := $(foreach f,nv_sign nv_signer_init nv_signer_sign nv_verify nv_key_public \
    nv_heap_alloc nv_heap_alloc_raw nv_heap_free nv_heap_reserve nv_heap_unreserve,-Wl,--wrap=$(f))
$(eval $(call program,$(nodesim_program),$(nodesim_sources),$(nodesim_link)))

# --- seeded bugs: `make simscore` and `make nodescore`, of BUGS="1 2 3" if given ----------------------
# Each bug of base/bug.h is a build of the files that mention it, linked before the archives that hold the
# sound ones; the simulator must notice it within LIMIT seconds.
LIMIT ?= 600
scored := $(if $(filter simscore,$(MAKECMDGOALS)),sim)$(if $(filter nodescore,$(MAKECMDGOALS)),nodesim)
ifneq ($(scored),)
bug_numbers := $(or $(BUGS),$(shell tests/bugscore.sh --numbers $(scored)))
bug_objects = $(patsubst %.c,build/bug/$(1)/%.o,$(shell tests/bugscore.sh --sources $(1)))
define bug
$(2): build/bug/$(1)/%.o: %.c $(B)/flags
	@mkdir -p $$(@D)
	$$(quiet)$$(CC) $$(CFLAGS_ALL) $$(folder_flags) -DNV_BUG=$(1) -MMD -MP -c -o $$@ $$<
build/bug/$(1)/$(scored): $(call objects,$($(scored)_sources)) $(2) $$$$(archives)
	$$(say) BUG $(1)
	$$(quiet)$$(CC) $$(LINK_FLAGS) $($(scored)_link) -o $$@ $$(filter %.o,$$^) $$(link_archives) $$(LIBS)
-include $(2:.o=.d)
endef
$(foreach n,$(bug_numbers),$(eval $(call bug,$(n),$(call bug_objects,$(n)))))
endif
bug_sims = $(foreach n,$(bug_numbers),build/bug/$(n)/$(scored))

.PHONY: simscore nodescore
simscore nodescore: $$(bug_sims)
	@tests/bugscore.sh $(LIMIT) $(shell nproc) $(bug_sims)
