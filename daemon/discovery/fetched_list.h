// SPDX-License-Identifier: Apache-2.0
// A list as its source gave it.
// Thread: none (immutable once it is shared).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/discovery.h"
#include "config/list.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon {

struct FetchedList {
  std::string source;                   // its name
  std::uint64_t address = 0;            // address_of() the source; an ETag holds for this alone
  std::string etag;                     // "" where the server sends none that can be kept
  std::vector<config::ListPart> parts;  // one of a URL; of a pattern one for each file
  SysTime fetched{};                    // when its content came
  SysTime confirmed{};                  // when it was last seen to be the newest
};
using FetchedListPointer = std::shared_ptr<FetchedList const>;

// Stands for the whole URL or path, which may hold secrets.
std::uint64_t address_of(config::DiscoverySource const& source);

}  // namespace canary::daemon
