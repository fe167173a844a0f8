// SPDX-License-Identifier: Apache-2.0
// A string literal of this program as an offset from the start of its image, so that another
// process that has the same program (the dump helper, the next start) can read it, too.
// Thread: any.
#pragma once

#include <cstdint>

namespace canary::runtime {

using TextOffset = std::uint32_t;  // 0 is "none"
TextOffset text_offset(char const* text);
char const* text_at(TextOffset offset);  // "" for none, and for what is not in the image
char const* image_start();

// Two of them in one word, for a single store.
constexpr std::uint64_t pair_of(TextOffset first, TextOffset second) {
  return first | std::uint64_t{second} << 32;
}
constexpr TextOffset first_of(std::uint64_t pair) { return static_cast<TextOffset>(pair); }
constexpr TextOffset second_of(std::uint64_t pair) { return static_cast<TextOffset>(pair >> 32); }

}  // namespace canary::runtime
