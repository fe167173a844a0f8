// SPDX-License-Identifier: Apache-2.0
// Text put together in memory that is already there. What does not fit is cut.
// Thread: none; async-signal-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace canary::dump {

class FixedText {
 public:
  explicit FixedText(std::span<char> into) : into_(into.data()), room_(into.size()) {}

  FixedText& operator<<(std::string_view text) {
    for (char const each : text) put(each);
    return *this;
  }
  FixedText& operator<<(char const* text) {
    while (*text != '\0') put(*text++);
    return *this;
  }
  FixedText& number(std::int64_t value) {
    if (value < 0) put('-');
    return natural(value < 0 ? 0 - static_cast<std::uint64_t>(value)
                             : static_cast<std::uint64_t>(value));
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
    *this << "0x";
    int shift = 60;
    while (shift > 0 && (value >> shift) == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 15]);
    return *this;
  }
  // "12 ms", "41.2 s", "12 min 3 s", "3 h 12 min", "2 d 3 h"; negative ones are "0 ms".
  FixedText& span(std::int64_t nanoseconds) {
    auto const ms = static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds / 1'000'000);
    std::uint64_t const s = ms / 1000;
    if (ms < 1000) return natural(ms) << " ms";
    if (s < 120) return (natural(s) << ".").natural(ms % 1000 / 100) << " s";
    if (s < 7200) return (natural(s / 60) << " min ").natural(s % 60) << " s";
    if (s < 172'800) return (natural(s / 3600) << " h ").natural(s % 3600 / 60) << " min";
    return (natural(s / 86'400) << " d ").natural(s % 86'400 / 3600) << " h";
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

  std::size_t size() const { return used_; }
  bool full() const { return used_ == room_; }
  std::string_view view() const { return {into_, used_}; }

 private:
  char* into_;
  std::size_t room_;
  std::size_t used_ = 0;
};

// A text of at most kBytes, ended by NUL: paths.
template <std::size_t kBytes>
class ShortText : public FixedText {
 public:
  ShortText() : FixedText(std::span<char>(bytes_, kBytes - 1)) {}
  ShortText(ShortText const&) = delete;
  ShortText& operator=(ShortText const&) = delete;
  char const* c_str() {
    bytes_[size()] = '\0';
    return bytes_;
  }

 private:
  char bytes_[kBytes];
};

// As much as fits, ended by NUL.
inline void copy_text(std::span<char> into, std::string_view text) {
  FixedText copy{into.first(into.size() - 1)};
  copy << text;
  into[copy.size()] = '\0';
}

}  // namespace canary::dump
