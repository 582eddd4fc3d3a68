# The targets a person types, beside all, libs, programs and unit.

.PHONY: help lint clean

help:
	@sed -n 's/^#: //p' tools/targets.mk

#: make               the release daemon and command line, in build/bin/
#: make unit T=name   unit tests, or those whose path has the name
#: make lint          layers, doors, purity, sizes, banned words, format, headers, quotes
#: make clean         removes build/
#: FLAVOUR=asan       with any of these: release debug asan tsan cov fuzz; FLAVOUR="clang debug"

lint:
	@tools/lint/all

clean:
	rm -rf build
