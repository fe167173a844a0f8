#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What tracking and frames cost: runs each benchmark with and without them in turn and prints the
# least of each, in CPU time, and the difference; then what the watchdog's thread costs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/bench/serve.sh
source tests/bench/serve.sh
build=${CANARY_BUILD:-build/release}
work=$(mktemp -d /tmp/canaryd-tracking.XXXXXX)
chmod 755 "$work"  # nginx drops its privileges
trap 'stop_serving; kill "${busy[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
# CPUs that fall asleep between a request and its answer would be most of what is measured.
busy=()
for _ in $(seq "$(nproc)"); do
  nice -n 19 sh -c 'while :; do :; done' &
  busy+=($!)
done
head -c 2000 /dev/zero >"$work/timestamp.json"
serve "$work" "$work"

for _ in $(seq "${ROUNDS:-5}"); do
  "$build/tracking_bench" | sed 's/^/on /'
  "$build/tracking_bench_bare" | sed 's/^/off /'
  for _ in 1 2; do
    "$build/probe_bench" "$url/timestamp.json" | sed 's/^/on /'
    "$build/probe_bench_bare" "$url/timestamp.json" | sed 's/^/off /'
  done
done | python3 -c '
import collections, sys
rows = collections.defaultdict(lambda: collections.defaultdict(list))
for line in sys.stdin:
    side, what, ns = line.split()
    rows[what][side].append(float(ns))
print("%-16s %11s %11s %9s" % ("", "off", "on", "cost"))
for what, sides in rows.items():
    off, on = (min(sides[side]) for side in ("off", "on"))
    print(f"{what:16} {off:9.1f}ns {on:9.1f}ns {on - off:+9.1f} {100 * (on - off) / off:+6.1f} %")
'
echo "-- the watchdog's thread, on a busy machine"
"$build/watchdog_bench" "${SECONDS_EACH:-20}"
kill "${busy[@]}"
busy=()
echo "-- likewise, on an idle one"
"$build/watchdog_bench" "${SECONDS_EACH:-20}"
