// SPDX-License-Identifier: Apache-2.0
#include "daemon/text/escape.h"

namespace canary::daemon {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// `text` as it stands between quotes; the escapes that JSON and Go's quoted strings share.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xFU];
    } else {
      out += c;
    }
  }
  out += '"';
}

bool is_plain(std::string_view text) {
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);  // char has a sign on x86-64, none on arm64
    if (byte <= ' ' || byte >= 0x7F || c == '=' || c == '"' || c == '\\') return false;
  }
  return !text.empty();
}

}  // namespace

std::string html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char const c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
  }
  return out;
}

void append_json(std::string& out, std::string_view text) { append_quoted(out, text); }

void append_logfmt(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += text;
  } else {
    append_quoted(out, text);
  }
}

}  // namespace canary::daemon
