// SPDX-License-Identifier: Apache-2.0
// The fields of `http:` that are the probe's own.
// Thread: none (pure).
#include "probes/http/spec.h"

#include <algorithm>
#include <charconv>

#include "config/duration.h"
#include "config/fields.h"
#include "probes/http/json_value.h"
#include "probes/pattern.h"

namespace canary::http {
namespace {

constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kLongestBody = std::size_t{64} << 10;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;
constexpr std::uint64_t kMostSearched = std::uint64_t{64} << 20;
constexpr config::FieldVisitor::Most kMostTexts{16, kLongestText};

std::string nothing_wrong(std::string const&) { return {}; }

std::string wrong_method(std::string const& text) {
  bool const letters = std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (letters && text != "CONNECT" && text != "TRACE") return {};
  return "expected a method such as GET, HEAD, POST or PUT, got \"" + text + "\"";
}

std::string wrong_status(std::string const& text) {
  if (parse_status(text)) return {};
  return "expected a status such as 200, or a range such as 200-299, got \"" + text + "\"";
}

std::string wrong_pattern(std::string const& text) {
  auto const pattern = probes::Pattern::compile(text);
  return pattern ? std::string{} : pattern.error();
}

std::string wrong_header(std::string const& text) {
  auto const [name, expression] = split(text);
  if (name.empty() || expression.empty()) {
    return "expected NAME: EXPRESSION, got \"" + text + "\"";
  }
  return wrong_pattern(expression);
}

std::string wrong_json(std::string const& text) {
  if (is_pointer(split(text).name)) return {};
  return "expected a JSON pointer such as /status, or POINTER: VALUE, got \"" + text + "\"";
}

std::string wrong_sha256(std::string const& text) {
  bool const hex = std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (hex && text.size() == 64) return {};
  return "expected 64 hexadecimal digits, got \"" + text + "\"";
}

void describe_expected(config::FieldVisitor& v, Spec& spec) {
  v.url({"final_url", "where the redirects are expected to lead"}, spec.final_url);
  v.texts({"header_matches",
           "`NAME: EXPRESSION` (RE2): the answer has a header of that name in which it is found"},
          spec.header_matches, kMostTexts, wrong_header);
  v.texts({"header_not_matches", "likewise: it has none"}, spec.header_not_matches, kMostTexts,
          wrong_header);
  v.text({"contains", "text that is in the body"}, spec.contains, kLongestText, nothing_wrong);
  v.text({"not_contains", "text that is not in the body"}, spec.not_contains, kLongestText,
         nothing_wrong);
  v.text({"matches",
          "a regular expression ([RE2](https://github.com/google/re2/wiki/Syntax)) that is found "
          "in the body"},
         spec.matches, kLongestText, wrong_pattern);
  v.text({"not_matches", "one that is not found there"}, spec.not_matches, kLongestText,
         wrong_pattern);
  v.texts({"json",
           "`POINTER: VALUE`: the body is JSON and has that value at the pointer (RFC 6901), VALUE "
           "being JSON, or a text as it stands; `POINTER` alone: there is one"},
          spec.json, kMostTexts, wrong_json);
  v.text({"sha256", "of the body, hexadecimal"}, spec.sha256, 64, wrong_sha256);
}

}  // namespace

std::optional<fetch::StatusRange> parse_status(std::string_view text) {
  auto const number = [](std::string_view digits) {
    int value = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    bool const whole = error == std::errc{} && end == digits.data() + digits.size();
    return whole && value >= 100 && value <= 599 ? value : 0;
  };
  auto const dash = text.find('-');
  int const first = number(text.substr(0, dash));
  int const last = dash == std::string_view::npos ? first : number(text.substr(dash + 1));
  if (first == 0 || last < first) return std::nullopt;
  return fetch::StatusRange{first, last};
}

Pair split(std::string const& text) {
  auto const colon = text.find(": ");
  if (colon == std::string::npos) return {text, ""};
  auto const start = text.find_first_not_of(' ', colon + 1);
  return {text.substr(0, colon), start == std::string::npos ? "" : text.substr(start)};
}

std::vector<fetch::StatusRange> Spec::statuses() const {
  std::vector<fetch::StatusRange> all;
  for (auto const& text : status) {
    if (auto const range = parse_status(text)) all.push_back(*range);
  }
  return all;
}

void describe_defaults(config::FieldVisitor& v, Spec& spec) {
  v.texts({"status", "expected: a list of statuses and ranges, such as `[200, 301-308]`"},
          spec.status, kMostTexts, wrong_status);
  v.flag({"follow_redirects", "`false`: a redirect is an answer like any other"},
         spec.follow_redirects);
  v.integer({"redirects", "how many are expected on the way; -1: any number"}, spec.redirects, -1,
            20);
  v.size({"min_size", "of the body; of HEAD, what is announced"}, spec.min_size, 0, kMostBytes);
  v.size({"max_size", "likewise; 0: any"}, spec.max_size, 0, kMostBytes);
  v.size(
      {"max_bytes", "of the body, read at most: whether a longer one is as expected can't be told"},
      spec.max_bytes, 1, kMostBytes);
  v.section("expiry", [&] {
    describe_thresholds(v, spec.expiry,
                        {"less validity left than this, of a certificate of an `https` server, is "
                         "a warning. `up to`: a third of the certificate's own validity at most",
                         "likewise critical, `up to`: a sixth"});
  });
}

void describe(config::FieldVisitor& v, Spec& spec) {
  v.url({"url", "what is asked for: `http`, `https` or `file:///path`"}, spec.url);
  v.text({"method",
          "sent; POST and PATCH are not sent again once the server may have received them", "GET"},
         spec.method, 20, wrong_method);
  v.text({"body", "sent along; give its `Content-Type` among `headers`"}, spec.body, kLongestBody,
         nothing_wrong);
  describe_expected(v, spec);
  describe_defaults(v, spec);
  v.require(!spec.status.empty(), "status", "expected at least one status");
  bool const file = spec.url.scheme() == config::Scheme::file;
  v.require(!file || spec.url == config::Url{} || (spec.verb() == "GET" && !spec.body), "url",
            "expected http or https: a file takes no method and no body");
  v.require(!spec.searches() || spec.max_bytes <= kMostSearched, "max_bytes",
            "expected at most " + config::size_text(kMostSearched) +
                " where the body is looked into, got " + config::size_text(spec.max_bytes));
  bool const head = spec.verb() == "HEAD";
  v.require(!head || !(spec.searches() || spec.sha256), "method",
            "expected another method than HEAD: its answer has no body to look into");
}

}  // namespace canary::http
