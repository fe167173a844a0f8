// SPDX-License-Identifier: Apache-2.0
// The fields of `tcp:`.
// Thread: none (pure).
#include "probes/tcp/spec.h"

#include <charconv>
#include <utility>

#include "config/fields.h"
#include "probes/dialled.h"
#include "probes/pattern.h"

namespace canary::tcp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLongestAddress = 300;
constexpr std::size_t kLongestText = 1024;
constexpr std::uint64_t kMostBytes = 64 * 1024;

std::string wrong_escape(std::string const& text) {
  if (unescaped(text)) return {};
  return "expected \\r, \\n, \\t, \\\\ or \\xHH after each backslash, got \"" + text + "\"";
}

std::string wrong_pattern(std::string const& text) {
  auto const pattern = probes::Pattern::compile(text);
  return pattern ? std::string{} : pattern.error();
}

std::string nothing_wrong(std::string const&) { return {}; }

}  // namespace

std::optional<std::string> unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    char const what = i + 1 < text.size() ? text[++i] : '\0';
    unsigned value = 0;
    if (what == 'r' || what == 'n' || what == 't' || what == '\\') {
      bytes += what == 'r' ? '\r' : what == 'n' ? '\n' : what == 't' ? '\t' : '\\';
    } else if (auto const hex = text.substr(i + 1, 2);
               what == 'x' && hex.size() == 2 &&
               std::from_chars(hex.data(), hex.data() + 2, value, 16).ptr == hex.data() + 2) {
      bytes += static_cast<char>(value);
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

void describe_defaults(config::FieldVisitor& v, Spec& spec) {
  v.size({"max_bytes", "of the answer, read at most"}, spec.max_bytes, 1, kMostBytes);
  describe_choice(v, {"ip_family", "`any`, `ipv4`, `ipv6`"}, spec.ip_family,
                  {"any", "ipv4", "ipv6"});
  v.wait({"resolve_timeout", "name lookup"}, spec.resolve_timeout, 10ms, 1h);
  v.wait({"connect_timeout", "all addresses of one host together"}, spec.connect_timeout, 10ms, 1h);
  v.wait({"idle_timeout", "longest silence of the server"}, spec.idle_timeout, 10ms, 1h);
}

void describe(config::FieldVisitor& v, Spec& spec) {
  v.text({"address", "`HOST:PORT` or `[IPv6]:PORT`"}, spec.address, kLongestAddress,
         probes::wrong_address);
  v.text({"send", "sent once connected; `\\r`, `\\n`, `\\t`, `\\\\` and `\\xHH` mean those bytes",
          "nothing"},
         spec.send, kLongestText, wrong_escape);
  v.text({"starts_with", "what the answer begins with, such as `@RSYNCD: `"}, spec.starts_with,
         kLongestText, nothing_wrong);
  v.text({"contains", "text that is in the answer"}, spec.contains, kLongestText, nothing_wrong);
  v.text({"matches",
          "a regular expression ([RE2](https://github.com/google/re2/wiki/Syntax)) that is found "
          "in the answer"},
         spec.matches, kLongestText, wrong_pattern);
  describe_defaults(v, spec);
}

}  // namespace canary::tcp
