// SPDX-License-Identifier: Apache-2.0
// The lists in force, kept over a restart: a file for each source in the state directory, whose
// time says when the list was last confirmed.
// Thread: any but the loop's (blocks on files).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/discovery.h"
#include "config/result.h"
#include "daemon/discovery/fetched_list.h"

namespace canary::daemon {

// Replaces the file of its source as a whole; why not, or empty.
std::string keep_list(std::filesystem::path const& directory, FetchedList const& list);
// It was confirmed now.
std::string touch_list(std::filesystem::path const& directory, std::string const& source);

struct KeptLists {
  std::vector<FetchedListPointer> lists;
  std::vector<std::string> unusable;  // a sentence for each file that is there and says nothing
};
// Times that lie after `now` are none.
KeptLists read_kept_lists(std::filesystem::path const& directory,
                          std::vector<config::DiscoverySource> const& sources, SysTime now);

}  // namespace canary::daemon
