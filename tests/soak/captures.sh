#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A million captures of a thread that throws, allocates, loads libraries and takes other signals,
# a quarter of them each: none may crash, hang or disturb it.
#   tests/soak/captures.sh [CAPTURES]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${CANARY_BUILD:-build/release}
captures=${1:-1000000}
rounds=5
began=$SECONDS
for storm in AStormOfThrows AStormOfAllocations AStormOfLoadedLibraries OtherSignals; do
  for round in $(seq "$rounds"); do
    line=$(CANARY_CAPTURES=$((captures / 4 / rounds)) "$build/dump_test" \
      --gtest_filter="CaptureThread.Withstands$storm" 2>&1) || { echo "$line"; exit 1; }
    printf '%-24s %d/%d  %s\n' "$storm" "$round" "$rounds" "$(grep ' captures, ' <<<"$line")"
  done
done
echo "$captures captures in $((SECONDS - began)) s: no crash, no hang"
