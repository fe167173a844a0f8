#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What docs/performance.md reports, side by side in one run: canaryd beside curl and openssl, then
# large metadata. Machines are noisy: read the ratios.
#   tests/bench/run.sh [CASE...]      one, many, listed, bins, metadata, tracking (all unless named)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/bench/serve.sh
source tests/bench/serve.sh
build=${CANARY_BUILD:-build/release}
work=$(mktemp -d /tmp/canaryd-bench.XXXXXX)
chmod 755 "$work"  # nginx drops its privileges
trap 'stop_serving; rm -rf "$work"' EXIT
rounds=${ROUNDS:-5}
cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=(one many listed bins metadata tracking)

wants() { printf '%s\n' "${cases[@]}" | grep -qx "$1"; }

# measure NAME COMMAND...: wall and CPU seconds, peak memory; all rounds' medians go to $work/NAME.
measure() {
  local name=$1
  shift
  # GNU time may be absent: python's resource usage of one child is the same figure.
  python3 - "$name" "$@" <<'PY' | tee -a "$work/figures"
import os, resource, subprocess, sys, time
name, command = sys.argv[1], sys.argv[2:]
began = time.monotonic()
child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
wall = time.monotonic() - began
print(f"{name:34} {wall:8.3f} s wall {usage.ru_utime + usage.ru_stime:8.3f} s cpu "
      f"{usage.ru_maxrss / 1024:8.1f} MiB exit {os.waitstatus_to_exitcode(status)}", flush=True)
PY
}

medians() {
  echo "-- medians of $rounds rounds"
  python3 - "$work/figures" <<'PY'
import collections, statistics, sys
rows = collections.defaultdict(list)
for line in open(sys.argv[1]):
    name, rest = line[:34].strip(), line[34:].split()
    rows[name].append((float(rest[0]), float(rest[3]), float(rest[6])))
for name, values in rows.items():
    wall, cpu, peak = (statistics.median(column) for column in zip(*values))
    print(f"{name:34} {wall:8.3f} s wall {cpu:8.3f} s cpu {peak:8.1f} MiB")
PY
  : >"$work/figures"
}

check() {  # check NAME CASE TARGETS
  measure "$1" "$build/canaryd" check --root "$work/$2/metadata/1.root.json" \
    --metadata-url "$url/$2/metadata" --targets-url "$url/$2/targets" --targets "$3"
}

for each in one many listed bins; do
  if wants "$each"; then "$build/bench_repository" "$work/$each" "$each"; fi
done
: >"$work/figures"
serve "$work" "$work"

if wants one; then
  echo "== one target of 1 GiB: download and SHA-256 together"
  file=$(basename "$work"/one/targets/*)
  for _ in $(seq "$rounds"); do
    check "canaryd check" one all
    measure "curl | openssl dgst -sha256" bash -c "curl -s '$url/one/targets/$file' | openssl dgst -sha256"
    measure "curl to /dev/null (raw receive)" curl -s -o /dev/null "$url/one/targets/$file"
    measure "openssl dgst of the file (hash)" openssl dgst -sha256 "$work/one/targets/$file"
  done
  medians
fi
if wants many; then
  echo "== 64 targets of 16 MiB, several at once"
  for _ in $(seq "$rounds"); do
    check "canaryd check" many all
    measure "curl -Z, then openssl dgst" bash -c "cd '$work' && curl -sS --no-progress-meter -Z --parallel-max 4 --remote-name-all \$(cd many/targets && for f in *; do echo '$url/many/targets/'\$f; done) && openssl dgst -sha256 *.img && rm -f *.img"
  done
  medians
fi
if wants listed; then
  echo "== 100,000 targets listed in one file of $(du -h "$work"/listed/metadata/1.targets.json | cut -f1), metadata only"
  for _ in $(seq "$rounds"); do check "canaryd check" listed none; done
  medians
fi
if wants bins; then
  echo "== 100,000 targets over 16,384 hash bins ($(du -sh --apparent-size "$work"/bins/metadata | cut -f1) of metadata): all bins verified"
  for _ in $(seq "$rounds"); do check "canaryd check" bins none; done
  medians
fi
if wants metadata; then
  echo "== parse, canonicalise, verify without I/O"
  "$build/metadata_bench"
fi
if wants tracking && [ -x "$build/tracking_bench" ]; then
  echo "== what tracking costs"
  tests/bench/run_tracking.sh
fi
