// SPDX-License-Identifier: Apache-2.0
// A parser of our own: it takes what most clients take, and says what is odd about it. Libraries
// refuse what clients live with (a status line without a reason, a folded header, a bare LF).
#include "probes/fetch/head.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace canary::fetch {
namespace {

constexpr std::size_t kLineBytesMax = 100 * 1024;  // curl's
constexpr std::size_t kPythonLineBytes = 64 * 1024;
constexpr std::size_t kPythonHeaders = 100;
constexpr std::size_t kHeadersMax = 20'000;
constexpr std::string_view kVersionStart = "HTTP/";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Characters of names, and the blank, which all clients let pass.
bool is_name_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~ ";
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_control(char c) {
  auto const byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

std::vector<std::string> list(std::string_view value) {
  std::vector<std::string> parts;
  while (true) {
    auto const comma = value.find(',');
    parts.push_back(lower(trimmed(value.substr(0, comma))));
    if (comma == std::string_view::npos) return parts;
    value.remove_prefix(comma + 1);
  }
}

struct HeadParser::Impl {
  ResponseHead head;
  std::string problem;
  std::size_t searched = 0;  // bytes of the input that were looked at before
  bool http11 = false;
  bool folded_length = false;

  bool fail(std::string what) {
    problem = std::move(what);
    return false;
  }
  bool parse(std::string_view text);
  bool status_line(std::string_view line);
  bool header_line(std::string_view line);
  bool framing();
  bool content_length();
  bool transfer_encoding(std::vector<std::string> const& codings);
};

HeadParser::HeadParser() : impl_(std::make_unique<Impl>()) {}
HeadParser::~HeadParser() = default;

// The whole head at once, as soon as its empty line is there; nothing is consumed before.
HeadParser::Step HeadParser::put(std::string_view input) {
  auto const known = std::min(input.size(), kVersionStart.size());
  if (input.substr(0, known) != kVersionStart.substr(0, known)) {
    impl_->problem = "it does not begin with \"HTTP/\"";
    return {State::malformed, 0};
  }
  while (true) {
    auto const end = input.find('\n', impl_->searched);
    if (end == std::string_view::npos || end > kHeadBytesMax) break;
    bool const cr = end + 1 < input.size() && input[end + 1] == '\r';
    std::size_t const next = end + (cr ? 2 : 1);
    if (next >= input.size()) {
      impl_->searched = end;
      return {State::need_more, 0};
    }
    if (input[next] == '\n') {
      if (!impl_->parse(input.substr(0, end + 1))) return {State::malformed, 0};
      return {State::done, next + 1};
    }
    impl_->searched = end + 1;
  }
  if (input.size() > kHeadBytesMax) {
    impl_->problem = "its head is longer than " + std::to_string(kHeadBytesMax / 1024) + " KiB";
    return {State::malformed, 0};
  }
  impl_->searched = std::max(impl_->searched, input.size());
  return {State::need_more, 0};
}

std::string const& HeadParser::problem() const { return impl_->problem; }

ResponseHead HeadParser::take() { return std::move(impl_->head); }

// `text`: the lines of the head, each with its end, without the empty one.
bool HeadParser::Impl::parse(std::string_view text) {
  bool first = true;
  while (!text.empty()) {
    auto const end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.ends_with('\r')) return fail("a line ends with two CR");
    if (line.size() > kLineBytesMax) return fail("a header is longer than 100 KiB");
    if (line.size() >= kPythonLineBytes) note(head.oddities, Oddity::long_header);
    if (!(first ? status_line(line) : header_line(line))) return false;
    first = false;
  }
  if (head.headers.size() >= kPythonHeaders) note(head.oddities, Oddity::many_headers);
  return framing();
}

// "HTTP/1.1 200 OK", the reason being anything or nothing.
bool HeadParser::Impl::status_line(std::string_view line) {
  if (line.find('\0') != std::string_view::npos) note(head.oddities, Oddity::reason_nul);
  line.remove_prefix(std::min(line.size(), kVersionStart.size()));
  bool const version = line.size() > 4 && is_digit(line[0]) && line[1] == '.' &&
                       is_digit(line[2]) && line[3] == ' ' &&
                       (line[0] == '1' || line.starts_with("2.0"));
  if (!version) return fail("its status line has no version that clients know");
  http11 = !line.starts_with("1.0");
  if (!line.starts_with("1.0") && !line.starts_with("1.1")) note(head.oddities, Oddity::version);
  line.remove_prefix(4);
  while (line.starts_with(' ')) line.remove_prefix(1);
  auto const digits = line.substr(0, 3);
  bool const status = digits.size() == 3 && std::ranges::all_of(digits, is_digit) &&
                      digits[0] != '0' && (line.size() == 3 || line[3] == ' ');
  if (!status) return fail("its status is no number of three digits");
  head.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  head.reason = trimmed(line.substr(3));
  return true;
}

bool HeadParser::Impl::header_line(std::string_view line) {
  if (line.find('\0') != std::string_view::npos) return fail("a header holds a NUL");
  if (line.empty() || is_blank(line[0])) {
    if (head.headers.empty()) return fail("its first header continues another");
    auto& [name, value] = head.headers.back();
    if (name == "content-length") folded_length = true;
    value.append(value.empty() ? "" : " ").append(trimmed(line));
    return true;
  }
  auto const colon = line.find(':');
  if (colon == std::string_view::npos) return fail("a header has no colon");
  if (head.headers.size() == kHeadersMax) return fail("it has more than 20000 headers");
  std::string_view name = line.substr(0, colon);
  if (name.ends_with('\t')) note(head.oddities, Oddity::tab_before_colon);
  name = trimmed(name);
  if (name.empty() || !std::ranges::all_of(name, is_name_character)) {
    note(head.oddities, Oddity::header_name);
  }
  std::string_view const value = trimmed(line.substr(colon + 1));
  if (std::ranges::any_of(value, is_control)) note(head.oddities, Oddity::header_value);
  head.headers.emplace_back(lower(name), std::string{value});
  return true;
}

// Where the body ends. Source: RFC 9112 section 6.3, and what clients make of the rest.
bool HeadParser::Impl::framing() {
  if (folded_length) note(head.oddities, Oddity::folded_length);
  bool close = !http11;
  std::vector<std::string> codings;
  bool coded = false;
  for (auto const& [name, value] : head.headers) {
    if (name == "connection") {
      for (std::string const& option : list(value)) {
        if (option == "close") close = true;
        if (option == "keep-alive" && !http11) close = false;
      }
    } else if (name == "transfer-encoding") {
      coded = true;
      for (std::string& coding : list(value)) codings.push_back(std::move(coding));
    }
  }
  head.body = ResponseHead::Body::until_close;
  if (coded && !transfer_encoding(codings)) return false;
  if (head.body != ResponseHead::Body::chunked && !content_length()) return false;
  bool const no_body = head.status / 100 == 1 || head.status == 204 || head.status == 304;
  if (no_body) head.body = ResponseHead::Body::none;
  head.keep_alive = !close && head.body != ResponseHead::Body::until_close;
  return true;
}

bool HeadParser::Impl::transfer_encoding(std::vector<std::string> const& codings) {
  bool chunked = false;
  for (std::string const& coding : codings) {
    if (coding == "chunked") {
      chunked = true;
    } else if (coding != "identity" && !coding.empty()) {
      head.unknown_coding = coding;
    }
  }
  if (codings.size() != 1 || !chunked) note(head.oddities, Oddity::transfer_encoding);
  if (chunked) head.body = ResponseHead::Body::chunked;
  if (chunked && !http11) note(head.oddities, Oddity::chunked_http10);
  return true;
}

// Digits, and whatever follows them; several have to say the same.
bool HeadParser::Impl::content_length() {
  std::optional<std::uint64_t> length;
  for (auto const& [name, value] : head.headers) {
    if (name != "content-length") continue;
    for (std::string_view text : list(value)) {
      if (text.starts_with('+')) text.remove_prefix(1);
      std::uint64_t number = 0;
      auto const end = text.data() + text.size();
      auto const [stop, error] = std::from_chars(text.data(), end, number);
      bool const trailing_comma = text.empty() && length;
      if (!trailing_comma && error != std::errc{}) {
        return fail("its Content-Length is \"" + value.substr(0, 64) + "\"");
      }
      if (trailing_comma) continue;
      if (length && *length != number) return fail("it has two lengths that differ");
      length = number;
    }
    if (!std::ranges::all_of(value, is_digit)) note(head.oddities, Oddity::content_length);
  }
  if (!length) return true;
  head.body = ResponseHead::Body::length;
  head.length = *length;
  return true;
}

std::string_view ResponseHead::header(std::string_view name) const {
  auto const found =
      std::ranges::find(headers, name, [](auto const& entry) { return entry.first; });
  return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

}  // namespace canary::fetch
