// SPDX-License-Identifier: Apache-2.0
// Text from outside (a server, a file, another process) made harmless once, where it comes in:
// what shows it later, on a terminal, a page or in a log, need not think of it again.
// Thread: none (pure). Source: Unicode 15.1, DerivedCoreProperties (Default_Ignorable_Code_Point)
// and general categories Cc, Cf, Co, Cs, Zl, Zp.
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace canary {

// One line of valid UTF-8, at most `limit` bytes, without anything that a terminal obeys, that is
// invisible or that turns the text around it: \n \r \t, \x1b for other control characters of ASCII
// and for bytes that are no UTF-8, \u{202e} for the rest. What is too long is cut, and ends in
// kCut. Harmless text stays as it is, so that doing it twice does no harm. REQUIRES: room for kCut.
std::string make_harmless(std::string_view text, std::size_t limit);
inline constexpr std::string_view kCut = "... [cut]";

// Whether make_harmless would give it back as it is.
bool is_harmless(std::string_view text, std::size_t limit);

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 1;
  bool valid = false;
};
// The code point at the front of `text`, which is not empty; an invalid one is one byte long.
// Refuses overlong forms, surrogates and what lies beyond U+10FFFF.
CodePoint decode_utf8(std::string_view text);

// A string that was made harmless whichever way it came about, of at most `Limit` bytes.
template <std::size_t Limit>
class HarmlessText {
  static_assert(Limit > kCut.size());

 public:
  static constexpr std::size_t kLimit = Limit;

  HarmlessText() = default;
  HarmlessText(std::string text)
      : text_(is_harmless(text, Limit) ? std::move(text) : make_harmless(text, Limit)) {}
  HarmlessText(std::string_view text) : text_(make_harmless(text, Limit)) {}
  HarmlessText(char const* text) : HarmlessText(std::string_view{text}) {}
  template <std::size_t Other>
  HarmlessText(HarmlessText<Other> const& other) : HarmlessText(std::string{other.text()}) {}

  std::string const& text() const { return text_; }
  operator std::string const&() const { return text_; }
  operator std::string_view() const { return text_; }
  std::size_t size() const { return text_.size(); }
  bool empty() const { return text_.empty(); }
  std::size_t find(std::string_view part) const { return text_.find(part); }
  bool starts_with(std::string_view part) const { return text_.starts_with(part); }
  bool ends_with(std::string_view part) const { return text_.ends_with(part); }

  HarmlessText& operator+=(std::string_view more) {
    return *this = HarmlessText{text_.append(more)};
  }
  friend std::string operator+(HarmlessText const& a, std::string_view b) {
    return std::string{a.text_}.append(b);
  }
  friend std::string operator+(std::string_view a, HarmlessText const& b) {
    return std::string{a}.append(b.text_);
  }
  friend bool operator==(HarmlessText const&, HarmlessText const&) = default;
  template <class Text>
    requires std::convertible_to<Text const&, std::string_view>
  friend bool operator==(HarmlessText const& a, Text const& b) {
    return std::string_view{a.text_} == std::string_view{b};
  }
  friend auto operator<=>(HarmlessText const&, HarmlessText const&) = default;

 private:
  std::string text_;
};

}  // namespace canary
