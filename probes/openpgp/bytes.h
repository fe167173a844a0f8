// SPDX-License-Identifier: Apache-2.0
// Numbers and pieces from the beginning of a text, until it is used up.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace canary::openpgp {

class Bytes {
 public:
  explicit Bytes(std::string_view text) : rest_(text) {}
  std::string_view rest() const { return rest_; }

  // The next `size` bytes; nothing, and none of them taken, where there are not as many.
  std::optional<std::string_view> take(std::size_t size) {
    if (size > rest_.size()) return std::nullopt;
    auto const piece = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return piece;
  }
  // Of up to eight bytes, the first the most significant.
  std::optional<std::size_t> number(std::size_t size) {
    auto const piece = take(size);
    if (!piece) return std::nullopt;
    std::size_t value = 0;
    for (char const c : *piece) value = (value << 8) | static_cast<std::uint8_t>(c);
    return value;
  }

 private:
  std::string_view rest_;
};

}  // namespace canary::openpgp
