// SPDX-License-Identifier: Apache-2.0
// Which probes have files in the state directory that neither a file nor a list has any longer, and
// for how long that has been so. It is counted while canaryd runs, not dated: neither a clock that
// is wrong nor a machine that was off ends what is trusted.
// Thread: any but the loop's (blocks on files).
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/result.h"

namespace canary::daemon {

using Absences = std::map<std::string, std::chrono::seconds>;  // by the probe's name

struct AbsencePlaces {
  std::filesystem::path results;  // NAME.json
  std::filesystem::path trust;    // a folder for each
  std::filesystem::path record;   // what is counted, over a restart
};

struct AbsenceLook {
  Absences absent;
  std::vector<std::string> results;   // of these probes they have been kept for long enough
  std::vector<std::string> trust;     // likewise
  std::vector<std::string> troubles;  // with the record: a sentence each
};

// `known` are the names of all probes, `before` what the last look counted, so long ago as `since`;
// nothing: it is read from the record. Who is seen to be absent for the first time counts as 0. A
// folder that cannot be read is an error, and nothing is counted.
Result<AbsenceLook, std::string> look_for_absent(AbsencePlaces const& places,
                                                 std::vector<std::string> const& known,
                                                 std::optional<Absences> before,
                                                 std::chrono::seconds since,
                                                 config::RemovedProbesSettings const& settings);

}  // namespace canary::daemon
