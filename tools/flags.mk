# Compiler and linker flags, by flavour.  docs/HACKING.md says which flavour is for what.

# --- libraries ----------------------------------------------------------------------------------

PKGS := libuv libsecp256k1 lmdb libprotobuf-c libssl libcrypto nettle jansson inih libzstd cmocka
LLHTTP_SOURCES ?= /usr/share/llhttp
LLHTTP_INCLUDE ?= /usr/share/include/llhttp

packages_missing := $(strip \
    $(shell command -v pkg-config >/dev/null || echo pkg-config) \
    $(shell command -v $(CC) >/dev/null || echo $(CC)) \
    $(shell command -v protoc-c >/dev/null || echo protoc-c) \
    $(if $(wildcard $(LLHTTP_SOURCES)/llhttp.c),,llhttp) \
    $(if $(wildcard /usr/include/wslay/wslay.h /usr/local/include/wslay/wslay.h),,wslay))
ifeq ($(filter pkg-config,$(packages_missing)),)
LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
ifeq ($(LIBS),)
packages_missing += $(foreach p,$(PKGS),$(shell pkg-config --exists $(p) || echo $(p)))
endif
endif
LIBS := -Wl,--as-needed $(LIBS) -lwslay -lpthread -lm

# --- warnings -----------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align \
    -Wcast-qual -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
    -Wredundant-decls -Wundef -Wvla -Walloca -Wformat=2 -Wdouble-promotion -Wfloat-equal \
    -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference -Wpointer-arith -Wdate-time

# Flags that only some compilers know are tried once per compiler and kept in build/.
PROBED := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wformat-signedness \
    -Wjump-misses-init -Wcomma -Wconditional-uninitialized -Wassign-enum \
    -Wmissing-variable-declarations -ftrivial-auto-var-init=pattern
probe_file := build/probe-$(subst /,_,$(CC))
ifeq ($(wildcard $(probe_file)),)
$(shell mkdir -p build; command -v $(CC) >/dev/null && for f in $(PROBED); do \
    echo 'int main(void) { return 0; }' | \
    $(CC) -Werror $$f -x c -c -o /dev/null - 2>/dev/null && echo $$f; done > $(probe_file))
endif
known := $(file <$(probe_file))
WARNINGS += $(filter -W%,$(known))

# --- flavours -----------------------------------------------------------------------------------
# -fwrapv makes an escaped overflow behave alike on every node, but it also silences UBSan's check
# of signed overflow, so the flavours with sanitizers go without it.
#
# Variables without a value start with a pattern in clang's debug build only: with
# -ftrivial-auto-var-init, gcc 12 clears bytes of nested structs that it should copy
# (tests/unit/base/test_compiler.c shows it).

harden := -fstack-protector-strong -D_FORTIFY_SOURCE=2
checked := -fno-omit-frame-pointer -fno-sanitize-recover=all -DNV_PARANOID

optimise_release := -O2 -g -fwrapv $(harden)
optimise_debug := -O0 -g3 -fwrapv -DNV_PARANOID $(if $(clang),$(filter %=pattern,$(known)))
optimise_asan := -O1 -g $(checked) -fsanitize=address,undefined
optimise_tsan := -O1 -g $(checked) -fsanitize=thread
optimise_cov := -O0 -g -fwrapv --coverage -fprofile-abs-path
optimise_fuzz := -O1 -g $(checked) -fsanitize=fuzzer-no-link,address,undefined
# plain is for the purity gate: nothing but what the source itself asks for, and no register that
# could hold a float.
optimise_plain := -O1 -fno-stack-protector $(if $(clang),,-mgeneral-regs-only)

# The objects of vm/ in the release build hold their code twice: as instructions, and as gcc keeps it to
# optimise at the link.  Validators' programs are linked from the latter, vm/ compiled anew as one piece: a
# tenth faster, four seconds of work.  All others, the unit tests too, take the instructions.
twice := $(if $(clang),,$(filter release,$(flavour)))
compile_twice := $(if $(twice),-flto -ffat-lto-objects)
link_parts := $(if $(twice),-fno-lto)
link_whole := $(if $(twice),-flto=auto $(optimise_release) -fno-strict-aliasing -fPIE)
linked = $(link_parts)

link_asan := -fsanitize=address,undefined
link_tsan := -fsanitize=thread
link_cov := --coverage
link_fuzz := -fsanitize=address,undefined

# Under sanitizers the compilers see paths that do not exist; their warnings are not errors there.
werror := $(if $(filter 1,$(WERROR)),$(if $(filter release debug plain,$(flavour)),-Werror))

LANGUAGE := -std=c17 -fno-strict-aliasing -fPIE
MUTATION := $(patsubst bug%,-DNV_BUG=%,$(patsubst noguard_%,-DNV_NOGUARD_%,$(mutant)))
CFLAGS_ALL = $(LANGUAGE) $(WARNINGS) $(werror) $(optimise_$(flavour)) -I. -isystem $(B)/gen \
    $(PKG_CFLAGS) $(MUTATION) $(CFLAGS)
CFLAGS_FOREIGN = $(LANGUAGE) -w -DNDEBUG $(optimise_$(flavour)) $(PKG_CFLAGS)
LINK_FLAGS = -pie -Wl,-z,relro,-z,now $(linked) $(link_$(flavour)) $(LDFLAGS)

# What a folder gets that may use the system: POSIX, Linux and uv.h need it under -std=c17.
SYSTEM := -D_GNU_SOURCE
