#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs tracking_bench with and without tracking in turn and prints the least of each and the difference.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${CANARY_BUILD:-build/release}
for _ in $(seq "${ROUNDS:-5}"); do
  "$build/tracking_bench" | sed 's/^/on /'
  "$build/tracking_bench_bare" | sed 's/^/off /'
done | python3 -c '
import collections, sys
rows = collections.defaultdict(lambda: collections.defaultdict(list))
for line in sys.stdin:
    side, what, ns = line.split()
    rows[what][side].append(float(ns))
print("%-16s %10s %10s %8s" % ("", "off", "on", "cost"))
for what, sides in rows.items():
    off, on = (min(sides[s]) for s in ("off", "on"))
    print(f"{what:16} {off:8.1f}ns {on:8.1f}ns {on - off:+8.1f}")
'
