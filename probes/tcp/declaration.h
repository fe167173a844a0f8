// SPDX-License-Identifier: Apache-2.0
// What the kind `tcp` declares.
// Thread: none (constants).
#pragma once

#include <array>
#include <string_view>

#include "probes/declaration.h"

namespace canary::tcp {

inline constexpr std::string_view kBanner = "banner";  // a check
inline constexpr std::array kChecks{kBanner};
inline constexpr probes::Reason kMismatch{"mismatch"};  // the answer is another one
inline constexpr std::array kReasons{kMismatch};

inline constexpr auto kSteps = std::to_array<probes::Step>({
    {"connect", "name looked up, connected", "reachable"},
    {"banner", "what the server says, against what is expected", kBanner},
});
inline constexpr probes::Declaration kDeclaration{
    .kind = "tcp", .title = "TCP servers", .checks = kChecks, .reasons = kReasons, .steps = kSteps};

}  // namespace canary::tcp
