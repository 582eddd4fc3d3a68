# The targets a person types, beside all, libs, programs and unit.

.PHONY: help lint format check test nightly exhaustive asan tsan cov sim nodesim fuzz replay golden repro gen \
    check-gen integration abuse crash lint-test demo bench install clean

help:
	@sed -n 's/^#: \{0,1\}//p' tools/targets.mk
	@echo; echo "This build: FLAVOUR=\"$(FLAVOUR)\" with $(CC), in $(B)/, programs in $(BIN)/."

#: make               the programs novated and novate, in build/bin/
#: make demo          sets up, builds and starts a local net that trades; Ctrl-C ends it
#: make check         before each commit: lint, units, golden files, 50 simulator seeds
#: make test          everything: also sanitizers, both compilers, fuzz corpora, real daemons
#: make nightly       the same tests at length, with their own totals
#:
#: make unit T=tree   unit tests, or those whose path has the word
#: make exhaustive    small worlds tried in full: each bit of 200 proofs flipped
#: make lint          layers doors banned units sizes quotes paths format headers purity verifier clang;
#:                    one alone: tools/lint/NAME
#: make format        clang-format over every file
#: make sim SEED=7 N=1000    the simulator, N seeds from SEED on; one seed tells all
#: make twins         validators that run twice: every scenario of 4, and drawn ones of 7; SHARE=10 a tenth
#: make nightly-core  the simulator for a night: NIGHTLY=200000 seeds from SEED on, long runs, all Twins
#: make nodesim SEED=7 N=100  whole nodes, N seeds from SEED on; W="loss_ppm=0 liars=1" sets options
#: make fuzz F=vote S=60     one fuzz target for S seconds; make replay runs every corpus
#: make abuse         what floods and storms of connections cost: block intervals, memory
#: make integration T=word   real daemons on loopback (pytest)
#: make crash N=10000        power failures, failing calls, flipped bits, kill -9 (tests/crash)
#: make asan, make tsan      units, corpora and simulator under sanitizers
#: make cov           line coverage of the units, by folder
#: make simscore      each seeded bug of consensus (base/bug.h), and how soon it is noticed; LIMIT=600 seconds each
#: make nodescore     the same of the rest of a node, by whole nodes
#: make repro         the same roots and traces from gcc and clang, -O0 and -O2
#: make check-gen     committed tables and vectors are what their generators write
#: make bench         measures; writes build/bench.jsonl
#: make install       to PREFIX (/usr/local), with DESTDIR
#: make clean         removes build/
#:
#: With any of these: FLAVOUR=debug, or asan tsan cov fuzz; "clang debug" takes the other compiler.
#: V=1 shows the commands.

SEED ?= 1
N ?= 50
S ?= 60
PREFIX ?= /usr/local
again = $(MAKE) FLAVOUR="$(1) $(clang)"

# The compiler flags of each folder, for tools/lint/clang.
print-flags: $$(generated_headers)
	@echo "all:$(CFLAGS_ALL)"
	@$(foreach f,base consensus vm storage p2p rpc node tools tests,echo '$(f):$(flags_$(f))';)
.PHONY: print-flags

lint: $$(generated_headers)
	@tools/lint/all

lint-test:
	@tests/run.sh tests/lint/*.sh tests/build/*.sh

format:
	@git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 -r ls -d 2>/dev/null | \
	    xargs -r clang-format -i

# --- tests --------------------------------------------------------------------------------------
# Steps are targets, perhaps with a FLAVOUR; tests/steps.sh runs them in order and adds up.

has_sim := $(if $(sim_sources),yes)
has_crash := $(if $(crash_sources),yes)
has_fuzz := $(if $(fuzz_sources),yes)
has_integration := $(if $(wildcard tests/integration/test_*.py),yes)
has_golden := $(wildcard tests/golden/roots.txt)
has_js := $(wildcard tools/client-js/package.json)

check:
	@MAKE="$(MAKE)" tests/steps.sh all lint unit $(if $(has_golden),golden) \
	    $(if $(wildcard tests/golden/*.py tools/gen/*.py),check-gen) $(if $(has_sim),"sim N=50") "nodesim N=10"

test:
	@tools/setup
	@MAKE="$(MAKE)" tests/steps.sh all unit exhaustive lint-test $(if $(has_golden),golden) check-gen \
	    $(if $(has_fuzz),replay) $(if $(has_sim),"sim N=1000" "twins SHARE=20") "nodesim N=60" \
	    $(if $(has_crash),"crash N=10000") \
	    "FLAVOUR=clang all tests" \
	    "FLAVOUR=asan unit" $(if $(has_fuzz),"FLAVOUR=asan replay") \
	    $(if $(has_sim),"FLAVOUR=asan sim N=20") "FLAVOUR=asan nodesim N=4" \
	    "FLAVOUR=tsan unit" $(if $(has_fuzz),"FLAVOUR=fuzz fuzz-all S=5") \
	    repro \
	    $(if $(has_integration),integration) $(if $(has_js),js)

# The same at length: hours, for a machine that has nothing else to do.
# Seeds of this commit's own.
night = $(shell printf '%d' 0x$$(git rev-parse --short=7 HEAD 2>/dev/null || echo 1))
nightly:
	@MAKE="$(MAKE)" tests/steps.sh all $(if $(has_crash),"crash N=1000000") \
	    "nodesim SEED=$(night) N=10000" nodescore

# N states after a power failure, and the other three of tests/crash in proportion.
crash: $$(crash_program)
	@$(crash_program) all --count $(N) --seed $(SEED) --workers $(shell nproc)

.PHONY: tests
tests: $$(patsubst %.c,$(B)/%,$$(unit_sources)) $$(replay_programs) $$(sim_program) $$(nodesim_program)

asan tsan:
	@MAKE="$(MAKE)" tests/steps.sh "FLAVOUR=$@ unit" $(if $(has_fuzz),"FLAVOUR=$@ replay") \
	    $(if $(has_sim),"FLAVOUR=$@ sim N=20")

replay: $$(replay_programs)
	@tests/run.sh $(foreach n,$(fuzz_names),"$(B)/tests/fuzz/replay_$(n) $(wildcard tests/fuzz/corpus/$(n))")

exhaustive: $$(exhaustive_programs)
	@tests/run.sh $(exhaustive_programs)

sim: $$(sim_program)
	@[ -n "$(sim_program)" ] || { echo "tests/sim/ has no sources"; exit 1; }
	@$(sim_program) --seed $(SEED) --count $(N) $(if $(filter-out 1,$(N)),--jobs $(shell nproc))

# Each scenario of 4 validators and 3 rounds, with sound and with malformed leaders, and a sample of
# 7 validators, 5 rounds and 3 cells.
SHARE ?= 1
NIGHTLY ?= 200000
twins_run = $(sim_program) twins --jobs $(shell nproc)
twins: $$(sim_program)
	@$(twins_run) --share 0/$(SHARE)
	@$(twins_run) --share 0/$(SHARE) --malformed
	@$(twins_run) --validators 7 --rounds 5 --cells 3 --sample $$((20000 / $(SHARE)))
	@$(twins_run) --validators 7 --rounds 5 --cells 3 --sample $$((20000 / $(SHARE))) --malformed
.PHONY: twins

# The simulator's share of a night: seeds, a long run, every Twins scenario with cells of any number.
nightly-core: $$(sim_program)
	@$(sim_program) --seed $(SEED) --count $(NIGHTLY) --jobs $(shell nproc)
	@$(sim_program) --seed $(SEED) --scenario long
	@$(sim_program) --seed $(SEED) --scenario hollow --count 40 --jobs $(shell nproc)
	@$(MAKE) twins
	@$(twins_run) --cells 5
	@$(twins_run) --validators 7 --rounds 5 --cells 9 --sample 50000 --seed $(SEED)
.PHONY: nightly-core

nodesim: $$(nodesim_program)
	@$(nodesim_program) --seed $(SEED) --count $(N) $(addprefix --set ,$(W))

fuzz:
	@[ -f tests/fuzz/fuzz_$(F).c ] || { echo "make fuzz F=NAME S=seconds; names: $(fuzz_names)"; exit 2; }
	@$(call again,fuzz) build/fuzz/bin/fuzz_$(F)
	@mkdir -p build/fuzz/corpus/$(F) build/fuzz/found
	@build/fuzz/bin/fuzz_$(F) -max_total_time=$(S) -print_final_stats=1 \
	    -artifact_prefix=build/fuzz/found/$(F)- build/fuzz/corpus/$(F) $(wildcard tests/fuzz/corpus/$(F))

# Every target for S seconds each, as one test each; inputs that crash stay in build/fuzz/found.
fuzz-all: $$(fuzz_programs)
	@mkdir -p build/fuzz/found $(addprefix build/fuzz/corpus/,$(fuzz_names))
	@for n in $(fuzz_names); do \
	    build/fuzz/bin/fuzz_$$n -max_total_time=$(S) -artifact_prefix=build/fuzz/found/$$n- \
	        build/fuzz/corpus/$$n $$(ls -d tests/fuzz/corpus/$$n 2>/dev/null) >build/fuzz/$$n.log 2>&1 || \
	        { tail -40 build/fuzz/$$n.log; echo "fuzz_$$n failed"; exit 1; }; \
	done
	@echo "$(words $(fuzz_names)) passed, 0 failed"
.PHONY: fuzz-all

integration: all $$(crash_daemon) $$(flood_program)
	@tests/pytest.sh tests/integration $(if $(T),-k "$(T)")

# What abuse by a validator and by strangers costs the honest: a table, for a quiet machine.
abuse: all $$(flood_program)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/integration/abuse.py

# tests/golden/*.c is a program that prints roots of a fixed chain; roots.txt keeps what it printed.
golden: $$(golden_program)
	@for form in narrow wide; do \
	    $(golden_program) $$form | diff tests/golden/roots.txt - >build/golden.diff || { \
	        cat build/golden.diff; \
	        echo "The roots differ from tests/golden/roots.txt: a rule or a byte format changed."; \
	        echo "If it was meant to, keep the new ones: $(golden_program) >tests/golden/roots.txt"; \
	        exit 1; }; \
	done

# A table or vector that is committed stands beside its generator NAME.py, which knows --check.
generators := $(wildcard tests/golden/*.py tools/gen/*.py)
check-gen:
	@for g in $(generators); do echo $$g; $(PYTHON) $$g --check || exit 1; done

# Every compiler and optimisation must come to the same roots and traces.
repro:
	@tests/repro.sh "release" "asan" "clang" "debug" "clang debug"

js: all
	@cd tools/client-js && npm ci --loglevel=error --no-audit --no-fund --prefer-offline --fetch-retries=1 && npm test --silent
.PHONY: js

cov:
	@$(call again,cov) unit
	@tests/coverage.sh build/cov

# --- using it -----------------------------------------------------------------------------------

demo:
	@tools/setup
	@echo "Building Novate: half a minute on two cores, the first time."
	@$(MAKE) -s -j$(shell nproc) all
	@$(BIN)/novate devnet down --dir build/devnet >/dev/null 2>&1 || true
	@rm -rf build/devnet
	@echo "A fresh network of four validators in build/devnet:"
	@exec $(BIN)/novate devnet up --dir build/devnet $(DEMO_FLAGS)

bench: all
	@mkdir -p build
	@$(or $(filter %/novate-bench,$(programs)),$(BIN)/novate bench) $(BENCH_FLAGS)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(programs) $(DESTDIR)$(PREFIX)/bin

clean:
	rm -rf build
