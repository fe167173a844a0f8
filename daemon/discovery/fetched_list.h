// SPDX-License-Identifier: Apache-2.0
// A list as its source gave it.
// Thread: none (immutable once it is shared).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/discovery.h"
#include "config/list.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon {

struct FetchedList {
  std::string source;                   // its name
  std::string address;                  // address_of() the source; an ETag holds for this alone
  std::string etag;                     // "" where the server sends none that can be kept
  std::vector<config::ListPart> parts;  // one of a URL; of a pattern one for each file
  std::optional<SysTime> fetched;       // when its content came; nothing where nobody knows
  std::optional<SysTime> confirmed;     // when it was last seen to be the newest; likewise
};
using FetchedListPointer = std::shared_ptr<FetchedList const>;

// One that is not taken over.
struct RefusedList {
  FetchedListPointer list;
  std::string why;
  bool may_fit = false;  // once another list gives up a name: it is worth another try with that
};

// Stands for the whole URL or path, which may hold secrets: its SHA-256 in hexadecimal.
std::string address_of(config::DiscoverySource const& source);

}  // namespace canary::daemon
