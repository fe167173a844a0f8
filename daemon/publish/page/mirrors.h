// SPDX-License-Identifier: Apache-2.0
// The probes of one repository side by side: which of its mirrors are behind.
// Thread: any (pure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daemon/publish/page/fields.h"
#include "daemon/publish/page/overview.h"

namespace canary::daemon::page {

// Since when a probe sees a lower version than another one of its repository does.
using BehindSince = std::map<std::string, SysTime>;

// Those of the repository of `row`, itself among them, in the order of the configuration.
std::vector<ProbeRow const*> mirrors_of(Snapshot const& snapshot, ProbeRow const& row);

// What a probe shows an older version of than `ahead` do.
struct Lag {
  std::string probe, thing;
  std::int64_t version = 0;
  std::vector<std::string> ahead;  // the first kMostAhead
};
inline constexpr std::size_t kMostAhead = 4;
// Of those that add_mirrors() shows on the page of `own`.
std::vector<Lag> lags_of(std::vector<ProbeRow const*> const& rows, ProbeRow const& own);

struct Mirrors {
  std::vector<ProbeRow const*> const& rows;
  ProbeRow const& own;  // whose page it is
  OwnState const& state;
  SysTime started;
  BehindSince const& since;
};
// Lists "mirrors" and "versions" (what the columns are called); empty where there is but one. Those
// behind come first, beyond kMostMirrors they are counted.
void add_mirrors(Fields& page, Mirrors const& mirrors, SysTime now);
inline constexpr std::size_t kMostMirrors = 50;

}  // namespace canary::daemon::page
