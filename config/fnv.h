// SPDX-License-Identifier: Apache-2.0
// FNV-1a, 64 bits: the same on every machine and in every version, unlike std::hash.
// Thread: none (pure). Source: draft-eastlake-fnv.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canary {

inline constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325;

// Goes on from `sum`.
inline std::uint64_t fnv1a(void const* from, std::size_t size, std::uint64_t sum = kFnvBasis) {
  auto const* const bytes = static_cast<unsigned char const*>(from);
  for (std::size_t i = 0; i < size; ++i) sum = (sum ^ bytes[i]) * 0x100000001b3;
  return sum;
}
inline std::uint64_t fnv1a(std::string_view text, std::uint64_t sum = kFnvBasis) {
  return fnv1a(text.data(), text.size(), sum);
}

}  // namespace canary
