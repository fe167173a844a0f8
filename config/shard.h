// SPDX-License-Identifier: Apache-2.0
// Which of several canaryds with the same configuration watches a probe: rendezvous hashing over
// the probes' names. One more of n shards takes 1/(n+1) of the probes, from all others alike.
// Thread: none (pure).
// Source: Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996.
#pragma once

#include <string>
#include <string_view>

#include "config/result.h"

namespace canary::config {

inline constexpr int kMostShards = 1024;

struct Shard {
  int index = 0;  // from 0 on, below `count`
  int count = 1;
  bool is_all() const { return count == 1; }
  friend bool operator==(Shard const&, Shard const&) = default;
};

// "0/3", the first of three. The error says what was expected.
Result<Shard, std::string> parse_shard(std::string_view text);
std::string to_text(Shard shard);

// The index of the shard that watches the probe of this name; the same on every machine and in
// every version. REQUIRES: `count` is 1 to kMostShards.
int shard_of(std::string_view probe, int count);

}  // namespace canary::config
