#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz target of the metadata parser and state machine and runs it, from seeds that the
# repository builder signs.
#   tests/fuzz/run.sh [SECONDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-300}
cmake --preset asan -B build/fuzz -DCANARY_FUZZ=ON >/dev/null
cmake --build build/fuzz --target tuf_metadata_fuzz tuf_metadata_seeds
mkdir -p build/fuzz/corpus build/fuzz/findings
build/fuzz/tuf_metadata_seeds build/fuzz/corpus
build/fuzz/tuf_metadata_fuzz -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
  -artifact_prefix=build/fuzz/findings/ -print_final_stats=1 build/fuzz/corpus
