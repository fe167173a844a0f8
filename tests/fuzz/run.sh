#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets and runs them so long each: the metadata parser and state machine, from
# seeds that the repository builder signs, and the reader of keys and signatures, from seeds that
# librnp makes.
#   tests/fuzz/run.sh [SECONDS] [TARGET...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-300}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(tuf_metadata openpgp)
cmake --preset asan -B build/fuzz -DCANARY_FUZZ=ON >/dev/null
for target in "${targets[@]}"; do
  cmake --build build/fuzz --target "${target}_fuzz" "${target}_seeds"
  corpus=build/fuzz/corpus/$target
  mkdir -p "$corpus" build/fuzz/findings
  "build/fuzz/${target}_seeds" "$corpus"
  # librnp says on standard error what it finds odd, whatever it is told: that is left out.
  quiet=()
  [ "$target" != openpgp ] || quiet=(-close_fd_mask=2)
  "build/fuzz/${target}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
    -artifact_prefix=build/fuzz/findings/ -print_final_stats=1 "${quiet[@]}" "$corpus"
done
