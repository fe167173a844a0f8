// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/output.h"
#include "daemon/cli/running_daemon.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;

constexpr int kNoAnswer = 1;
constexpr std::chrono::seconds kDumpedWithin{15};  // the daemon takes up to nine

// Finished dumps, the newest first. Throws for a folder that cannot be read.
std::vector<fs::path> dumps_in(fs::path const& directory) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code ignored, failed;
  fs::directory_iterator const entries{directory, failed};
  if (failed && failed != std::errc::no_such_file_or_directory) {
    throw std::runtime_error("cannot read " + directory.string() + ": " + failed.message());
  }
  for (auto const& entry : entries) {
    if (entry.path().extension() == ".txt") {
      found.emplace_back(fs::last_write_time(entry.path(), ignored), entry.path());
    }
  }
  std::ranges::sort(found, std::greater{});
  std::vector<fs::path> paths;
  paths.reserve(found.size());
  for (auto& [time, path] : found) paths.push_back(std::move(path));
  return paths;
}

int print_file(fs::path const& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    std::fprintf(stderr, "canaryd dump: cannot read %s\n", path.c_str());
    return kNoAnswer;
  }
  put(text.str());
  return 0;
}

// The newest that was made of a hang: it has the verdict. One that was asked for, or a post-mortem
// that the next start wrote, is newer and has none.
fs::path const& most_telling(std::vector<fs::path> const& dumps) {
  for (std::string_view const kind : {"stall-", "post-mortem-"}) {
    auto const found = std::ranges::find_if(
        dumps, [kind](fs::path const& each) { return each.filename().string().starts_with(kind); });
    if (found != dumps.end()) return *found;
  }
  return dumps.front();
}

int last_dump(Places const& places) {
  auto const dumps = dumps_in(places.dumps());
  if (dumps.empty()) {
    std::fprintf(stderr, "canaryd dump: there is none in %s\n", places.dumps().c_str());
    return kNoAnswer;
  }
  auto const& chosen = most_telling(dumps);
  if (chosen != dumps.front()) {
    std::fprintf(stderr, "canaryd dump: %s; there are newer ones without a verdict, see --list\n",
                 chosen.c_str());
  }
  return print_file(chosen);
}

int list_dumps(Places const& places) {
  for (auto const& path : dumps_in(places.dumps())) put(path.string() + "\n");
  return 0;
}

int dump_now(Places const& usual, runtime::Stage& stage) {
  auto const daemon = find_daemon(usual, stage);
  PrivateAnswer const answer =
      daemon ? ask_daemon(daemon.value(), "/debug/dump", stage) : PrivateAnswer{0, daemon.error()};
  if (answer.status == 200) {
    put(answer.body);
    return 0;
  }
  std::fprintf(stderr, "canaryd dump: %s\n", answer.body.c_str());
  if (answer.status == 0) {
    std::fputs("canaryd dump: --last prints what the last stall left behind\n", stderr);
  }
  return kNoAnswer;
}

struct Wanted {
  DaemonFlags flags;
  bool last = false, list = false;
};

int dump(Wanted const& wanted, runtime::Stage& stage) {
  auto const places = find_places(wanted.flags);
  if (!places) {
    std::fprintf(stderr, "canaryd dump: %s\n", places.error().c_str());
    return kNoAnswer;
  }
  if (!wanted.list && !wanted.last) return dump_now(places.value(), stage);
  stage.enter("reading " + places.value().dumps().string());
  return wanted.list ? list_dumps(places.value()) : last_dump(places.value());
}

}  // namespace

void add_dump_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "dump", "What the running canaryd is at: every run's stack, what it waits for, each thread");
  auto const flags = std::make_shared<DaemonFlags>();
  auto const last = std::make_shared<bool>(false);
  auto const list = std::make_shared<bool>(false);
  add_daemon_flags(*command, *flags);
  command->add_flag("--last", *last,
                    "Print the newest dump on disk that has a verdict instead of asking for one");
  command->add_flag("--list", *list, "Name the dumps on disk, the newest first");
  command->footer("docs/hangs.md tells how to read a dump.");
  command->callback([flags, last, list, &chosen] {
    chosen = [flags, last, list] {
      return run_bounded({.command = "canaryd dump", .limit = kDumpedWithin, .code = kNoAnswer},
                         [wanted = Wanted{*flags, *last, *list}](runtime::Stage& stage) {
                           return dump(wanted, stage);
                         });
    };
  });
}

}  // namespace canary::daemon
