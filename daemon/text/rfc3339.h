// SPDX-License-Identifier: Apache-2.0
// Instants as RFC 3339 has them, in UTC: "2026-11-24T23:44:54.980Z".
// Thread: none (pure).
#pragma once

#include <chrono>
#include <string>

namespace canary::daemon {

std::string rfc3339(std::chrono::sys_time<std::chrono::milliseconds> time);

}  // namespace canary::daemon
