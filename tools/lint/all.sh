#!/bin/sh
# all.sh: runs every lint of this folder.
set -eu
cd "$(dirname "$0")/../.."
files=$(git ls-files --cached --others --exclude-standard '*.c' '*.h')
[ -z "$files" ] || clang-format --dry-run -Werror $files
