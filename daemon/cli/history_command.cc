// SPDX-License-Identifier: Apache-2.0
// `canaryd history`: what happened, read from the file itself, whether or not a canaryd runs.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/output.h"
#include "daemon/cli/running_daemon.h"
#include "daemon/history/recorder.h"
#include "daemon/history/timeline.h"
#include "daemon/history/when.h"
#include "daemon/publish/api.h"
#include "daemon/publish/history_json.h"

namespace canary::daemon {
namespace {

using history::Moment;
using history::Zone;

constexpr int kFailed = 1;
constexpr std::chrono::seconds kReadWithin{30};

struct HistoryFlags {
  DaemonFlags daemon;
  std::string probe, since = "24h", until = "now", output = "text";
  std::size_t most = 1'000;
  bool utc = false;
};

int failed(std::string const& why) {
  std::fprintf(stderr, "canaryd history: %s\n", why.c_str());
  return kFailed;
}

history::Time now() {
  return std::chrono::time_point_cast<history::milliseconds>(std::chrono::system_clock::now());
}

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

// What canaryd itself did.
std::string event_text(Moment const& moment) {
  auto const& subject = moment.finding.subject;
  auto const& detail = moment.finding.message;
  std::string const because = detail.empty() ? "" : ": " + detail;
  if (moment.kind == "start") return "canaryd " + subject + " starts";
  if (moment.kind == "stop") return "canaryd stops";
  if (moment.kind == "reload") return "the configuration is loaded anew";
  if (moment.kind == "reload_refused") return "a new configuration is refused" + because;
  if (moment.kind == "hang")
    return "canaryd hangs: " + subject + " for " + lasted(moment) + because;
  if (moment.kind == "unclean_end") {
    return "canaryd ended unclean (" + subject + "); nobody watched for " + lasted(moment) +
           because;
  }
  if (moment.kind == "changes_left_out") return "of " + subject + because;
  return moment.kind + " " + subject + because;
}

std::string moment_text(Moment const& moment) {
  if (moment.probe.empty()) return event_text(moment);
  auto const& finding = moment.finding;
  if (moment.kind == "incident_opened") return "INCIDENT begins: " + finding_text(finding);
  if (moment.kind == "incident_closed") return "INCIDENT is over after " + lasted(moment);
  if (moment.kind == "finding_opened") return "finding opened: " + finding_text(finding);
  if (moment.kind == "finding_closed") return "finding closed: " + finding_text(finding);
  return "finding changed from " + std::string{to_text(moment.was)} + ": " + finding_text(finding);
}

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

// How the runs of each probe went in these days (UTC).
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

// A field of RFC 4180. What a spreadsheet would take for a formula is text: a repository may call
// a file so.
std::string csv_field(std::string text) {
  if (text.find_first_of("=+-@") == 0) text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char const c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string timeline_csv(history::Found<Moment> const& found) {
  std::string out =
      "at,kind,probe,check,subject,severity,was,reason,message,evidence,url,lasted_seconds\r\n";
  for (auto const& moment : found.entries) {
    auto const& words = moment.finding;
    bool const of_probe = !moment.probe.empty();
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

int show(HistoryFlags const& flags, runtime::Stage& stage) {
  auto const places = find_places(flags.daemon);
  if (!places) return failed(places.error());
  Zone const zone = flags.utc ? Zone::utc : Zone::local;
  auto const since = history::parse_when(flags.since, now(), zone);
  if (!since) return failed("--since: " + since.error());
  auto const until = history::parse_when(flags.until, now(), zone);
  if (!until) return failed("--until: " + until.error());
  history::Query query{
      .probe = flags.probe, .since = since.value(), .until = until.value(), .most = flags.most};
  auto const file = places.value().state / history::kFileName;
  stage.enter("reading " + file.string());
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return failed("there is no " + file.string() +
                  ": no canaryd has run with this state directory, or it is of an older version");
  }
  auto store = history::Store::reading(file);
  auto const found = history::timeline(store, query);
  if (!found) return failed("cannot read " + file.string() + ": " + found.error().text);
  if (flags.output == "json") {
    put(timeline_json(found.value(), query) + "\n");
  } else if (flags.output == "csv") {
    put(timeline_csv(found.value()));
  } else {
    query.most = 1'000'000;
    auto const spans = store.spans(query, history::Store::Width::hour);
    put(timeline_text(found.value(), query, zone));
    if (spans) put(runs_text(spans.value()));
  }
  return 0;
}

}  // namespace

void add_history_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "history", "What happened: findings, incidents, canaryd's own starts, reloads and hangs");
  auto const flags = std::make_shared<HistoryFlags>();
  add_daemon_flags(*command, flags->daemon);
  command->add_option("PROBE", flags->probe, "only of this probe");
  command
      ->add_option("--since", flags->since,
                   "tue, yesterday, 90d (so long ago), 2026-11-24, \"2026-11-24 10:00\", "
                   "2026-11-24T10:00:00Z")
      ->capture_default_str();
  command->add_option("--until", flags->until, "likewise; what is later is left out")
      ->capture_default_str();
  command->add_option("--limit", flags->most, "the newest so many entries")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str();
  command->add_flag("--utc", flags->utc, "times in UTC instead of this machine's zone");
  command->add_option("--output", flags->output, "text, json or csv (these in UTC)")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->capture_default_str();
  command->footer(
      "Reads history.db of the state directory, also while no canaryd runs.\n"
      "Exit: 0 it was read, 1 it cannot be.");
  command->callback([flags, &chosen] {
    chosen = [flags] {
      return run_bounded({.command = "canaryd history", .limit = kReadWithin, .code = kFailed},
                         [flags = *flags](runtime::Stage& stage) { return show(flags, stage); });
    };
  });
}

}  // namespace canary::daemon
