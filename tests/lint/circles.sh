#!/bin/sh
# Goal: files that call each other in a circle are refused, with the calls that make it one.
# Method: a small tree; calls are added until there is a circle, then one may stay by the table.
. "$(dirname "$0")/tree"

printf 'int vm_a(void);\nint vm_b(void);\nint vm_c(void);\n' | file vm/all.h
printf 'static int own(void)\n{\n    return vm_b();\n}\n\nint vm_a(void)\n{\n    return own();\n}\n' |
    file vm/a.c
printf 'int vm_b(void)\n{\n    return vm_c();\n}\n' | file vm/b.c
printf 'int vm_c(void)\n{\n    return 1; /* not vm_a() */\n}\n' | file vm/c.c
passes "calls downwards, and names in comments"

printf 'int vm_c(struct vm_a *x)\n{\n    struct vm_b y = x->vm_b;\n    return y.vm_a;\n}\n' | file vm/c.c
passes "structs and fields of the same name"

printf 'int vm_c(void)\n{\n    return vm_a();\n}\n' | file vm/c.c
fails "a circle of three" '^vm/a.c:1: vm/a.c calls vm_b of vm/b.c; vm/b.c calls vm_c of vm/c.c; vm/c.c calls vm_a of vm/a.c'

printf 'int (*vm_d)(void) = vm_a;\n\nint\nvm_c(void)\n{\n    return vm_d();\n}\n' | file vm/c.c
fails "an address that is taken" 'vm/c.c calls vm_a of vm/a.c'

printf 'vm/c.c vm/a.c   # it is a test\n' | file tools/circles.txt
passes "a pair of the table"

printf 'static int vm_a(void)\n{\n    return vm_b();\n}\n' | file tests/unit/x.c
passes "tests are not looked at"
exit $bad
