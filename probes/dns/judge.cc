// SPDX-License-Identifier: Apache-2.0
#include "probes/dns/judge.h"

#include <algorithm>
#include <utility>

#include "config/duration.h"
#include "probes/dns/declaration.h"

namespace canary::dns {
namespace {

using probes::Finding;
using probes::Reason;
using probes::Severity;

constexpr std::size_t kShown = 8;  // values

std::string list(std::vector<std::string> const& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + values[i];
  }
  if (values.size() > kShown) text += ", and " + std::to_string(values.size() - kShown) + " more";
  return text.empty() ? "nothing" : text;
}

std::vector<std::string> values_of(Message const& message) {
  std::vector<std::string> values;
  values.reserve(message.records.size());
  for (auto const& record : message.records) values.push_back(record.value);
  std::ranges::sort(values);
  return values;
}

bool has(std::vector<std::string> const& values, std::string const& wanted) {
  return std::ranges::any_of(values, [&](auto const& each) { return is_same_value(each, wanted); });
}

Finding of(std::string_view check, std::string const& server, std::string message) {
  return {.check = std::string{check}, .subject = server, .message = std::move(message)};
}

Finding bad(Finding finding, Reason reason) {
  finding.severity = Severity::critical;
  finding.reason = reason;
  return finding;
}

Finding values_finding(Spec const& spec, std::string const& server, Message const& message) {
  auto const values = values_of(message);
  std::string text = list(values);
  if (!message.aliases.empty()) text += " (by the alias " + list(message.aliases) + ")";
  Finding finding = of(kValues, server, text);
  if (spec.values.empty()) {
    if (!values.empty()) return finding;
    finding.message = "there is no record of that type";
    finding.expected = "a record of that type";
    finding.received = "none";
    return bad(std::move(finding), kMismatch);
  }
  bool const all =
      std::ranges::all_of(spec.values, [&](auto const& each) { return has(values, each); });
  bool const others =
      std::ranges::any_of(values, [&](auto const& each) { return !has(spec.values, each); });
  if (all && (!others || spec.match == Match::includes)) return finding;
  finding.message += spec.match == Match::exactly ? ", expected exactly " : ", expected also ";
  finding.message += list(spec.values);
  finding.expected =
      (spec.match == Match::exactly ? "exactly " : "among others ") + list(spec.values);
  finding.received = std::move(text);
  return bad(std::move(finding), kMismatch);
}

}  // namespace

std::vector<Finding> judge(Spec const& spec, std::string const& server,
                           Result<Message, std::string> const& answer) {
  if (!answer) {
    Finding finding = of(kAnswer, server, "the answer can't be read: " + answer.error());
    return {bad(std::move(finding), Reason::parse)};
  }
  Message const& message = answer.value();
  Finding code = of(kAnswer, server, "the server answers " + rcode_text(message.rcode));
  if (message.rcode != spec.expected_rcode()) {
    code.message += ", expected " + rcode_text(spec.expected_rcode());
    code.expected = rcode_text(spec.expected_rcode());
    code.received = rcode_text(message.rcode);
    return {bad(std::move(code), kRcode)};
  }
  std::vector<Finding> found{std::move(code)};
  if (message.rcode == 0) found.push_back(values_finding(spec, server, message));
  if (spec.authenticated) {
    Finding finding = of(kDnssec, server, "the server says that it verified the answer");
    if (!message.authenticated) {
      finding.message = "the server does not say that it verified the answer";
      finding = bad(std::move(finding), kUnauthenticated);
    }
    found.push_back(std::move(finding));
  }
  return found;
}

bool differ(std::vector<ServerSerial> const& serials) {
  return std::ranges::any_of(serials,
                             [&](auto const& each) { return each.serial != serials[0].serial; });
}

Finding judge_serials(Spec const& spec, std::vector<ServerSerial> const& serials,
                      std::chrono::seconds differ_for) {
  Finding finding = of(kSerials, spec.name, "");
  if (!differ(serials)) {
    finding.message = "all " + std::to_string(serials.size()) + " servers have the serial " +
                      std::to_string(serials[0].serial);
    return finding;
  }
  std::string text;
  for (auto const& [server, serial] : serials) {
    text += (text.empty() ? "" : ", ") + server + " has " + std::to_string(serial);
  }
  bool const late = differ_for >= spec.serial_grace;
  finding.message = "the servers' serials differ, for " +
                    config::to_text(std::chrono::milliseconds{differ_for}) + " so far: " + text;
  finding.severity = late ? Severity::critical : Severity::warning;
  finding.reason = kMismatch;
  finding.expected = "one serial";
  finding.received = std::move(text);
  return finding;
}

}  // namespace canary::dns
