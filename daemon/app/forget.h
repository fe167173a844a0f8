// SPDX-License-Identifier: Apache-2.0
// Drops what was trusted of a repository that was re-keyed or restored on purpose.
// Thread: any but the loop's; all of it may block on the file system.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/harmless.h"
#include "config/result.h"

namespace canary::daemon {

// Removes the files in `folder` for good, its own folders left alone; how many there were, 0 where
// there is no such folder. The error names the first that stays: others may be gone by then.
Result<std::size_t, std::string> remove_files(std::filesystem::path const& folder);

// "forgot what was trusted of releases (6 files); its next run begins from what is pinned".
std::string forgotten_text(std::string const& probe, std::size_t files);

struct Forgotten {
  std::size_t files = 0;
  std::vector<std::string> troubles;  // what could not be written down of it, a sentence each
};
// The same where no canaryd runs: in the state directory of `config`, under its lock, noted in the
// history and in what is known of the probe. As root it goes on with the rights of the directory's
// owner, for what it writes there must be the daemon's. Refused where somebody has the lock. Of a
// probe that is on a list, or was removed, only its name is known; then something must be trusted
// of it. REQUIRES: probe is a name of probes.
Result<Forgotten, std::string> forget_at_rest(config::Config const& config,
                                              std::string const& probe,
                                              HarmlessText<512> const& reason);

}  // namespace canary::daemon
