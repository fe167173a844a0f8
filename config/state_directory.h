// SPDX-License-Identifier: Apache-2.0
// Where a configuration keeps its state, for commands that only look for the daemon that runs on
// it: they need neither its probes nor its secrets.
// Thread: any but the loop's (reads files).
#pragma once

#include <filesystem>
#include <vector>

#include "config/problem.h"
#include "config/result.h"

namespace canary::config {

// `state_directory` of the main file, its default where the file names none. Refused where the file
// cannot be read, is no YAML, or says something else than a folder there; the rest is not looked
// at.
Result<std::filesystem::path, std::vector<Problem>> load_state_directory(
    std::filesystem::path const& file);

}  // namespace canary::config
