#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 1,000 probes of 1,000 small repositories each 10 s in one process, for ten minutes (or as told):
# CPU seconds per 1,000 probes, memory, worst lateness, file descriptors over time.
#   tests/bench/soak.sh [SECONDS] [PROBES]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/bench/serve.sh
source tests/bench/serve.sh
build=${CANARY_BUILD:-build/release}
seconds=${1:-600}
probes=${2:-1000}
work=$(mktemp -d /tmp/canaryd-soak.XXXXXX)
chmod 755 "$work"  # nginx drops its privileges
canaryd_pid=
trap '[ -z "$canaryd_pid" ] || kill "$canaryd_pid" 2>/dev/null || true; stop_serving; rm -rf "$work"' EXIT

echo "writing $probes repositories"
"$build/bench_repository" "$work/repositories" "small:$probes"
serve "$work/repositories" "$work"
{
  echo "state_directory: $work/state"
  echo "web: {listen_addresses: ['127.0.0.1:0']}"
  echo "scheduler: {max_concurrent_runs: 64, max_concurrent_runs_per_host: 64, start_spread: 10s}"
  echo "defaults: {interval: 10s, timeout: 10s, http: {proxy: none}}"
  echo "probes:"
  for i in $(seq 0 $((probes - 1))); do
    echo "  - {name: probe-$i, tuf: {metadata_url: '$url/$i/metadata', root: '$work/repositories/$i/metadata/1.root.json', targets: all}}"
  done
} >"$work/canaryd.yml"
"$build/canaryd" run --config "$work/canaryd.yml" 2>"$work/log" &
canaryd_pid=$!
for _ in $(seq 100); do
  address=$(sed -n 's/.*msg=listening address=//p' "$work/log" | head -1)
  [ -n "$address" ] && break
  sleep 0.1
done
[ -n "$address" ] || { echo "canaryd did not start:"; tail -5 "$work/log"; exit 1; }

python3 - "$canaryd_pid" "$address" "$seconds" <<'PY'
import os, re, sys, time, urllib.request
pid, address, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
tick = os.sysconf("SC_CLK_TCK")

def cpu():
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / tick

def rss():
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) / 1024

def descriptors():
    return len(os.listdir(f"/proc/{pid}/fd"))

def metrics():
    return urllib.request.urlopen(f"http://{address}/metrics", timeout=10).read().decode()

def total(page, name):
    return sum(float(v) for v in re.findall(rf"^{name}{{[^}}]*}} (\S+)$", page, re.M))

time.sleep(15)  # the first round
first_runs, first_cpu, began = total(metrics(), "canaryd_probe_runs_total"), cpu(), time.monotonic()
print(f"{'time s':>7} {'runs':>8} {'rss MiB':>8} {'fds':>5}", flush=True)
lowest, highest = 10**9, 0
while time.monotonic() - began < seconds:
    time.sleep(min(30, seconds / 4))
    page = metrics()
    fds = descriptors()
    lowest, highest = min(lowest, fds), max(highest, fds)
    print(f"{time.monotonic() - began:7.0f} {total(page, 'canaryd_probe_runs_total'):8.0f} "
          f"{rss():8.1f} {fds:5}", flush=True)
page = metrics()
runs, used = total(page, "canaryd_probe_runs_total") - first_runs, cpu() - first_cpu
failed = total(page, "canaryd_probe_failures_total")
skipped = total(page, "canaryd_probe_runs_skipped_total")
buckets = re.findall(r'^canaryd_schedule_lag_seconds_bucket{le="([^"]+)"} (\d+)$', page, re.M)
count = int(buckets[-1][1])
worst = next(edge for edge, seen in buckets if int(seen) == count)
print(f"runs {runs:.0f}, CPU {used:.1f} s: {1000 * used / runs:.3f} s per 1,000 probes; "
      f"{100 * used / (time.monotonic() - began):.0f}% of a core")
print(f"failed {failed:.0f}, skipped {skipped:.0f}; every run started within {worst} s of its time; "
      f"descriptors {lowest} to {highest}")
sys.exit(1 if failed or skipped else 0)
PY
kill "$canaryd_pid"
wait "$canaryd_pid" && echo "stopped cleanly"
canaryd_pid=
