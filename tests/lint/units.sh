#!/bin/sh
# Goal: the integer inside a unit is touched in vm/number only.
# Method: each way of reaching in, and ordinary fields of the same name.
. "$(dirname "$0")/tree"
table units.txt

echo 'int64_t raw(struct vm_money m) { return m.micro; }' | file vm/number/money.c
echo 'struct row { struct vm_lots lots; };' | file vm/rows.h
echo 'void f(struct row *row) { row->lots = vm_lots(1); g(row->lots); }' | file vm/rows.c
passes "the unit's own file; a field that is called like the inside"

echo 'int64_t f(const struct fill *f) { return f->fee.micro; }' | file vm/fee.c
fails "micro" '^vm/fee.c:1: .micro'
printf 'int x;\nint64_t f(const struct row *r) { return r->lots.lots; }\n' | file vm/fee.c
fails "the inside of a field" '^vm/fee.c:2: .lots'
echo 'int64_t f(struct vm_lots size) { return size.lots; }' | file vm/fee.c
fails "the inside of a variable" '^vm/fee.c:1: .lots'
exit $bad
