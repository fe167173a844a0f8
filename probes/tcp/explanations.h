// SPDX-License-Identifier: Apache-2.0
// What the findings of the kind `tcp` mean, and what to do about them.
// Thread: none (constants).
#pragma once

#include <array>

#include "probes/explanation.h"
#include "probes/tcp/declaration.h"

namespace canary::tcp {

inline constexpr auto kExplanations = std::to_array<probes::Explanation>({
    {.check = kBanner,
     .step = "tcp.starts_with, tcp.contains, tcp.matches",
     .expected = "an answer as the probe describes it",
     .clients = "all that speak to this server",
     .advice = "See who answers there: the finding has the beginning. Restart the service, or "
               "correct what is expected."},
});

}  // namespace canary::tcp
