// SPDX-License-Identifier: Apache-2.0
// Of headers and body.
// Thread: any (pure).
#include <algorithm>
#include <string_view>
#include <utility>

#include "config/duration.h"
#include "config/header_rules.h"
#include "probes/http/declaration.h"
#include "probes/http/json_value.h"
#include "probes/http/judge.h"
#include "probes/pattern.h"

namespace canary::http {
namespace {

using probes::Finding;
using probes::Pattern;
using probes::Reason;
using probes::Severity;

// Of one expectation, which `subject` names.
Finding good(std::string_view check, std::string subject, std::string message) {
  return {
      .check = std::string{check}, .subject = std::move(subject), .message = std::move(message)};
}

// What is expected, and what there is instead.
struct Differs {
  std::string expected, received;
};

Finding bad(Finding finding, Reason const& reason, Differs differs) {
  finding.severity = Severity::critical;
  finding.reason = reason;
  finding.expected = std::move(differs.expected);
  finding.received = std::move(differs.received);
  return finding;
}

// Expressions were looked at when they were read.
bool found_in(std::string const& expression, std::string_view text) {
  auto const pattern = Pattern::compile(expression);
  return pattern && pattern.value().found_in(text);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 120;
  std::string shown = "\"";
  shown.append(text.substr(0, kShown));
  return shown + (text.size() > kShown ? "...\"" : "\"");
}

Finding header_finding(Answer const& answer, std::string const& expectation, bool wanted) {
  auto const [name, expression] = split(expectation);
  std::string const key = config::lower_case(name);
  bool any = false;
  std::string value;
  for (auto const& [header, text] : answer.response.headers) {
    if (header != key) continue;
    if (value.empty()) value = text;
    if (!found_in(expression, text)) continue;
    any = true;
    value = text;
  }
  std::string message = value.empty() ? "there is no such header" : "it is " + in_quotes(value);
  Finding finding = good(kHeaders, name, message);
  if (any == wanted) return finding;
  std::string expected =
      (wanted ? "that it matches " : "that none matches ") + in_quotes(expression);
  finding.message += ", expected " + expected;
  return bad(std::move(finding), kMismatch, {std::move(expected), std::move(message)});
}

void add_texts(Spec const& spec, std::string const& text, std::vector<Finding>& found) {
  auto const add = [&](char const* field, std::optional<std::string> const& what, bool is_there,
                       bool wanted) {
    std::string message = "the body ";
    message += is_there ? "has " : "does not have ";
    message += in_quotes(*what);
    Finding finding = good(kBody, field, std::move(message));
    if (is_there != wanted) {
      finding.message += "; it begins " + in_quotes(text);
      std::string expected = (wanted ? "a body that has " : "a body without ") + in_quotes(*what);
      finding = bad(std::move(finding), kMismatch, {std::move(expected), in_quotes(text)});
    }
    found.push_back(std::move(finding));
  };
  auto const there = [&](std::optional<std::string> const& what) {
    return text.find(*what) != std::string::npos;
  };
  if (spec.contains) add("contains", spec.contains, there(spec.contains), true);
  if (spec.not_contains) add("not_contains", spec.not_contains, there(spec.not_contains), false);
  if (spec.matches) add("matches", spec.matches, found_in(*spec.matches, text), true);
  if (spec.not_matches) {
    add("not_matches", spec.not_matches, found_in(*spec.not_matches, text), false);
  }
}

void add_json(Spec const& spec, std::string const& text, std::vector<Finding>& found) {
  if (spec.json.empty()) return;
  auto const document = JsonDocument::parse(text);
  if (!document) {
    Finding finding = bad(good(kJson, spec.location(), document.error().why), Reason::parse,
                          {"JSON", in_quotes(text)});
    if (document.error().too_large) {
      finding.severity = Severity::unknown;
      finding.reason = Reason::size_limit;
    } else {
      finding.message += "; it begins " + in_quotes(text);
    }
    found.push_back(std::move(finding));
    return;
  }
  for (auto const& expectation : spec.json) {
    auto const [pointer, wanted] = split(expectation);
    auto const differs = document.value().differs(pointer, wanted);
    std::string value = wanted.empty() ? "a value" : std::string{wanted};
    if (differs.empty()) {
      found.push_back(good(kJson, pointer, "there is " + value));
    } else {
      std::string message = differs;
      message.append(", expected ").append(value);
      Finding finding = good(kJson, pointer, std::move(message));
      found.push_back(bad(std::move(finding), kMismatch, {std::move(value), differs}));
    }
  }
}

// Of HEAD, whose answer has no body: the length that it would have.
std::uint64_t size_of(Spec const& spec, fetch::Response const& response) {
  if (spec.verb() != "HEAD") return response.length;
  std::uint64_t announced = 0;
  for (char const c : response.header("content-length").value_or("")) {
    if (c < '0' || c > '9' || announced > (std::uint64_t{1} << 59)) break;
    announced = announced * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return announced;
}

void add_size(Spec const& spec, fetch::Response const& response, std::vector<Finding>& found) {
  if (spec.min_size == 0 && spec.max_size == 0) return;
  auto const size = size_of(spec, response);
  bool const few = size < spec.min_size;
  bool const many = spec.max_size > 0 && size > spec.max_size;
  std::string const received = std::to_string(size) + " bytes";
  std::string expected;
  if (few) expected = "at least " + config::size_text(spec.min_size);
  if (many) expected = "at most " + config::size_text(spec.max_size);
  Finding finding = good(kBody, "size", "the body has " + received);
  if (few || many) {
    finding.message += ", expected " + expected;
    finding = bad(std::move(finding), Reason::size_limit, {std::move(expected), received});
  }
  found.push_back(std::move(finding));
}

void add_sha256(Spec const& spec, std::string const& received, std::vector<Finding>& found) {
  if (!spec.sha256) return;
  std::string expected = config::lower_case(*spec.sha256);
  Finding finding = good(kBody, "sha256", "the body has the hash that is expected");
  if (expected != received) {
    finding.message = "the body's SHA-256 is " + received + ", expected " + expected;
    finding = bad(std::move(finding), Reason::hash_mismatch, {std::move(expected), received});
  }
  found.push_back(std::move(finding));
}

}  // namespace

std::vector<Finding> judge_headers(Spec const& spec, Answer const& answer) {
  std::vector<Finding> found;
  found.reserve(spec.header_matches.size() + spec.header_not_matches.size());
  for (auto const& each : spec.header_matches) found.push_back(header_finding(answer, each, true));
  for (auto const& each : spec.header_not_matches) {
    found.push_back(header_finding(answer, each, false));
  }
  return found;
}

std::vector<Finding> judge_body(Spec const& spec, Answer const& answer) {
  std::vector<Finding> found;
  add_size(spec, answer.response, found);
  add_sha256(spec, answer.sha256, found);
  add_texts(spec, answer.text, found);
  add_json(spec, answer.text, found);
  return found;
}

}  // namespace canary::http
