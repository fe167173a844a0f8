// SPDX-License-Identifier: Apache-2.0
// What the kind `exec` declares.
// Thread: none (constants).
#pragma once

#include <array>
#include <string_view>

#include "probes/declaration.h"

namespace canary::exec {

inline constexpr std::string_view kPlugin = "plugin";  // a check
inline constexpr std::array kChecks{kPlugin};
inline constexpr probes::Reason kReported{"reported"};  // the program says so
inline constexpr probes::Reason kCrashed{"crashed"};  // a signal ended it, or no status of the four
inline constexpr std::array kReasons{kReported, kCrashed};

inline constexpr std::size_t kMostFigures = 32;  // of one run
inline constexpr probes::SampleFamily kPerfdata{
    .number =
        {"perfdata", "canaryd_exec_perfdata",
         "A figure of the program's performance data, as it wrote it; the first 32 of a run."},
    .label = "figure"};
inline constexpr std::array<probes::SampleFamily const*, 1> kSamples{&kPerfdata};

inline constexpr auto kSteps = std::to_array<probes::Step>({
    {"program", "run, its status and its output read", kPlugin},
});
inline constexpr probes::Declaration kDeclaration{.kind = "exec",
                                                  .title = "Programs",
                                                  .samples = kSamples,
                                                  .checks = kChecks,
                                                  .reasons = kReasons,
                                                  .steps = kSteps};

}  // namespace canary::exec
