// SPDX-License-Identifier: Apache-2.0
// What a configuration says of files and URLs, looked at more closely than the daemon does before
// its first run: `canaryd config check --as-user`.
// Thread: any (blocks on files).
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace canary::daemon {

// Of each enabled probe: its root is the JSON of a root, its CAs are certificates of authorities,
// its URLs end where a folder does, and its files are where canaryd.service can see them. A
// sentence each; empty where all is well.
std::vector<std::string> look_into_files(config::Config const& config);

// This process goes on as `user`, with its groups and without a way back. Empty, or why it can't.
std::string become(std::string const& user);

}  // namespace canary::daemon
