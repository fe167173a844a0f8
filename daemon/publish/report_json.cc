// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/report_json.h"

#include <chrono>
#include <string_view>
#include <utility>

#include <boost/json/value.hpp>

#include "config/duration.h"

namespace canary::daemon {
namespace {

double seconds(std::chrono::nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

boost::json::string text_value(std::string_view text) { return boost::json::string{text}; }

}  // namespace

boost::json::array findings_json(probes::Report const& report) {
  boost::json::array out;
  for (auto const& finding : report.findings) {
    boost::json::object entry;
    entry["check"] = text_value(finding.check);
    entry["subject"] = text_value(finding.subject);
    entry["severity"] = text_value(to_text(finding.severity));
    entry["reason"] = text_value(to_text(finding.reason));
    entry["message"] = text_value(finding.message);
    entry["evidence"] = text_value(finding.evidence);
    entry["url"] = text_value(finding.url);
    entry["accepted"] = nullptr;
    if (finding.accepted) {
      boost::json::object accepted;
      accepted["because"] = text_value(finding.accepted->because);
      accepted["until"] = config::to_text(finding.accepted->until);
      entry["accepted"] = std::move(accepted);
    }
    out.push_back(std::move(entry));
  }
  return out;
}

boost::json::object measurements_json(probes::Measurements const& measured) {
  boost::json::object out;
  boost::json::array roles;
  for (auto const& role : measured.roles) {
    boost::json::object entry;
    entry["role"] = text_value(role.role);
    entry["version"] = role.version;
    entry["expires"] = config::to_text(role.expires);
    entry["warning_seconds"] = role.warning.count();
    entry["critical_seconds"] = role.critical.count();
    entry["size_bytes"] = role.size;
    roles.push_back(std::move(entry));
  }
  boost::json::object phases;
  auto const& times = measured.phases;
  phases["queue"] = seconds(times.queue);
  phases["dns"] = seconds(times.resolve);
  phases["connect"] = seconds(times.connect);
  phases["tls"] = seconds(times.tls);
  phases["request"] = seconds(times.request);
  phases["first_byte"] = seconds(times.first_byte);
  phases["body"] = seconds(times.body);
  phases["verify"] = seconds(times.verify);
  boost::json::object targets;
  targets["verified"] = measured.targets_verified;
  targets["failed"] = measured.targets_failed;
  targets["unknown"] = measured.targets_unknown;
  out["roles"] = std::move(roles);
  out["phase_seconds"] = std::move(phases);
  out["targets"] = std::move(targets);
  out["bytes_received"] = measured.bytes_received;
  out["requests"] = measured.requests;
  out["retries"] = measured.retries;
  out["tls_not_after"] = nullptr;
  if (measured.tls_not_after) out["tls_not_after"] = config::to_text(*measured.tls_not_after);
  return out;
}

}  // namespace canary::daemon
