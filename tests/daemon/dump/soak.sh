#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A million captures of a thread that throws, allocates, loads libraries and takes other signals,
# a quarter of them each: none may crash, hang or disturb it.
#   tests/daemon/dump/soak.sh [CAPTURES]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
build=${CANARY_BUILD:-build/release}
captures=${1:-1000000}
CANARY_CAPTURES=$((captures / 4)) "$build/dump_test" --gtest_filter='CaptureThread.Withstands*'
