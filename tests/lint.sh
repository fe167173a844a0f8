#!/usr/bin/env bash
# What a compiler does not say: formatting, the rules of tests/lint_rules.py and tests/layers_test.py,
# clang-tidy, and whether GCC 12 still compiles the product.
#   tests/lint.sh            everything
#   tests/lint.sh FILE...    the first three, for these files
# Needs build/dev configured (./canary lint sees to it) for compile_commands.json.
# BUILD=DIR names another build folder. clang-tidy leaves out what was clean and has not changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${BUILD:-build/dev}
[ -f "$build/compile_commands.json" ] || {
  echo "lint: $build/compile_commands.json is missing: cmake --preset dev" >&2
  exit 2
}

files=("$@")
if [ $# -eq 0 ]; then
  mapfile -t files < <(git ls-files '*.cc' '*.h')
fi
failed=0
step() {  # step NAME COMMAND...
  echo "lint: $1" >&2
  "${@:2}" || failed=1
}

# Only what is compiled; headers are seen through the files that include them.
tidy() { python3 tests/tidy.py "$build" "${files[@]}"; }

gcc() {
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  cmake --preset gcc -DBUILD_TESTING=OFF >/dev/null
  cmake --build --preset gcc -- --quiet
}

step "format" clang-format-19 --dry-run -Werror "${files[@]}"
step "rules" python3 tests/lint_rules.py "$@"
step "layers" python3 tests/layers_test.py
step "clang-tidy" tidy
if [ $# -eq 0 ]; then step "GCC 12" gcc; fi
[ "$failed" -eq 0 ] && echo "lint: clean" >&2
exit "$failed"
