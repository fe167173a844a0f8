// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/report_json.h"

#include <chrono>
#include <cmath>
#include <cstdint>
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
    entry["expected"] = text_value(finding.expected);
    entry["received"] = text_value(finding.received);
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

boost::json::object thing_json(probes::ThingFacts const& thing) {
  probes::ThingType const& type = *thing.type;
  boost::json::object out;
  out[type.name] = text_value(thing.name);
  for (std::size_t i = 0; i < type.numbers.size(); ++i) {
    out[type.numbers[i].field] = thing.numbers[i];
  }
  if (!thing.below.empty()) out[type.below] = text_value(thing.below);
  if (thing.expiry) {
    out[type.ends.field] = config::to_text(thing.expiry->at);
    if (!type.warning.field.empty()) out[type.warning.field] = thing.expiry->warning.count();
    if (!type.critical.field.empty()) out[type.critical.field] = thing.expiry->critical.count();
  }
  return out;
}

namespace {

// Whole numbers are written as such.
boost::json::value number(double value) {
  constexpr double kExact = 9'007'199'254'740'992;  // 2^53
  if (value == std::floor(value) && std::abs(value) <= kExact) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

boost::json::value sample_json(probes::Measurements const& measured,
                               probes::SampleFamily const& family) {
  boost::json::object out;
  if (family.values.empty() && !family.label.empty()) {
    for (auto const& sample : measured.samples) {
      if (sample.family == &family) out[sample.label.text()] = number(sample.value);
    }
    return out;
  }
  if (family.values.empty()) {
    for (auto const& sample : measured.samples) {
      if (sample.family == &family) return number(sample.value);
    }
    return nullptr;
  }
  for (auto const& [value, says] : family.values)
    out[value] = number(measured.value(family, value));
  return out;
}

}  // namespace

boost::json::object measurements_json(probes::Measurements const& measured,
                                      probes::Declaration const& kind) {
  boost::json::object out;
  for (auto const* const type : kind.things) {
    boost::json::array list;
    for (auto const& thing : measured.things) {
      if (thing.type == type) list.push_back(thing_json(thing));
    }
    out[type->plural] = std::move(list);
  }
  for (auto const* const family : kind.samples) {
    out[family->number.field] = sample_json(measured, *family);
  }
  boost::json::object phases;
  for (auto const& phase : measured.phases.shown()) phases[phase.word] = seconds(phase.time);
  out["phase_seconds"] = std::move(phases);
  out["bytes_received"] = measured.bytes_received;
  out["requests"] = measured.requests;
  out["retries"] = measured.retries;
  out["tls_not_after"] = nullptr;
  if (measured.certificates) {
    out["tls_not_after"] = config::to_text(measured.certificates->first);
  }
  return out;
}

}  // namespace canary::daemon
