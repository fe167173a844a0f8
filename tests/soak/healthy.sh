#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 10,000 healthy runs of 100 probes a second, under the small limits of the tests for hangs (a stall
# of the loop is 300 ms): nobody may be accused.
#   tests/soak/healthy.sh [RUNS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${CANARY_BUILD:-build/release}
CANARY_HEALTHY_RUNS=${1:-10000} "$build/faults_test" --gtest_filter='HealthyRuns.AccuseNobody' --gtest_brief=1
