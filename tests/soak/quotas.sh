#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A healthy canaryd under quotas of 2, 5, 10, 20 and 50 % of a processor, under the small limits of
# the tests for hangs: nobody may be accused. Needs root and the cpu controller.
#   tests/soak/quotas.sh [SECONDS]     of each; 1800 unless told
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${CANARY_BUILD:-build/release}
failed=()
for percent in 2 5 10 20 50; do
  CANARY_QUOTA_PERCENT=$percent CANARY_QUOTA_SECONDS=${1:-1800} \
    "$build/faults_test" --gtest_filter='HealthyRuns.AccuseNobodyUnderAQuota' --gtest_brief=1 ||
    failed+=("$percent %")
done
[ ${#failed[@]} -eq 0 ] || { echo "accused or failed at: ${failed[*]}" >&2; exit 1; }
