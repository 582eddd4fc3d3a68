# Novate: the build.  `make help` lists the targets; docs/HACKING.md tells the rest.
#
# One make for the whole tree.  Each folder has a module.mk of a few lines; sources are found by
# wildcard, so a new file needs no list.  Everything made goes to build/<flavour>/, and the release
# programs to build/bin/.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# --- what to build with ------------------------------------------------------------------------
# FLAVOUR is release, debug, asan, tsan, cov, fuzz or plain; the word clang beside it, or CC=clang,
# takes the other compiler.  gcc is the release compiler of every validator.  The words bugN and
# noguard_X build a mutant, with a seeded bug or without a guard, which the tests must catch.

ifeq ($(origin CC),default)
CC := gcc
endif
FLAVOUR ?= release
ifneq ($(filter clang fuzz,$(FLAVOUR)),)
CC := clang
endif
clang := $(if $(findstring clang,$(notdir $(CC))),clang)
mutant := $(filter bug% noguard_%,$(FLAVOUR))
flavour := $(or $(strip $(filter-out clang $(mutant),$(FLAVOUR))),release)
ifneq ($(words $(flavour)) $(filter-out release debug asan tsan cov fuzz plain,$(flavour)),1 )
$(error FLAVOUR="$(FLAVOUR)": use one of release debug asan tsan cov fuzz plain, and clang beside it)
endif
B := build/$(flavour)$(if $(clang),$(if $(filter fuzz,$(flavour)),,-clang))$(addprefix -,$(mutant))
BIN := $(if $(filter build/release,$(B)),build/bin,$(B)/bin)

AR := $(if $(filter default,$(origin AR)),ar,$(AR))
PYTHON := /usr/bin/python3
# In a git checkout a warning is an error; a packager who unpacks an archive gets warnings only.
WERROR ?= $(if $(wildcard .git),1,0)

include tools/flags.mk

# --- the rules that the module.mk files use -----------------------------------------------------

# $(call objects,SOURCES): the object files of these sources.
objects = $(patsubst %.c,$(B)/obj/%.o,$(1))

# $(call remember,FILE,TEXT): writes TEXT to FILE at once when it differs from what is there, so that
# whatever depends on FILE is made anew when flags change or a source file has gone.
remember = $(if $(wildcard $(1)),$(if $(call differ,$(strip $(file <$(1))),$(strip $(2))),\
    $(file >$(1),$(strip $(2)))),$(shell mkdir -p $(dir $(1)))$(file >$(1),$(strip $(2))))
differ = $(or $(subst x$(1)x,,x$(2)x),$(subst x$(2)x,,x$(1)x))

# $(eval $(call library,NAME,SOURCES,EXTRA_OBJECTS)): the archive build/<flavour>/libNAME.a.
define library
$(call remember,$(B)/list/lib$(1),$(2) $(3))
sources += $(2)
archives += $(B)/lib$(1).a
$(B)/lib$(1).a: $(call objects,$(2)) $(3) $(B)/list/lib$(1)
	@rm -f $$@
	$$(say) AR $$@
	$$(quiet)$(AR) rcs $$@ $(call objects,$(2)) $(3)
endef

# $(eval $(call program,PATH,SOURCES,EXTRA_LINKER_FLAGS)): a program linked with every archive.
define program
$(call remember,$(B)/list/$(notdir $(1)),$(2))
sources += $(filter-out $(sources),$(2))
$(1): $(call objects,$(2)) $$$$(archives) $(B)/list/$(notdir $(1))
	@mkdir -p $$(@D)
	$$(say) LINK $$@
	$$(quiet)$$(CC) $$(LINK_FLAGS) $(3) -o $$@ $(call objects,$(2)) $$(link_archives) $$(LIBS)
endef

# $(eval $(call protobuf,PROTOS)): generates NAME.pb-c.[ch] into build/<flavour>/gen/, where a file
# finds them as "NAME.pb-c.h".
proto_objects = $(patsubst %.proto,$(B)/obj/gen/%.pb-c.o,$(notdir $(1)))
define protobuf
generated_headers += $(patsubst %.proto,$(B)/gen/%.pb-c.h,$(notdir $(1)))
$(foreach p,$(1),$(call protobuf_one,$(p),$(B)/gen/$(basename $(notdir $(p)))))
endef
define protobuf_one
$(2).pb-c.c $(2).pb-c.h &: $(1) | packages
	@mkdir -p $$(@D)
	$$(say) PROTO $(1)
	$$(quiet)protoc-c --proto_path=$(dir $(1)) --c_out=$(dir $(2)) $(notdir $(1))

endef

V ?= 0
quiet := $(if $(filter 1,$(V)),,@)
say = @printf '  %-5s %s\n'
ifneq ($(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS)))),)
say := @:
endif
link_archives = -Wl,--start-group $(archives) -Wl,--end-group

.SECONDEXPANSION:

sources :=
archives :=
programs :=
generated_headers :=
$(call remember,$(B)/flags,$(CC) $(CFLAGS_ALL) / $(LINK_FLAGS) $(link_whole) / $(LIBS))

include node/module.mk tools/module.mk rpc/module.mk p2p/module.mk vm/module.mk \
    consensus/module.mk storage/module.mk base/module.mk tests/module.mk

# The golden roots are those of the code that validators run.
$(programs) $(golden_program): linked = $(link_whole)

# --- compiling ----------------------------------------------------------------------------------

# The flags of a folder are flags_<folder>, set in its module.mk.
folder_flags = $(flags_$(firstword $(subst /, ,$<)))

$(B)/obj/%.o: %.c $(B)/flags | packages $$(generated_headers)
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(CC) $(CFLAGS_ALL) $(folder_flags) -MMD -MP -c -o $@ $<

# Code made by protoc-c is not ours: no warnings, and NDEBUG, since its assertions would import
# __assert_fail.
$(B)/obj/gen/%.pb-c.o: $(B)/gen/%.pb-c.c $(B)/flags | packages
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(CC) $(CFLAGS_FOREIGN) -I$(B)/gen -c -o $@ $<

-include $(patsubst %.c,$(B)/obj/%.d,$(sources))

.PHONY: packages
packages:
ifneq ($(packages_missing),)
	@echo "Missing for the build: $(packages_missing)" >&2
	@echo "Run tools/setup: it installs what is missing, or prints the line to paste." >&2
	@exit 1
endif

.PHONY: all libs programs
all: libs programs
libs: $$(archives)
programs: $$(programs)

include tools/targets.mk
