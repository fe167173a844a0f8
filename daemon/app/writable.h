// SPDX-License-Identifier: Apache-2.0
// What canaryd will have to write, tried at its start: who may not hears of it now, not when it is
// needed.
// Thread: control, at start (blocks on the file system).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/app/places.h"

namespace canary::daemon {

struct Unwritable {
  std::filesystem::path folder;
  std::string why;          // "Read-only file system"
  std::string consequence;  // "what was trusted is not remembered"
};

// Makes the folders that are missing, so that a power cut leaves them there, and writes a nameless
// file into each, also into those that probes have already. Of many probes' folders the first few
// that fail are named.
std::vector<Unwritable> find_unwritable(Places const& places, config::Config const& config);

}  // namespace canary::daemon
