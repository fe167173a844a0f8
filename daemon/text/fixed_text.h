// SPDX-License-Identifier: Apache-2.0
// Text put together in memory that is already there: what does not fit is cut. Allocates nothing,
// knows no locale.
// Thread: none; async-signal-safe.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace canary {

class FixedText {
 public:
  explicit FixedText(std::span<char> into) : into_(into.data()), room_(into.size()) {}

  FixedText& add(std::string_view text) {
    for (char const each : text) put(each);
    return *this;
  }
  FixedText& add(char const* text) {
    while (*text != '\0') put(*text++);
    return *this;
  }
  // Ended by NUL, or as long as the array.
  template <std::size_t kSize>
  FixedText& add(std::array<char, kSize> const& text) {
    for (std::size_t i = 0; i < kSize && text.data()[i] != '\0'; ++i) put(text.data()[i]);
    return *this;
  }
  FixedText& operator<<(std::string_view text) { return add(text); }
  FixedText& operator<<(char const* text) { return add(text); }

  template <std::integral Number>
  FixedText& number(Number value) {
    auto magnitude = static_cast<std::uint64_t>(value);
    if constexpr (std::signed_integral<Number>) {
      if (value < 0) {
        put('-');
        magnitude = 0 - magnitude;
      }
    }
    return natural(magnitude);
  }
  // With at least `digits` digits.
  FixedText& natural(std::uint64_t value, unsigned digits = 1) {
    char reversed[20];
    unsigned count = 0;
    for (; value > 0 || count == 0; value /= 10) reversed[count++] = char('0' + value % 10);
    for (; digits > count; --digits) put('0');
    while (count > 0) put(reversed[--count]);
    return *this;
  }
  FixedText& hex(std::uint64_t value) {
    add("0x");
    int shift = 60;
    while (shift > 0 && (value >> shift) == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 15]);
    return *this;
  }
  // "12.3 s"; negative ones are "0.0 s".
  FixedText& seconds(std::int64_t nanoseconds) {
    auto const tenths = static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds / 100'000'000);
    return natural(tenths / 10).add(".").natural(tenths % 10).add(" s");
  }
  // "12 ms", "41.2 s", "12 min 3 s", "3 h 12 min", "2 d 3 h"; negative ones are "0 ms".
  FixedText& span(std::int64_t nanoseconds) {
    auto const ms = static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds / 1'000'000);
    std::uint64_t const s = ms / 1000;
    if (ms < 1000) return natural(ms).add(" ms");
    if (s < 120) return seconds(nanoseconds);
    if (s < 7200) return natural(s / 60).add(" min ").natural(s % 60).add(" s");
    if (s < 172'800) return natural(s / 3600).add(" h ").natural(s % 3600 / 60).add(" min");
    return natural(s / 86'400).add(" d ").natural(s % 86'400 / 3600).add(" h");
  }
  // Blanks up to `column` of this line; two at least.
  FixedText& to_column(std::size_t column) {
    std::size_t start = used_;
    while (start > 0 && into_[start - 1] != '\n') --start;
    put(' ');
    do put(' ');
    while (used_ < room_ && used_ - start < column);
    return *this;
  }
  // Untrusted text: control characters become '?'.
  FixedText& plain(std::string_view text) {
    for (char const each : text) put(each >= 0 && each < ' ' ? '?' : each);
    return *this;
  }
  void put(char each) {
    if (used_ < room_) into_[used_++] = each;
  }
  void clear() { used_ = 0; }

  std::size_t size() const { return used_; }
  bool full() const { return used_ == room_; }
  std::string_view view() const { return {into_, used_}; }

 private:
  char* into_;
  std::size_t room_;
  std::size_t used_ = 0;
};

// With room of its own for kBytes.
template <std::size_t kBytes>
class ShortText : public FixedText {
 public:
  ShortText() : FixedText(std::span<char>(bytes_, kBytes)) {}
  ShortText(ShortText const& other) : ShortText() { add(other.view()); }
  ShortText& operator=(ShortText const& other) {
    if (this == &other) return *this;
    clear();
    add(other.view());
    return *this;
  }
  // Ended by NUL, for system calls.
  char const* c_str() {
    bytes_[size()] = '\0';
    return bytes_;
  }

 private:
  char bytes_[kBytes + 1];
};

// As much as fits, ended by NUL; the rest of `into` is zero.
inline void copy_text(std::span<char> into, std::string_view text) {
  std::size_t const size = text.size() < into.size() ? text.size() : into.size() - 1;
  __builtin_memset(into.data(), 0, into.size());
  if (size > 0) __builtin_memcpy(into.data(), text.data(), size);
}

}  // namespace canary
