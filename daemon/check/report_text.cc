// SPDX-License-Identifier: Apache-2.0
#include "daemon/check/report_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "config/duration.h"
#include "config/harmless.h"
#include "daemon/check/explained.h"
#include "daemon/check/progress_bar.h"
#include "daemon/publish/report_json.h"
#include "probes/kind.h"

namespace canary::daemon {
namespace {

using probes::Finding;
using probes::Severity;

struct Look {
  std::string_view word, colour;
};

Look look(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return {"ok", "\033[32m"};
    case Severity::warning:
      return {"WARNING", "\033[33m"};
    case Severity::critical:
      return {"CRITICAL", "\033[31m"};
    case Severity::unknown:
      return {"UNKNOWN", "\033[35m"};
  }
  return {"UNKNOWN", "\033[35m"};
}

constexpr std::size_t kMostName = 512;

constexpr Look kAcceptedLook{"accepted", "\033[36m"};

// "; a WARNING, accepted until 2027-03-31T00:00:00Z: old key ids".
std::string acceptance(Finding const& finding) {
  if (!finding.accepted) return {};
  std::string text = "; a ";
  text += look(finding.severity).word;
  text += ", accepted until " + config::to_text(finding.accepted->until) + ": ";
  return text + finding.accepted->because.text();
}

std::string painted(std::string_view text, std::string_view colour, TextStyle style) {
  if (!style.colour) return std::string{text};
  return std::string{colour} + std::string{text} + "\033[0m";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

void append_findings(std::string& out, CheckedProbe const& checked, TextStyle style) {
  probes::Report const& report = checked.report;
  std::vector<Finding const*> sorted;  // worst first, else as they were found
  for (auto const severity :
       {Severity::critical, Severity::unknown, Severity::warning, Severity::ok}) {
    for (auto const& finding : report.findings) {
      bool const last = severity == Severity::ok && finding.accepted;
      if (last || (!finding.accepted && finding.severity == severity &&
                   !(style.quiet && severity == Severity::ok))) {
        sorted.push_back(&finding);
      }
    }
  }
  std::size_t check_width = 0;
  std::size_t subject_width = 0;
  for (auto const* finding : sorted) {
    check_width = std::max(check_width, finding->check.size());
    subject_width = std::max(subject_width, std::min<std::size_t>(finding->subject.size(), 40));
  }
  for (auto const* finding : sorted) {
    auto const [word, colour] = finding->accepted ? kAcceptedLook : look(finding->severity);
    out += "  " + painted(padded(std::string{word}, 8), colour, style) + "  " +
           padded(finding->check, check_width) + "  " + padded(finding->subject, subject_width) +
           "  " + finding->message.text();
    auto const more = evidence_beside(*finding);
    if (!more.empty() && finding->severity != Severity::ok) out += " [" + std::string{more} + "]";
    out += acceptance(*finding) + '\n';
    if (style.explain) {
      out += explained_text(checked.spec.kind.name(), *finding, std::string(12, ' '));
    }
  }
}

// ", targets: 3 verified, 0 bad, 1 could not be checked"; nothing where there is none.
void append_sample(std::string& out, probes::Measurements const& measured,
                   probes::SampleFamily const& family) {
  std::string text;
  double sum = 0;
  auto const add = [&](double value, std::string_view says) {
    sum += value;
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), "%.15g", value);
    text += (text.empty() ? "" : ", ") + std::string{digits.data()};
    if (!says.empty()) text += " " + std::string{says};
  };
  for (auto const& [value, says] : family.values) add(measured.value(family, value), says);
  for (auto const& sample : measured.samples) {
    if (family.values.empty() && sample.family == &family) add(sample.value, sample.label);
  }
  if (text.empty() || (!family.values.empty() && sum == 0)) return;
  std::string name{family.number.field};
  std::ranges::replace(name, '_', ' ');
  out += ", " + name + ": " + text;
}

void append_measurements(std::string& out, CheckedProbe const& checked) {
  auto const& measured = checked.report.measurements;
  out += "  " + std::to_string(measured.requests) +
         (measured.requests == 1 ? " request, " : " requests, ") +
         human_bytes(static_cast<double>(measured.bytes_received)) + " received";
  for (auto const* const family : probes::declaration_of(checked.spec.kind.name()).samples) {
    append_sample(out, measured, *family);
  }
  out += "; " + config::to_text(checked.duration) + '\n';
}

boost::json::array findings_of(CheckedProbe const& checked, TextStyle style) {
  probes::Report report = checked.report;
  if (style.quiet) {
    std::erase_if(report.findings, [](Finding const& finding) {
      return finding.severity == Severity::ok && !finding.accepted;
    });
  }
  auto out = findings_json(report);
  for (std::size_t i = 0; style.explain && i < out.size(); ++i) {
    boost::json::object explanation;
    for (auto const& [name, text] : explained(checked.spec.kind.name(), report.findings[i])) {
      explanation[name] = boost::json::string{text};
    }
    if (!explanation.empty()) out[i].as_object()["explanation"] = std::move(explanation);
  }
  return out;
}

}  // namespace

std::string report_text(std::vector<CheckedProbe> const& checked, TextStyle style) {
  std::string out;
  for (auto const& probe : checked) {
    auto const [word, colour] = look(probe.report.severity());
    out +=
        painted(word == "ok" ? "HEALTHY" : word, colour, style) + "  " + shown_name(probe) + '\n';
    append_findings(out, probe, style);
    append_measurements(out, probe);
  }
  return out;
}

std::string report_json(std::vector<CheckedProbe> const& checked, TextStyle style) {
  Severity worst = Severity::ok;
  boost::json::array probes;
  for (auto const& probe : checked) {
    worst = probes::worse(worst, probe.report.severity());
    boost::json::object entry;
    entry["name"] = shown_name(probe);
    entry["repo"] = make_harmless(probe.spec.repository, kMostName);
    entry["kind"] = probe.spec.kind.name();
    entry["severity"] = probes::to_text(probe.report.severity());
    entry["complete"] = probe.complete;
    entry["duration_seconds"] = std::chrono::duration<double>(probe.duration).count();
    entry["findings"] = findings_of(probe, style);
    entry["measurements"] = measurements_json(probe.report.measurements,
                                              probes::declaration_of(probe.spec.kind.name()));
    probes.push_back(std::move(entry));
  }
  boost::json::object out;
  out["severity"] = probes::to_text(worst);
  out["exit_code"] = exit_code(checked);
  out["probes"] = std::move(probes);
  return boost::json::serialize(out) + '\n';
}

}  // namespace canary::daemon
