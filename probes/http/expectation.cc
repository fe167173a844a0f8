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
Finding finding_of(std::string_view check, std::string subject, bool good, std::string message,
                   Reason reason = kMismatch) {
  return {.check = std::string{check},
          .subject = std::move(subject),
          .severity = good ? Severity::ok : Severity::critical,
          .reason = good ? Reason::none : reason,
          .message = std::move(message)};
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
  if (any != wanted) {
    message += wanted ? ", expected that it matches " : ", expected that none matches ";
    message += in_quotes(expression);
  }
  return finding_of(kHeaders, name, any == wanted, std::move(message));
}

void add_texts(Spec const& spec, std::string const& text, std::vector<Finding>& found) {
  auto const add = [&](char const* field, std::optional<std::string> const& what, bool is_there,
                       bool wanted) {
    std::string message = "the body ";
    message += is_there ? "has " : "does not have ";
    message += in_quotes(*what);
    if (is_there != wanted) message += "; it begins " + in_quotes(text);
    found.push_back(finding_of(kBody, field, is_there == wanted, std::move(message)));
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
    Finding finding =
        finding_of(kJson, spec.location(), false, document.error().why, Reason::parse);
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
    std::string message = differs.empty() ? "there is " : differs + ", expected ";
    message += wanted.empty() ? "a value" : wanted;
    found.push_back(finding_of(kJson, pointer, differs.empty(), std::move(message)));
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
  std::string message = "the body has " + std::to_string(size) + " bytes";
  if (few) message += ", expected at least " + config::size_text(spec.min_size);
  if (many) message += ", expected at most " + config::size_text(spec.max_size);
  found.push_back(finding_of(kBody, "size", !few && !many, std::move(message), Reason::size_limit));
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
  if (spec.sha256) {
    bool const good = config::lower_case(*spec.sha256) == answer.sha256;
    found.push_back(finding_of(kBody, "sha256", good,
                               good ? "the body has the hash that is expected"
                                    : "the body's SHA-256 is " + answer.sha256 + ", expected " +
                                          config::lower_case(*spec.sha256),
                               Reason::hash_mismatch));
  }
  add_texts(spec, answer.text, found);
  add_json(spec, answer.text, found);
  return found;
}

}  // namespace canary::http
