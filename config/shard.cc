// SPDX-License-Identifier: Apache-2.0
#include "config/shard.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include "config/fnv.h"

namespace canary::config {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  auto const* const end = text.data() + text.size();
  auto const [at, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || at != end || value < 0) return std::nullopt;
  return value;
}

// FNV-1a mixes its last bytes little, and names often differ in these alone: MurmurHash3's
// finalizer (64 bits) after it.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccd;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53;
  return value ^ (value >> 33);
}

}  // namespace

Result<Shard, std::string> parse_shard(std::string_view text) {
  auto const slash = text.find('/');
  if (slash != std::string_view::npos) {
    auto const index = number(text.substr(0, slash)), count = number(text.substr(slash + 1));
    if (index && count && *count >= 1 && *count <= kMostShards && *index < *count) {
      return Shard{.index = *index, .count = *count};
    }
  }
  return "expected INDEX/COUNT such as 0/3, an index from 0 on and below the count, which is at "
         "most " +
         std::to_string(kMostShards) + ", got " + std::string{text};
}

std::string to_text(Shard shard) {
  return std::to_string(shard.index) + "/" + std::to_string(shard.count);
}

int shard_of(std::string_view probe, int count) {
  std::uint64_t const name = mixed(fnv1a(probe));
  int best = 0;
  std::uint64_t most = 0;
  for (int shard = 0; shard < count; ++shard) {
    std::uint64_t const weight = mixed(name ^ mixed(static_cast<std::uint64_t>(shard) + 1));
    if (shard == 0 || weight > most) {
      best = shard;
      most = weight;
    }
  }
  return best;
}

}  // namespace canary::config
