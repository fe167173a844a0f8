// SPDX-License-Identifier: Apache-2.0
// Escaping for JSON, logfmt and HTML over one strict UTF-8 decoder.
#include "daemon/text/escape.h"

#include <cstddef>
#include <cstdint>

namespace canary::daemon {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kHex = "0123456789abcdef";

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

// The code point at the front of `text`, which is not empty; an invalid one is one byte long.
// Refuses overlong forms, surrogates and what lies beyond U+10FFFF.
CodePoint decode(std::string_view text) {
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

// What could move a cursor, break a line or turn the direction of the text around it.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x200E || c == 0x200F || c == 0x061C ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void append_unicode_escape(std::string& out, char32_t c) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(c >> shift) & 0xFU];
}

// `c` as it stands between quotes; the escapes that JSON and Go's quoted strings share.
void append_quoted(std::string& out, CodePoint c, std::string_view bytes) {
  switch (c.value) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (is_control(c.value)) {
    append_unicode_escape(out, c.value);
  } else {
    out += bytes;
  }
}

bool is_plain(std::string_view text) {
  for (char const c : text) {
    if (c <= ' ' || c == '=' || c == '"' || c == '\\' || c == 0x7F) return false;  // or not ASCII
  }
  return !text.empty();
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    CodePoint const c = decode(text);
    out += c.valid ? text.substr(0, c.bytes) : kReplacement;
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    CodePoint const c = decode(text);
    auto const bytes = text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
    if (!c.valid || (is_control(c.value) && c.value != '\n' && c.value != '\t')) {
      out += kReplacement;
    } else if (c.value == '&') {
      out += "&amp;";
    } else if (c.value == '<') {
      out += "&lt;";
    } else if (c.value == '>') {
      out += "&gt;";
    } else if (c.value == '"') {
      out += "&quot;";
    } else if (c.value == '\'') {
      out += "&#39;";
    } else {
      out += bytes;
    }
  }
  return out;
}

void append_json(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    CodePoint const c = decode(text);
    if (c.valid) {
      append_quoted(out, c, text.substr(0, c.bytes));
    } else {
      out += kReplacement;
    }
    text.remove_prefix(c.bytes);
  }
  out += '"';
}

void append_logfmt(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += text;
    return;
  }
  out += '"';
  while (!text.empty()) {
    CodePoint const c = decode(text);
    if (c.valid) {
      append_quoted(out, c, text.substr(0, c.bytes));
    } else {
      auto const byte = static_cast<unsigned char>(text.front());
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xFU];
    }
    text.remove_prefix(c.bytes);
  }
  out += '"';
}

}  // namespace canary::daemon
