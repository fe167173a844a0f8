// SPDX-License-Identifier: Apache-2.0
#include "daemon/check/report_junit.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "config/duration.h"
#include "config/harmless.h"
#include "daemon/check/explained.h"
#include "daemon/text/escape.h"
#include "probes/kind.h"

namespace canary::daemon {
namespace {

using probes::Finding;
using probes::Severity;

constexpr std::size_t kMostText = 4'096;  // of an attribute

std::string seconds(std::chrono::milliseconds span) {
  std::array<char, 32> text{};
  int const size =
      std::snprintf(text.data(), text.size(), "%.3f", std::chrono::duration<double>(span).count());
  return {text.data(), static_cast<std::size_t>(size)};
}

// " name=\"value\"". What is no character of XML is made visible first.
std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string{name} + "=\"" + html(make_harmless(value, kMostText)) + "\"";
}

// What the findings of one check come to.
struct Case {
  std::string check;
  std::vector<Finding const*> findings;  // none: the run did not come to it
  Severity severity = Severity::ok;
};

std::vector<Case> cases_of(CheckedProbe const& probe) {
  std::vector<Case> cases;
  for (auto const check : probes::declaration_of(probe.spec.kind.name()).checks) {
    cases.push_back({.check = std::string{check}});
  }
  for (auto const& finding : probe.report.findings) {
    auto found = std::ranges::find(cases, finding.check.text(), &Case::check);
    if (found == cases.end()) found = cases.insert(cases.end(), {.check = finding.check.text()});
    found->findings.push_back(&finding);
    found->severity = probes::worse(found->severity, finding.counted());
  }
  return cases;
}

std::string line_of(Finding const& finding) {
  std::string text{to_text(finding.severity)};
  text += ": " + probes::sentence(finding);
  if (!finding.url.empty() && text.find(finding.url.text()) == std::string::npos) {
    text += " (" + finding.url.text() + ")";
  }
  if (finding.accepted) {
    text += "; accepted until " + config::to_text(finding.accepted->until) + ": " +
            finding.accepted->because.text();
  }
  return text;
}

// Of one that failed: the worst in short, then all that is not ok.
std::string failure_of(Case const& one, std::string_view kind, bool explain) {
  std::string lines;
  Finding const* worst = nullptr;
  for (auto const* const finding : one.findings) {
    if (finding->severity != Severity::ok) lines += html(line_of(*finding)) + "\n";
    if (explain) lines += html(explained_text(kind, *finding, "  "));
    if (worst == nullptr && finding->counted() == one.severity) worst = finding;
  }
  std::string const element = one.severity == Severity::unknown ? "error" : "failure";
  return "      <" + element + attribute("message", line_of(*worst)) +
         attribute("type", to_text(worst->reason)) + ">" + lines + "</" + element + ">\n";
}

std::string passed(Case const& one) {
  std::string lines;
  for (auto const* const finding : one.findings) lines += html(line_of(*finding)) + "\n";
  return "      <system-out>" + lines + "</system-out>\n";
}

struct Counts {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
};

std::string attributes(Counts const& counts, std::chrono::milliseconds duration) {
  return attribute("tests", std::to_string(counts.tests)) +
         attribute("failures", std::to_string(counts.failures)) +
         attribute("errors", std::to_string(counts.errors)) +
         attribute("skipped", std::to_string(counts.skipped)) +
         attribute("time", seconds(duration));
}

// Readers take what stands before the last dot for a package.
std::string class_name(CheckedProbe const& probe) {
  std::string name = shown_name(probe);
  auto const odd = [](char c) {
    bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !letter && c != '-' && c != '_';
  };
  std::ranges::replace_if(name, odd, '_');
  return std::string{probe.spec.kind.name()} + "." + name;
}

std::string suite_of(CheckedProbe const& probe, JunitStyle style, Counts& all) {
  Counts counts;
  std::string cases;
  std::string const kind{probe.spec.kind.name()};
  for (auto const& one : cases_of(probe)) {
    if (style.quiet && one.severity == Severity::ok) continue;
    ++counts.tests;
    std::string inside;
    if (one.findings.empty()) {
      ++counts.skipped;
      inside = "      <skipped message=\"this run had nothing to say of it\"/>\n";
    } else if (one.severity == Severity::ok) {
      inside = passed(one);
    } else {
      ++(one.severity == Severity::unknown ? counts.errors : counts.failures);
      inside = failure_of(one, kind, style.explain);
    }
    cases += "    <testcase" + attribute("classname", class_name(probe)) +
             attribute("name", one.check) + " time=\"0\">\n" + inside + "    </testcase>\n";
  }
  all.tests += counts.tests;
  all.failures += counts.failures;
  all.errors += counts.errors;
  all.skipped += counts.skipped;
  return "  <testsuite" + attribute("name", shown_name(probe)) +
         attributes(counts, probe.duration) + ">\n    <properties>\n" +
         "      <property name=\"kind\"" + attribute("value", kind) +
         "/>\n      <property name=\"repo\"" + attribute("value", probe.spec.repository) +
         "/>\n    </properties>\n" + cases + "  </testsuite>\n";
}

}  // namespace

std::string report_junit(std::vector<CheckedProbe> const& checked, JunitStyle style) {
  Counts all;
  std::chrono::milliseconds duration{0};
  std::string suites;
  for (auto const& probe : checked) {
    duration += probe.duration;
    suites += suite_of(probe, style, all);
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"canaryd check\"" +
         attributes(all, duration) + ">\n" + suites + "</testsuites>\n";
}

}  // namespace canary::daemon
