// SPDX-License-Identifier: Apache-2.0
// `canaryd history`: what happened, read from the file itself, whether or not a canaryd runs.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/history_text.h"
#include "daemon/cli/output.h"
#include "daemon/cli/running_daemon.h"
#include "daemon/history/recorder.h"
#include "daemon/history/timeline.h"
#include "daemon/history/when.h"
#include "daemon/publish/history_json.h"

namespace canary::daemon {
namespace {

using history::Zone;

constexpr int kFailed = 1;
constexpr std::chrono::seconds kReadWithin{30};

struct HistoryFlags {
  DaemonFlags daemon;
  std::string probe, since = "24h", until = "now", output = "text";
  std::size_t most = 1'000;
  bool utc = false, versions = false;
};

int failed(std::string const& why) {
  std::fprintf(stderr, "canaryd history: %s\n", why.c_str());
  return kFailed;
}

history::Time now() {
  return std::chrono::time_point_cast<history::milliseconds>(std::chrono::system_clock::now());
}

int show(HistoryFlags const& flags, runtime::Stage& stage) {
  auto const places = find_places(flags.daemon);
  if (!places) return failed(places.error());
  Zone const zone = flags.utc ? Zone::utc : Zone::local;
  auto const since = history::parse_when(flags.since, now(), zone);
  if (!since) return failed("--since: " + since.error());
  auto const until = history::parse_when(flags.until, now(), zone);
  if (!until) return failed("--until: " + until.error());
  history::Query query{.probe = flags.probe,
                       .since = since.value(),
                       .until = until.value(),
                       .most = flags.most,
                       .versions = flags.versions};
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
  command->add_flag("--versions", flags->versions,
                    "also when a repository showed another version of its metadata");
  command->add_flag("--utc", flags->utc, "times in UTC instead of this machine's zone");
  command->add_option("--output", flags->output, "text, json or csv (these in UTC)")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->capture_default_str();
  command->footer("Reads history.db of the state directory, also while no canaryd runs.");
  command->callback([flags, &chosen] {
    chosen = [flags] {
      return run_bounded({.command = "canaryd history", .limit = kReadWithin, .code = kFailed},
                         [flags = *flags](runtime::Stage& stage) { return show(flags, stage); });
    };
  });
}

}  // namespace canary::daemon
