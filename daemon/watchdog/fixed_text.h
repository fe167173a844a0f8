// SPDX-License-Identifier: Apache-2.0
// Text in a fixed space: what does not fit is cut. Allocates nothing, knows no locale.
// Thread: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canary::watchdog {

template <std::size_t kBytes>
class FixedText {
 public:
  FixedText& add(std::string_view text) {
    for (char const character : text) put(character);
    return *this;
  }
  // NUL-terminated, or as long as the array.
  template <std::size_t kSize>
  FixedText& add(std::array<char, kSize> const& text) {
    for (std::size_t i = 0; i < kSize && text.data()[i] != 0; ++i) put(text.data()[i]);
    return *this;
  }
  FixedText& number(std::uint64_t value) {
    char digits[20];
    std::size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    while (count > 0) put(digits[--count]);
    return *this;
  }
  // Seconds with one decimal: "12.3 s".
  FixedText& seconds(std::int64_t nanoseconds) {
    auto const tenths = static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds / 100'000'000);
    return number(tenths / 10).add(".").number(tenths % 10).add(" s");
  }
  void clear() { size_ = 0; }
  std::string_view view() const { return {bytes_, size_}; }
  char const* c_str() {
    bytes_[size_] = 0;
    return bytes_;
  }

 private:
  void put(char character) {
    if (size_ < kBytes) bytes_[size_++] = character;
  }
  char bytes_[kBytes + 1];
  std::size_t size_ = 0;
};

// Copies text into a NUL-terminated array, cutting it.
template <std::size_t kSize>
void copy_text(std::array<char, kSize>& into, std::string_view text) {
  std::size_t const size = text.size() < kSize - 1 ? text.size() : kSize - 1;
  __builtin_memset(into.data(), 0, kSize);
  if (size > 0) __builtin_memcpy(into.data(), text.data(), size);
}

}  // namespace canary::watchdog
