// SPDX-License-Identifier: Apache-2.0
#include "daemon/check/report_nagios.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "config/harmless.h"
#include "daemon/check/explained.h"
#include "probes/kind.h"

namespace canary::daemon {
namespace {

using probes::Finding;
using probes::Severity;

constexpr std::size_t kMostCause = 400;
constexpr std::size_t kMostName = 100;
constexpr std::size_t kMostLabel = 64;
constexpr std::size_t kMostEnds = 8;

std::string_view word(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return "OK";
    case Severity::warning:
      return "WARNING";
    case Severity::critical:
      return "CRITICAL";
    case Severity::unknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

// One line of text, in which `|` would begin the figures.
std::string plain(std::string_view text, std::size_t most) {
  std::string out;
  for (char const c : text) {
    if (c == '|') {
      out += "\\x7c";
    } else {
      out += c;
    }
  }
  return make_harmless(out, most);
}

// "0.046", "-3600": the contract knows no exponents, and U for what is no number.
std::string number(double value) {
  constexpr double kMost = 1e15;
  if (!std::isfinite(value) || std::abs(value) > kMost) return "U";
  std::array<char, 40> text{};
  int const size =
      std::snprintf(text.data(), text.size(), value == std::floor(value) ? "%.0f" : "%.3f", value);
  return {text.data(), static_cast<std::size_t>(size)};
}

class Figures {
 public:
  explicit Figures(std::size_t room) : room_(room) {}  // bytes of all
  // `unit`: with what follows it, such as "s;60:;10:". Too many, or of a label that is there
  // already: left out.
  void add(std::string_view label, double value, std::string_view unit = {}) {
    std::string name = plain(label, kMostLabel);
    std::ranges::replace_if(name, [](char c) { return c == '\'' || c == '='; }, '_');
    std::string const one = " '" + name + "'=" + number(value) + std::string{unit};
    if (text_.size() + one.size() > room_ || !labels_.insert(std::move(name)).second) return;
    text_ += one;
  }
  std::string const& text() const { return text_; }

 private:
  std::size_t room_;
  std::string text_;
  std::set<std::string> labels_;
};

double seconds(std::chrono::milliseconds span) {
  return std::chrono::duration<double>(span).count();
}

std::string with_label(std::string_view field, std::string_view label) {
  std::string name{field};
  if (!label.empty()) name.append(" ").append(label);
  return name;
}

void add_samples(Figures& figures, CheckedProbe const& checked) {
  auto const& measured = checked.report.measurements;
  for (auto const* const family : probes::declaration_of(checked.spec.kind.name()).samples) {
    for (auto const& [value, says] : family->values) {
      figures.add(with_label(family->number.field, value), measured.value(*family, value));
    }
    for (auto const& sample : measured.samples) {
      if (!family->values.empty() || sample.family != family) continue;
      figures.add(with_label(family->number.field, sample.label), sample.value);
    }
  }
}

// What ends first: seconds left, with the thresholds as ranges.
void add_ends(Figures& figures, CheckedProbe const& checked, std::chrono::sys_seconds at) {
  std::vector<probes::ThingFacts const*> ending;
  for (auto const& thing : checked.report.measurements.things) {
    if (thing.expiry) ending.push_back(&thing);
  }
  std::ranges::sort(ending, {}, [](probes::ThingFacts const* thing) {
    return std::pair{thing->expiry->at, std::string_view{thing->name}};
  });
  if (ending.size() > kMostEnds) ending.resize(kMostEnds);
  for (auto const* const thing : ending) {
    auto const& [end, warning, critical] = *thing->expiry;
    figures.add(
        with_label(thing->type->name, thing->name.text()), static_cast<double>((end - at).count()),
        "s;" + std::to_string(warning.count()) + ":;" + std::to_string(critical.count()) + ":");
  }
}

struct Found {
  CheckedProbe const* probe;
  Finding const* finding;
};

// What counts, worst first, else in order.
std::vector<Found> found_in(std::vector<CheckedProbe> const& checked) {
  std::vector<Found> found;
  for (auto const severity : {Severity::critical, Severity::unknown, Severity::warning}) {
    for (auto const& probe : checked) {
      for (auto const& finding : probe.report.findings) {
        if (finding.counted() == severity) found.push_back({.probe = &probe, .finding = &finding});
      }
    }
  }
  return found;
}

std::string cause(Found const& found) {
  return plain(found.probe->spec.name.text, kMostName) + ": " + found.finding->check.text() + ": " +
         plain(probes::sentence(*found.finding), kMostCause);
}

// What is not on the finding's own line.
std::string explanation(Found const& found) {
  std::string text;
  for (auto const& [name, says] : explained(found.probe->spec.kind.name(), *found.finding)) {
    if (says.empty() || name == "received") continue;
    text += "  " + std::string{name} + ": " + plain(says, kMostCause) + "\n";
  }
  return text;
}

using Counts = std::map<Severity, std::size_t>;

// "; 3 more findings; of 5 probes 3 ok, 2 critical".
std::string beside(std::size_t more, std::size_t probes, Counts const& counts) {
  std::string text;
  if (more > 0)
    text += "; " + std::to_string(more) + (more == 1 ? " more finding" : " more findings");
  if (probes < 2) return text;
  text += "; of " + std::to_string(probes) + " probes ";
  bool first = true;
  for (auto const& [severity, count] : counts) {
    text +=
        (first ? "" : ", ") + std::to_string(count) + " " + std::string{probes::to_text(severity)};
    first = false;
  }
  return text;
}

std::string all_well(std::vector<CheckedProbe> const& checked) {
  if (checked.size() != 1) return "all " + std::to_string(checked.size()) + " probes are ok";
  auto const size = checked.front().report.findings.size();
  return plain(checked.front().spec.name.text, kMostName) + ": " + std::to_string(size) +
         (size == 1 ? " finding, ok or accepted" : " findings, ok or accepted");
}

// Lines for what else there is, as many as there is room for.
void append_more(std::string& out, std::vector<Found> const& found,
                 std::vector<CheckedProbe> const& checked, NagiosStyle style) {
  constexpr std::size_t kRoomForEnd = 80;
  std::size_t left_out = 0;
  auto const add = [&](std::string const& line) {
    if (out.size() + line.size() + kRoomForEnd > kMostNagiosBytes) {
      ++left_out;
    } else {
      out += line;
    }
  };
  for (auto const& each : found) {
    add("[" + std::string{word(each.finding->severity)} + "] " + cause(each) + "\n" +
        (style.explain ? explanation(each) : ""));
  }
  for (auto const& probe : checked) {
    if (style.quiet || checked.size() < 2 || probe.report.severity() != Severity::ok) continue;
    add("[OK] " + plain(probe.spec.name.text, kMostName) + "\n");
  }
  if (left_out > 0) out += "and " + std::to_string(left_out) + " more, left out for their length\n";
}

}  // namespace

std::string nagios_unknown(std::string_view why) {
  return "CANARYD UNKNOWN: " + plain(why, kMostCause) + "\n";
}

std::string report_nagios(std::vector<CheckedProbe> const& checked, NagiosStyle style) {
  if (checked.empty()) return nagios_unknown("there is no probe to run");
  auto const found = found_in(checked);
  Severity worst = Severity::ok;
  std::chrono::milliseconds duration{0};
  Counts counts;
  for (auto const& probe : checked) {
    worst = probes::worse(worst, probe.report.severity());
    duration = std::max(duration, probe.duration);
    ++counts[probe.report.severity()];
  }
  std::string out = "CANARYD " + std::string{word(worst)} + ": ";
  out += found.empty() ? all_well(checked)
                       : cause(found.front()) + beside(found.size() - 1, checked.size(), counts);
  out += " |";
  Figures figures{kMostNagiosLine - out.size() - 1};
  figures.add("time", seconds(duration), "s");
  if (checked.size() > 1) {
    for (auto const severity :
         {Severity::ok, Severity::warning, Severity::critical, Severity::unknown}) {
      figures.add(probes::to_text(severity), static_cast<double>(counts[severity]));
    }
  } else {
    auto const& measured = checked.front().report.measurements;
    figures.add("requests", static_cast<double>(measured.requests));
    figures.add("bytes_received", static_cast<double>(measured.bytes_received), "B");
    add_ends(figures, checked.front(), style.at);
    add_samples(figures, checked.front());
  }
  out += figures.text() + "\n";
  append_more(out, found, checked, style);
  return out;
}

}  // namespace canary::daemon
