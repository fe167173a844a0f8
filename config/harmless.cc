// SPDX-License-Identifier: Apache-2.0
#include "config/harmless.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace canary {
namespace {

struct Range {
  char32_t first, last;
};

// Neither letters nor signs: format, invisible, private and unassigned for ever; in order.
constexpr std::array kHidden{
    Range{0x00AD, 0x00AD},   Range{0x034F, 0x034F},    Range{0x0600, 0x0605},
    Range{0x061C, 0x061C},   Range{0x06DD, 0x06DD},    Range{0x070F, 0x070F},
    Range{0x0890, 0x0891},   Range{0x08E2, 0x08E2},    Range{0x115F, 0x1160},
    Range{0x17B4, 0x17B5},   Range{0x180B, 0x180F},    Range{0x200B, 0x200F},
    Range{0x2028, 0x202E},   Range{0x2060, 0x206F},    Range{0x3164, 0x3164},
    Range{0xD800, 0xF8FF},   Range{0xFDD0, 0xFDEF},    Range{0xFE00, 0xFE0F},
    Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},    Range{0xFFF0, 0xFFFB},
    Range{0xFFFE, 0xFFFF},   Range{0x110BD, 0x110BD},  Range{0x110CD, 0x110CD},
    Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3},  Range{0x1D173, 0x1D17A},
    Range{0xE0000, 0xE0FFF}, Range{0xF0000, 0x10FFFF},
};

bool is_hidden(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c <= 0x9F)) return true;
  if (c < 0xAD) return false;
  if ((c & 0xFFFEU) == 0xFFFE) return true;  // the last two of each plane are no characters
  auto const* const range = std::ranges::lower_bound(kHidden, c, {}, &Range::last);
  return range != kHidden.end() && c >= range->first;
}

struct Piece {
  std::array<char, 12> text{};
  std::size_t size = 0;

  std::string_view view() const { return {text.data(), size}; }
  void put(std::string_view more) {
    std::ranges::copy(more, text.begin() + static_cast<std::ptrdiff_t>(size));
    size += more.size();
  }
  void put_hex(std::uint32_t value, std::size_t digits) {
    std::array<char, 8> hex{};
    auto const end = std::to_chars(hex.data(), hex.data() + hex.size(), value, 16).ptr;
    std::string_view const written{hex.data(), static_cast<std::size_t>(end - hex.data())};
    for (std::size_t i = written.size(); i < digits; ++i) put("0");
    put(written);
  }
};

// `c` as people may see it; `bytes` is how it came.
Piece shown(CodePoint c, std::string_view bytes) {
  Piece piece;
  if (c.valid && !is_hidden(c.value)) {
    piece.put(bytes);
  } else if (c.valid && c.value == '\n') {
    piece.put("\\n");
  } else if (c.valid && c.value == '\r') {
    piece.put("\\r");
  } else if (c.valid && c.value == '\t') {
    piece.put("\\t");
  } else if (!c.valid || c.value < 0x80) {
    piece.put("\\x");
    piece.put_hex(static_cast<unsigned char>(bytes.front()), 2);
  } else {
    piece.put("\\u{");
    piece.put_hex(c.value, 4);
    piece.put("}");
  }
  return piece;
}

bool is_plain(char c) { return c >= 0x20 && c < 0x7F; }

}  // namespace

CodePoint decode_utf8(std::string_view text) {
  auto const byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char const first = byte(0);
  if (first < 0x80) return {first, 1, true};
  std::size_t const bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return {};
  char32_t value = first & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3FU);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[bytes] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return {};
  }
  return {value, bytes, true};
}

bool is_harmless(std::string_view text, std::size_t limit) {
  if (text.size() > limit) return false;
  while (!text.empty()) {
    if (is_plain(text.front())) {
      text.remove_prefix(1);
      continue;
    }
    CodePoint const c = decode_utf8(text);
    if (!c.valid || is_hidden(c.value)) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

std::string make_harmless(std::string_view text, std::size_t limit) {
  std::string out;
  out.reserve(std::min(text.size(), limit));
  std::size_t const room = limit - kCut.size();
  std::size_t whole = 0;  // how much of `out` is kept where it has to be cut
  while (!text.empty()) {
    CodePoint const c = decode_utf8(text);
    Piece const piece = shown(c, text.substr(0, c.bytes));
    text.remove_prefix(c.bytes);
    if (out.size() + piece.size > limit) {
      out.resize(whole);
      return out.append(kCut);
    }
    out += piece.view();
    if (out.size() <= room) whole = out.size();
  }
  return out;
}

}  // namespace canary
