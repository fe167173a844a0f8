// SPDX-License-Identifier: Apache-2.0
// What the findings of the kind `exec` mean, and what to do about them.
// Thread: none (constants).
#pragma once

#include <array>

#include "probes/exec/declaration.h"
#include "probes/explanation.h"

namespace canary::exec {

inline constexpr auto kExplanations = std::to_array<probes::Explanation>({
    {.check = kPlugin,
     .reason = kReported.word(),
     .step = "Monitoring Plugins Development Guidelines, Plugin Return Codes",
     .expected = "exit status 0",
     .clients = "what the program looks at",
     .advice = "Run the program by hand, as the user and in the environment of canaryd; its "
               "message says the rest."},
    {.check = kPlugin,
     .reason = "timeout",
     .step = "the probe's own timeout",
     .expected = "an end within the timeout",
     .clients = "not known: the program did not say",
     .advice = "Run the program by hand and see what it waits for, or give it longer."},
    {.check = kPlugin,
     .step = "Monitoring Plugins Development Guidelines, Plugin Return Codes",
     .expected = "exit status 0 to 3",
     .clients = "not known: the program did not say",
     .advice = "Run the program by hand, as the user and in the environment of canaryd."},
});

}  // namespace canary::exec
