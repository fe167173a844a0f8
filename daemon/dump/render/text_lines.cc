// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/render/text_lines.h"

#include <time.h>

#include <array>
#include <cstdio>
#include <vector>

#include "daemon/text/fixed_text.h"
#include "daemon/text/rfc3339.h"

namespace canary::dump {

std::string span_text(std::int64_t nanoseconds) {
  std::array<char, 48> memory{};
  FixedText text{memory};
  text.span(nanoseconds);
  return std::string{text.view()};
}

std::string place_text(Place const& place) {
  if (place.file.empty()) return {};
  return place.file + ":" + std::to_string(place.line);
}

std::string size_text(std::uint64_t bytes) {
  static constexpr char const* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string utc_text(std::int64_t wall_ns) {
  using namespace std::chrono;
  return daemon::rfc3339(sys_time<milliseconds>{floor<milliseconds>(nanoseconds{wall_ns})});
}

std::string hex_text(std::uint64_t value) {
  std::array<char, 24> memory{};
  FixedText text{memory};
  text.hex(value);
  return std::string{text.view()};
}

std::string short_function(std::string_view function) {
  static constexpr std::string_view kKept = "(anonymous namespace)";
  std::string result;
  int templates = 0, calls = 0;
  for (std::size_t i = 0; i < function.size(); ++i) {
    char const each = function[i];
    bool const named = result.ends_with("operator") || result.ends_with("operator<");
    if (templates == 0 && calls == 0 && function.substr(i).starts_with(kKept)) {
      result += kKept;
      i += kKept.size() - 1;
    } else if (each == '(' && result.ends_with("operator") && calls == 0 && templates == 0) {
      result += "()";
      ++i;
    } else if (each == '<' && !named) {
      ++templates;
    } else if (each == '>' && templates > 0 && function[i - 1] != '-') {
      --templates;
    } else if (each == '(' && templates == 0) {
      if (calls++ == 0) result += "()";
    } else if (each == ')' && templates == 0 && calls > 0) {
      --calls;
    } else if (templates == 0 && calls == 0) {
      result += each;
    }
  }
  return result;
}

bool is_post_mortem(DumpDocument const& document) {
  return std::string_view{document.about.reason.data()} == kPostMortem;
}

std::string headline(DumpDocument const& document) {
  if (is_post_mortem(document)) {
    auto const& loop = document.executor.loop;
    std::string const what = "process " + std::to_string(document.about.process) + " had ended; ";
    if (!document.has_executor) return what + "what it was at is not known";
    if (loop.running) return what + "a handler had run for " + span_text(loop.handler.took_ns);
    return what + (loop.beats > 0 ? "its loop waited" : "its loop had not begun to turn");
  }
  std::string const reason = document.about.reason.data();
  if (reason == "ended")
    return "canaryd ended itself by a defect of its own; standard error has it";
  if (document.incidents.empty()) {
    return "nothing is accused; dumped on " + (reason.empty() ? "request" : reason);
  }
  auto const& incident = document.incidents.front();
  std::string text{to_text(incident.subject)};
  if (incident.name[0] != '\0' && text != incident.name.data()) {
    text += std::string{" "} + incident.name.data();
  }
  text += std::string{" "} + std::string{to_text(incident.level)} + " for " +
          span_text(incident.age_ns) + ": " + std::string{to_text(incident.verdict)};
  return text;
}

NativeFrame const* culprit_frame(DumpDocument const& document) {
  if (document.stacks.empty() || document.stacks.front().raw.culprit == 0) return nullptr;
  std::string const program = document.about.program.data();
  for (auto const& frame : document.stacks.front().frames) {
    // Source paths of the program's own code are relative (-ffile-prefix-map).
    bool const own = frame.module == program && !frame.file.empty() && frame.file[0] != '/';
    if (own) return &frame;
  }
  return nullptr;
}

std::string chain_text(RunState const& run, std::size_t at) {
  std::vector<std::string> names;
  std::uint8_t depth = 0xFF;
  for (std::size_t i = at + 1; i-- > 0;) {
    auto const& row = run.frames[i];
    if (row.depth >= depth) continue;
    depth = row.depth;
    names.push_back(row.detail.empty() ? row.name : row.name + "(" + row.detail + ")");
  }
  std::string text = run.name;
  for (std::size_t i = names.size(); i-- > 0;) text += " > " + names[i];
  return text;
}

}  // namespace canary::dump
