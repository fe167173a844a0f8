// SPDX-License-Identifier: Apache-2.0
// The name under which systemd's descriptor store keeps this process's tables for the next one.
// Thread: none.
#pragma once

namespace canary::watchdog {

inline constexpr char kStoredTables[] = "canaryd-tables";

}  // namespace canary::watchdog
