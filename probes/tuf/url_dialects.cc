// SPDX-License-Identifier: Apache-2.0
// Three URL libraries, as far as names reach into them.
// Thread: none (pure).
#include "probes/tuf/url_dialects.h"

#include <algorithm>
#include <utility>

#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

bool is_control(char c) {
  auto const byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool all_escapes_good(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && !escaped_byte(text, i)) return false;
  }
  return true;
}

struct Split {
  std::string_view path;
  std::optional<std::string_view> query, fragment;
};

Split split(std::string_view text) {
  Split parts;
  if (auto const at = text.find('#'); at != std::string_view::npos) {
    parts.fragment = text.substr(at + 1);
    text = text.substr(0, at);
  }
  if (auto const at = text.find('?'); at != std::string_view::npos) {
    parts.query = text.substr(at + 1);
    text = text.substr(0, at);
  }
  parts.path = text;
  return parts;
}

std::string with_query(std::string path, std::optional<std::string> query) {
  if (query) path.append("?").append(*query);
  return path;
}

// "/a/./b/../c" -> "/a/c"; what counts as a dot, and which characters separate, is the caller's.
template <class IsDot>
std::string without_dot_segments(std::string_view path, std::string_view separators, IsDot is_dot) {
  std::vector<std::string_view> kept;
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  for (bool last = false; !last;) {
    std::size_t const end = path.find_first_of(separators);
    last = end == std::string_view::npos;
    std::string_view const segment = path.substr(0, end);
    if (!last) path.remove_prefix(end + 1);
    int const dots = is_dot(segment);
    if (dots == 2 && !kept.empty()) kept.pop_back();
    if (dots == 0) kept.push_back(segment);
    if (dots != 0 && last) kept.emplace_back();
  }
  return joined(kept);
}

// The WHATWG's: "%2e" is a dot, too.
int escaped_dots(std::string_view segment) {
  std::string plain;
  for (std::size_t i = 0; i < segment.size() && plain.size() < 3; ++i) {
    bool const is_escape = escaped_byte(segment, i) == '.';
    plain += is_escape ? '.' : segment[i];
    if (is_escape) i += 2;
  }
  return literal_dots(plain);
}

// urllib3: escapes stay where all of them are good; else every '%' is text.
std::string urllib3_encode(std::string_view text, std::string_view kept) {
  bool const keep_escapes = all_escapes_good(text);
  std::string encoded;
  for (char const c : text) {
    if (is_unreserved(c) || is_in(c, kept) || (keep_escapes && c == '%')) {
      encoded += c;
    } else {
      escape(encoded, c);
    }
  }
  return encoded;
}

std::string whatwg_encode(std::string_view text) {
  std::string encoded;
  for (char const c : text) {
    if (is_unreserved(c) || is_in(c, kSubDelimiters) || is_in(c, ":@/[]|%?")) {
      encoded += c;
    } else {
      escape(encoded, c);
    }
  }
  return encoded;
}

}  // namespace

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_unreserved(char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

bool is_in(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

void escape(std::string& text, char c) {
  auto const byte = static_cast<unsigned char>(c);
  text += '%';
  text += kDigits[byte >> 4U];
  text += kDigits[byte & 15U];
}

std::optional<char> escaped_byte(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) return std::nullopt;
  std::optional<std::string> const byte = from_hex(text.substr(at + 1, 2));
  if (!byte || byte->size() != 1) return std::nullopt;
  return byte->front();
}

std::string joined(std::vector<std::string_view> const& segments) {
  std::string path;
  for (std::string_view const segment : segments) path.append("/").append(segment);
  return path;
}

int literal_dots(std::string_view segment) {
  if (segment == ".") return 1;
  return segment == ".." ? 2 : 0;
}

std::string urllib3_request(std::string_view folder, std::string_view name, std::string_view more) {
  std::string const whole = std::string(folder).append("/").append(name);
  Split const parts = split(whole);
  std::string const kept = std::string(kSubDelimiters).append(":@/").append(more);
  std::optional<std::string> query;
  if (parts.query) query = urllib3_encode(*parts.query, kept + "?");
  return with_query(urllib3_encode(without_dot_segments(parts.path, "/", literal_dots), kept),
                    query);
}

std::optional<std::string> go_request(std::string_view folder, std::string_view name) {
  std::string const whole = std::string(folder).append("/").append(name);
  if (std::ranges::any_of(whole, is_control)) return std::nullopt;
  Split const parts = split(whole);
  if (!all_escapes_good(parts.path) || !all_escapes_good(parts.fragment.value_or(""))) {
    return std::nullopt;
  }
  std::string path(parts.path);
  auto const valid = [](char c) {
    return is_unreserved(c) || is_in(c, kSubDelimiters) || is_in(c, ":@/[]%");
  };
  if (!std::ranges::all_of(parts.path, valid)) {
    // Decoded and encoded anew: escapes of what needs none are gone.
    path.clear();
    for (std::size_t i = 0; i < parts.path.size(); ++i) {
      auto const byte = escaped_byte(parts.path, i);
      char const c = byte.value_or(parts.path[i]);
      if (byte) i += 2;
      if (is_unreserved(c) || is_in(c, "$&+,/:;=@")) {
        path += c;
      } else {
        escape(path, c);
      }
    }
  }
  std::optional<std::string> query;
  if (parts.query) query = std::string(*parts.query);
  return with_query(std::move(path), query);
}

std::string whatwg_trimmed(std::string_view text) {
  auto const is_blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  std::string trimmed;
  for (char const c : text) {
    if (!is_in(c, "\t\r\n")) trimmed += c;
  }
  return trimmed;
}

std::string whatwg_request(std::string_view whole) {
  Split const parts = split(whole);
  std::optional<std::string> query;
  if (!parts.query.value_or("").empty()) query = whatwg_encode(*parts.query);
  return with_query(whatwg_encode(without_dot_segments(parts.path, "/\\", escaped_dots)), query);
}

}  // namespace canary::tuf
