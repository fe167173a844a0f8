// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/history_text.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>

#include "daemon/publish/api.h"

namespace canary::daemon {
namespace {

using history::Moment;
using history::Zone;

// "critical, expiry of timestamp (expired): expired at noon".
std::string finding_text(history::Words const& words) {
  std::string text{to_text(words.severity)};
  if (!words.check.empty()) text += ", " + words.check;
  if (!words.subject.empty()) text += " of " + words.subject;
  if (!words.reason.empty()) text += " (" + words.reason + ")";
  if (!words.message.empty()) text += ": " + words.message;
  return text;
}

std::string lasted(Moment const& moment) {
  return moment.lasted.count() > 0 ? history::span_text(moment.lasted) : "";
}

std::string moment_text(Moment const& moment) {
  if (moment.probe.empty()) return history::event_text(moment);
  auto const& finding = moment.finding;
  if (moment.kind == history::kTrustDropped) {
    return "what was trusted is dropped: " + finding.message;
  }
  if (moment.kind == history::kVersionSeen) return finding.subject + ": " + finding.message;
  if (moment.kind == "incident_opened") return "INCIDENT begins: " + finding_text(finding);
  if (moment.kind == "incident_closed") return "INCIDENT is over after " + lasted(moment);
  if (moment.kind == "finding_opened") return "finding opened: " + finding_text(finding);
  if (moment.kind == "finding_closed") return "finding closed: " + finding_text(finding);
  return "finding changed from " + std::string{to_text(moment.was)} + ": " + finding_text(finding);
}

std::string csv_field(std::string text) {
  if (text.find_first_of("=+-@") == 0) text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char const c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace

std::string timeline_text(history::Found<Moment> const& found, history::Query const& query,
                          Zone zone) {
  std::string out = "from " + when_text(query.since, zone) + " to " + when_text(query.until, zone) +
                    ", " + zone_text(query.until, zone) + "\n";
  if (found.more) {
    out += "only the last " + std::to_string(found.entries.size()) +
           " are shown; --limit or a later --since shows others\n";
  }
  std::size_t widest = 0;
  for (auto const& moment : found.entries) widest = std::max(widest, moment.probe.size());
  for (auto const& moment : found.entries) {
    std::string name = moment.probe;
    name.resize(widest, ' ');
    out += when_text(moment.at, zone) + "  " + name + "  " + moment_text(moment) + "\n";
  }
  if (found.entries.empty()) out += "nothing happened\n";
  return out;
}

std::string runs_text(history::Found<history::Span> const& spans) {
  std::map<std::string, history::Span> all;
  for (auto const& span : spans.entries) {
    auto& sum = all[span.probe];
    for (std::size_t i = 0; i < sum.runs.size(); ++i) sum.runs[i] += span.runs[i];
    sum.missed += span.missed;
  }
  std::string out;
  for (auto const& [probe, sum] : all) {
    out += probe + ": ";
    for (std::size_t i = 0; i < sum.runs.size(); ++i) {
      if (i > 0 && sum.runs[i] == 0) continue;
      out += (i > 0 ? ", " : "") + std::to_string(sum.runs[i]) + " " +
             std::string{to_text(static_cast<probes::Severity>(i))};
    }
    if (sum.missed > 0) out += ", " + std::to_string(sum.missed) + " missed";
    out += "\n";
  }
  return out;
}

std::string timeline_csv(history::Found<Moment> const& found) {
  std::string out =
      "at,kind,probe,check,subject,severity,was,reason,message,evidence,url,lasted_seconds\r\n";
  for (auto const& moment : found.entries) {
    auto const& words = moment.finding;
    bool const of_probe = history::has_finding(moment);
    bool const changed = moment.kind == "finding_changed";
    for (auto const& field : {rfc3339(moment.at), moment.kind, moment.probe, words.check,
                              words.subject, std::string{of_probe ? to_text(words.severity) : ""},
                              std::string{changed ? to_text(moment.was) : ""}, words.reason,
                              words.message, words.evidence, words.url}) {
      out += csv_field(field) + ",";
    }
    if (moment.lasted.count() > 0) {
      out += std::to_string(std::chrono::duration<double>(moment.lasted).count());
    }
    out += "\r\n";
  }
  return out;
}

}  // namespace canary::daemon
