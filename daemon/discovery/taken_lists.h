// SPDX-License-Identifier: Apache-2.0
// The lists in force beside the configuration's files: which probes each has, and what they make
// together. Files come before lists, and of two lists the one that has a name keeps it.
// Thread: any but the loop's (looks at files that probes name).
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/problem.h"
#include "config/result.h"
#include "daemon/discovery/fetched_list.h"

namespace canary::daemon {

struct TakenList {
  FetchedListPointer list;
  std::vector<config::ProbeSpec> probes;     // of this shard
  std::size_t elsewhere = 0;                 // enabled ones of others
  std::vector<std::string> names_elsewhere;  // of all of those
  std::string error;  // what is wrong with probes that had to be left out; "" where none were
};
using TakenLists = std::map<std::string, TakenList>;  // by source

// A list that is new: all of it, or what is wrong with it. `base` is what the files say, `lists`
// are those in force.
Result<TakenList, RefusedList> take_list(config::Config const& base, TakenLists const& lists,
                                         FetchedListPointer const& list);

// Those that are right are in `lists` then: each for itself, and where names go from one to
// another, those that are right together. Returns the others. REQUIRES: of each source at most one.
std::vector<RefusedList> take_lists(config::Config const& base, TakenLists& lists,
                                    std::vector<FetchedListPointer> const& offered);

// Those in force before, under `base`, which is another configuration: probes that it has no place
// for (a file has their name now) are left out.
TakenLists take_again(config::Config const& base, std::vector<FetchedListPointer> const& lists);
std::vector<FetchedListPointer> lists_of(TakenLists const& lists);

// `base` with the probes of the lists, in the order of its sources.
config::Config merged(config::Config base, TakenLists const& lists);

// "URL:3:5: probes[0].name: …", and how many more there are.
std::string first_of(config::Problems const& problems);

}  // namespace canary::daemon
