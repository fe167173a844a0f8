#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How soon a stall is noticed, dumped and readable, over many stalls of a loop; then how soon a dump
# of canaryd itself is. Ahead of everybody else where that may be had: time that the machine's other
# work takes from a stuck thread is grace, and would be measured too.
#   tests/soak/detection.sh [STALLS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${CANARY_BUILD:-build/release}

# A session of its own is scheduled as one: its niceness is what counts against others.
ahead() {
  setsid --wait bash -c '
    renice -n -20 -p $$ >/dev/null 2>&1 && echo -20 >/proc/self/autogroup
    exec "$@"' ahead "$@" 2>&1
}
echo "niceness: $(ahead nice), load: $(cut -d' ' -f1-3 /proc/loadavg)"
ahead "$build/detection_bench" "${1:-200}"
ahead python3 -B tests/soak/readable.py
