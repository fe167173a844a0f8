// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/log_lines.h"

#include <chrono>
#include <string>
#include <string_view>
#include <system_error>

#include "daemon/log/line_format.h"
#include "daemon/log/ring.h"
#include "daemon/text/system_calls.h"

namespace canary::watchdog {
namespace {

using config::LogLevel;
using daemon::LogRecord;

std::chrono::nanoseconds span(std::int64_t nanoseconds) {
  return std::chrono::nanoseconds{nanoseconds};
}

std::string_view what_hangs(Subject subject) {
  switch (subject) {
    case Subject::loop:
      return "the loop does not turn";
    case Subject::run:
      return "a run makes no progress";
    case Subject::scheduler:
      return "the scheduler let a due run pass";
    case Subject::disk:
      return "the state directory does not answer";
    case Subject::cpu:
      return "a worker hangs";
    case Subject::server:
      return "the HTTP server does not answer";
    case Subject::resolver:
      return "a lookup of a name hangs";
    case Subject::watchdog:
      return "the watchdog is late";
    case Subject::main:
      return "the main or the control thread hangs";
    case Subject::log:
      return "the log's thread hangs";
    case Subject::emergency:
      return "the emergency thread hangs";
    case Subject::files:
      return "a file's disk does not answer";
  }
  return "something hangs";
}

bool is_of_pool(Subject subject) {
  return subject == Subject::disk || subject == Subject::cpu || subject == Subject::files;
}

LogLevel loudness(Level level) {
  if (level >= Level::hung) return LogLevel::error;
  return level == Level::stalled ? LogLevel::warn : LogLevel::info;
}

std::string where(Incident const& incident) {
  std::string text = runtime::text_at(incident.operation);
  if (incident.file == 0) return text;
  if (!text.empty()) text += ' ';
  return text + runtime::text_at(incident.file) + ':' + std::to_string(incident.line);
}

std::string system_call(Incident const& incident) {
  if (incident.system_call < 0) return "";
  return system_call_text(incident.system_call);
}

void pack_fields(LogRecord& into, LogLevel level, std::string_view message,
                 daemon::LogFields fields) {
  into.level = level;
  into.used = static_cast<std::uint16_t>(daemon::pack_line(into.bytes, message, fields));
}

void pack_stall(Line const& line, LogRecord& into) {
  Incident const& incident = line.incident;
  std::string_view what = what_hangs(incident.subject);
  if (incident.verdict == Verdict::ended) {
    what = "a thread of canaryd ended though its work is not done";
  } else if (incident.thread != 0 && incident.operation == 0 && is_of_pool(incident.subject)) {
    what = "an idle thread of canaryd hangs";
  }
  pack_fields(into, loudness(incident.level), what,
              {{"incident", incident.id},
               {"subject", to_text(incident.subject)},
               {"reached", to_text(incident.level)},
               {"verdict", to_text(incident.verdict)},
               {"name", incident.name.data()},
               {"after", span(incident.age_ns)},
               {"where", where(incident)},
               {"system_call", system_call(incident)}});
}

bool of_loop(Line const& line) { return line.incident.subject == Subject::loop; }

void pack_standing(Line const& line, LogRecord& into) {
  pack_fields(into, LogLevel::warn,
              of_loop(line) ? "the loop has not turned; nobody is accused"
                            : "a part of canaryd stands still",
              {{"subject", to_text(line.incident.subject)},
               {"after", span(line.nanoseconds)},
               {"why", in_words(line.incident.verdict)}});
}

void pack_about(Line const& line, LogRecord& into, LogLevel level, std::string_view message,
                char const* value_name, daemon::LogValue value) {
  pack_fields(into, level, message,
              {{"incident", line.incident.id},
               {"subject", to_text(line.incident.subject)},
               {"name", line.incident.name.data()},
               {value_name, value}});
}

bool is_in_memory(Line const& line) {
  return std::string_view{line.path.data()}.starts_with("/proc/");
}

void pack_dump_failed(Line const& line, LogRecord& into) {
  pack_fields(into, LogLevel::error, "a dump could not be written whole",
              {{"incident", line.incident.id},
               {"subject", to_text(line.incident.subject)},
               {"name", line.incident.name.data()},
               {"file", line.path.data()},
               {"detail", std::generic_category().message(static_cast<int>(line.count))}});
}

}  // namespace

void pack(Line const& line, LogRecord& into) {
  using Kind = Line::Kind;
  into.time = std::chrono::system_clock::time_point{
      std::chrono::duration_cast<std::chrono::system_clock::duration>(span(line.wall_ns))};
  switch (line.kind) {
    case Kind::stall:
      return pack_stall(line, into);
    case Kind::over:
      return pack_about(line, into, LogLevel::info, "a stall is over", "lasted",
                        span(line.nanoseconds));
    case Kind::dumped:
      return pack_about(line, into, LogLevel::warn,
                        is_in_memory(line) ? "a dump is kept in memory: its disk has not taken it"
                                           : "a dump was written",
                        "file", line.path.data());
    case Kind::dump_failed:
      return pack_dump_failed(line, into);
    case Kind::dump_unreadable:
      return pack_fields(into, LogLevel::error,
                         "the dump helper is gone or could not make dumps readable; the raw ones "
                         "stay where they are: canaryd-dump-helper FILE.raw prints one",
                         {{"dumps", line.count}});
    case Kind::suppressed:
      return pack_about(line, into, LogLevel::info,
                        "a dump was left out: this stall was dumped before", "suppressed",
                        line.count);
    case Kind::cancelled:
      return pack_about(line, into, LogLevel::warn, "a run that makes no progress is cancelled",
                        "after", span(line.nanoseconds));
    case Kind::not_unwound:
      return pack_about(line, into, LogLevel::error,
                        "a run did not end when it was asked to; it is not started again", "after",
                        span(line.nanoseconds));
    case Kind::quarantined:
      return pack_about(line, into, LogLevel::error,
                        "a probe is quarantined: it hung the loop again and again", "stalls",
                        line.count);
    case Kind::dying:
      return pack_about(line, into, LogLevel::error,
                        "canaryd cannot go on; what follows is as watchdog.on_dead says", "after",
                        span(line.incident.age_ns));
    case Kind::emergency:
      return pack_fields(into, LogLevel::error,
                         "the HTTP server does not answer; the watchdog's emergency page is served",
                         {{"after", span(line.nanoseconds)}});
    case Kind::emergency_over:
      return pack_fields(into, LogLevel::info,
                         "the HTTP server answers again; the emergency page is put away",
                         {{"after", span(line.nanoseconds)}});
    case Kind::stands:
      return pack_standing(line, into);
    case Kind::turns:
      return pack_fields(
          into, LogLevel::info,
          of_loop(line) ? "the loop turns again" : "a part of canaryd goes on",
          {{"subject", to_text(line.incident.subject)}, {"after", span(line.nanoseconds)}});
    case Kind::mute:
      return pack_fields(into, LogLevel::warn,
                         "a thread of the HTTP server cannot be asked whether it answers", {});
    case Kind::mute_over:
      return pack_fields(into, LogLevel::info, "every thread of the HTTP server can be asked again",
                         {});
    case Kind::disturbed:
      return pack_fields(into, LogLevel::warn, "something held canaryd; nobody is accused",
                         {{"what", to_text(line.disturbance)}, {"lasted", span(line.nanoseconds)}});
  }
}

daemon::LogSource log_source(WatchdogLines& lines) {
  return {.wake = lines.wake_descriptor(), .next = [&lines](LogRecord& into) {
            Line line;
            if (!lines.pop(line)) return false;
            pack(line, into);
            return true;
          }};
}

}  // namespace canary::watchdog
