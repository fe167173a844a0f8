// SPDX-License-Identifier: Apache-2.0
// Exit statuses: the manuals name those of the programs' help and no others, and each is brought
// about.
// Thread: main.
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

namespace fs = std::filesystem;
using support::Ran;
using Words = std::vector<std::string>;

constexpr char kHeading[] = "## Exit status\n\n";

// A line of a table of exit statuses: of which command ("" where the program has none), and when.
struct Row {
  std::string command;
  int code = 0;
  std::string when;
};

std::string manual(std::string const& file) {
  return std::string{CANARY_SOURCE_DIR "/docs/"} + file;
}

// "| `config diff` | 1 | something differs |", or without the first column.
std::string line_of(Row const& row, bool of_commands) {
  std::string const first = row.command.empty() ? "`canaryd`" : "`canaryd " + row.command + "`";
  return "| " + (of_commands ? first + " | " : "") + std::to_string(row.code) + " | " + row.when +
         " |\n";
}

// The table below "## Exit status" of a manual, whole.
std::string table_in(std::string const& file) {
  std::string const text = tuf::read_file(manual(file));
  auto const heading = text.find(kHeading);
  if (heading == std::string::npos) return {};
  auto const begin = text.find("| ", heading);
  return text.substr(begin, text.find("\n\n", begin) + 1 - begin);
}

std::string table_of(std::vector<Row> const& rows, bool of_commands) {
  std::string text = of_commands ? "| command | status | when |\n|---|---|---|\n"
                                 : "| status | when |\n|---|---|\n";
  for (auto const& row : rows) text += line_of(row, of_commands);
  return text;
}

// What the help of a command says.
std::vector<Row> of_help(std::string const& command) {
  std::istringstream words{command};
  Words arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  arguments.emplace_back("--help");
  std::string const help = canaryd(arguments).out;
  std::vector<Row> rows;
  auto const heading = help.find("\nExit status:\n");
  if (heading == std::string::npos) return rows;
  std::istringstream lines{help.substr(help.find('\n', heading + 1) + 1)};
  std::string line;
  while (std::getline(lines, line) && line.starts_with("  ")) {
    rows.push_back({command, std::atoi(line.c_str()), line.substr(7)});
  }
  return rows;
}

// What brings statuses about: repositories that are well, near their end, ended and not there, and
// whatever runs for them.
class World {
 public:
  World() {
    auto const with = [this](char const* name, std::chrono::hours left) {
      auto made = tuf::a_repository(now());
      made.timestamp.expires = now() + left;
      site_.publish(name, made);
    };
    with("well", std::chrono::days{365});
    with("near", std::chrono::hours{36});
    with("ended", std::chrono::hours{-1});
    with("gone", std::chrono::days{365});
    config_ = configure();
  }
  Site const& site() const { return site_; }
  std::string const& config() const { return config_; }
  std::string at(std::string const& name) const { return (site_.path() / name).string(); }
  std::string refused() const { return site_.write("refused.yml", "workers: x\n"); }

  std::optional<int> of(Words const& words) const { return told(canaryd(words)); }
  // Of a command that finds the running canaryd by the configuration.
  std::optional<int> asks(Words words) const {
    words.insert(words.end(), {"--config", config_});
    return of(words);
  }
  // A canaryd is at work on the configuration.
  std::optional<int> asks_one_that_runs(Words const& words) const {
    Daemon daemon{config_};
    EXPECT_TRUE(daemon.ready()) << daemon.log();
    return asks(words);
  }
  std::optional<int> told(Ran const& ran) const {
    std::fputs(ran.err.c_str(), stderr);  // read where the test fails
    return ran.code;
  }

 private:
  std::string configure() const {
    std::vector<std::string> probes;
    for (std::string const name : {"well", "near", "ended", "gone"}) {
      std::string const url =
          name == "gone" ? "http://127.0.0.1:1/metadata" : site_.metadata_url(name);
      probes.push_back(site_.probe_at(name, url, "    interval: 24h\n") +
                       "      expiry: {timestamp: {warning: 7d, critical: 1d}}\n");
    }
    return site_.configure(probes);
  }

  Site site_;
  std::string config_;
};

std::optional<int> run_until_it_is_stopped(World const& world) {
  Daemon daemon{world.config()};
  EXPECT_TRUE(daemon.ready()) << daemon.log();
  return daemon.stop();
}

// Its certificate authorities are in a pipe that nobody writes to.
std::optional<int> check_interrupted_twice(World const& world) {
  EXPECT_EQ(::mkfifo(world.at("fifo").c_str(), 0600), 0);
  support::ChildProcess check{
      command({"check", "--root", world.site().pinned_root("well"), "--metadata-url",
               "https://127.0.0.1:9/metadata", "--ca-file", world.at("fifo"), "--timeout", "1h"})};
  // Two of one signal may be one.
  EXPECT_TRUE(support::eventually([&check] {
    check.signal(SIGINT);
    check.signal(SIGTERM);
    return check.exit_code(std::chrono::seconds{0}).has_value();
  }));
  return check.exit_code();
}

std::optional<int> status_of_a_loop_that_hangs(World const& world) {
  world.site().publish("victim", tuf::a_repository(now()));
  std::string const config = world.site().configure(
      {world.site().probe("victim")},
      "watchdog: {loop_suspect: 100ms, loop_stall: 300ms, loop_hung: 700ms, loop_dead: 10m}\n");
  support::ChildProcess const hung{
      {CANARYD_FAULTS, "run", "--config", config},
      {"CANARY_FAULT=sleep", "CANARY_FAULT_DIR=" + world.site().path().string()}};
  world.site().write("trigger", "");
  std::optional<int> code;
  support::eventually([&] {
    code = canaryd({"status", "--config", config}).code;
    return code == 1;
  });
  return code;
}

std::optional<int> top_in_a_terminal(World const& world) {
  Daemon daemon{world.config()};
  EXPECT_TRUE(daemon.ready()) << daemon.log();
  return world.told(support::run({"/bin/sh", "-c",
                                  "while sleep 0.2 && printf q; do :; done | "
                                  "script -qec \"$0 top --config $1\" /dev/null",
                                  CANARYD, world.config()},
                                 {"TERM=xterm"}));
}

std::optional<int> history_of_one_that_ran(World const& world) {
  EXPECT_EQ(run_until_it_is_stopped(world), 0);
  return world.asks({"history"});
}

// Somebody has the state directory who is no canaryd that answers.
std::optional<int> forget_while_somebody_else_is_there(World const& world) {
  fs::create_directory(world.at("state"));
  support::ChildProcess stranger{
      {"/usr/bin/flock", world.at("state"), "/bin/sh", "-c", "echo locked >&2; exec sleep 600"}};
  EXPECT_TRUE(stranger.says("locked"));
  return world.asks({"forget", "well", "--reason", "restored"});
}

std::optional<int> reload_of_what_is_refused(World const& world) {
  Daemon daemon{world.config()};
  EXPECT_TRUE(daemon.ready()) << daemon.log();
  Words const reload{"reload", "--state-directory", world.at("state")};
  fs::copy_file(world.refused(), world.config(), fs::copy_options::overwrite_existing);
  return world.of(reload);
}

std::optional<int> diff(World const& world, std::string const& old, std::string const& fresh) {
  return world.of({"config", "diff", old, fresh});
}

using Brings = std::function<std::optional<int>(World const& world)>;

struct Case {
  std::string command;
  int code;
  Brings brings;
  friend void PrintTo(Case const& each, std::ostream* out) {
    *out << "canaryd " << each.command << ": " << each.code;
  }
};

// Each status of each command, and what brings it about.
std::vector<Case> const& cases() {
  static Words const kForget{"forget", "well", "--reason", "restored"};
  static std::vector<Case> const all{
      {"", 0, [](World const& w) { return w.of({"--version"}); }},
      {"", 1, [](World const& w) { return w.of({"rum"}); }},
      {"run", 0, run_until_it_is_stopped},
      {"run", 1, [](World const& w) { return w.asks_one_that_runs({"run"}); }},
      {"run", 78, [](World const& w) { return w.of({"run", "--config", w.refused()}); }},
      {"check", 0, [](World const& w) { return w.asks({"check", "well"}); }},
      {"check", 1, [](World const& w) { return w.asks({"check", "near"}); }},
      {"check", 2, [](World const& w) { return w.asks({"check", "ended"}); }},
      {"check", 3, [](World const& w) { return w.asks({"check", "gone"}); }},
      {"check", 130, check_interrupted_twice},
      {"demo", 0, [](World const& w) { return w.of({"demo", "--sign", w.at("signed")}); }},
      {"demo", 1, [](World const& w) { return w.of({"demo", "--sign", "/dev/null/signed"}); }},
      {"status", 0, [](World const& w) { return w.asks_one_that_runs({"status"}); }},
      {"status", 1, status_of_a_loop_that_hangs},
      {"status", 3, [](World const& w) { return w.asks({"status"}); }},
      {"top", 0, top_in_a_terminal},
      {"top", 1, [](World const& w) { return w.asks_one_that_runs({"top"}); }},
      {"top", 3, [](World const& w) { return w.asks({"top"}); }},
      {"history", 0, history_of_one_that_ran},
      {"history", 1, [](World const& w) { return w.asks({"history"}); }},
      {"run-now", 0, [](World const& w) { return w.asks_one_that_runs({"run-now", "well"}); }},
      {"run-now", 1, [](World const& w) { return w.asks_one_that_runs({"run-now", "near"}); }},
      {"run-now", 2, [](World const& w) { return w.asks_one_that_runs({"run-now", "ended"}); }},
      {"run-now", 3, [](World const& w) { return w.asks_one_that_runs({"run-now", "gone"}); }},
      {"forget", 0, [](World const& w) { return w.asks_one_that_runs(kForget); }},
      {"forget", 1,
       [](World const& w) { return w.asks_one_that_runs({"forget", "other", "--reason", "x"}); }},
      {"forget", 3, forget_while_somebody_else_is_there},
      {"reload", 0, [](World const& w) { return w.asks_one_that_runs({"reload"}); }},
      {"reload", 1, [](World const& w) { return w.asks({"reload", "at once"}); }},
      {"reload", 3, [](World const& w) { return w.asks({"reload"}); }},
      {"reload", 78, reload_of_what_is_refused},
      {"dump", 0, [](World const& w) { return w.asks_one_that_runs({"dump"}); }},
      {"dump", 1, [](World const& w) { return w.asks({"dump"}); }},
      {"config check", 0, [](World const& w) { return w.of({"config", "check", w.config()}); }},
      {"config check", 1, [](World const& w) { return w.of({"config", "check"}); }},
      {"config check", 78, [](World const& w) { return w.of({"config", "check", w.refused()}); }},
      {"config show", 0, [](World const& w) { return w.of({"config", "show", w.config()}); }},
      {"config show", 1, [](World const& w) { return w.of({"config", "show"}); }},
      {"config show", 78, [](World const& w) { return w.of({"config", "show", w.refused()}); }},
      {"config diff", 0, [](World const& w) { return diff(w, w.config(), w.config()); }},
      {"config diff", 1,
       [](World const& w) {
         return diff(w, w.config(), w.site().write("none.yml", "probes: []\n"));
       }},
      {"config diff", 2, [](World const& w) { return w.of({"config", "diff", w.config()}); }},
      {"config diff", 78, [](World const& w) { return diff(w, w.config(), w.refused()); }},
      {"version", 0, [](World const& w) { return w.of({"version"}); }},
      {"version", 1, [](World const& w) { return w.of({"version", "all"}); }},
      {"completion", 0, [](World const& w) { return w.of({"completion", "bash"}); }},
      {"completion", 1, [](World const& w) { return w.of({"completion", "csh"}); }}};
  return all;
}

class ExitStatus : public ::testing::TestWithParam<Case> {};

TEST_P(ExitStatus, IsReturned) {
  World const world;
  EXPECT_EQ(GetParam().brings(world), GetParam().code);
}

std::string name_of(Case const& each) {
  std::string name = each.command.empty() ? "canaryd" : each.command;
  std::ranges::replace_if(name, [](char c) { return std::isalnum(c) == 0; }, '_');
  return name + "_" + std::to_string(each.code);
}

INSTANTIATE_TEST_SUITE_P(Of, ExitStatus, ::testing::ValuesIn(cases()),
                         [](auto const& info) { return name_of(info.param); });

// In the order of the cases, so that none is left out here or there.
TEST(ExitStatuses, OfTheManualAreThoseOfTheHelpAndEachIsBroughtAbout) {
  std::vector<Row> rows;
  std::vector<std::pair<std::string, int>> told, brought;
  for (auto const& each : cases()) {
    brought.emplace_back(each.command, each.code);
    if (!rows.empty() && rows.back().command == each.command) continue;
    std::ranges::move(of_help(each.command), std::back_inserter(rows));
  }
  for (auto const& row : rows) told.emplace_back(row.command, row.code);
  EXPECT_EQ(told, brought);

  std::string const file = manual("canaryd.md"), table = table_of(rows, true);
  std::string const there = table_in("canaryd.md");
  if (std::getenv("CANARY_WRITE_DOCS") != nullptr) {
    std::string text = tuf::read_file(file);
    std::ofstream{file} << text.replace(text.find(there), there.size(), table);
  }
  EXPECT_EQ(table_in("canaryd.md"), table)
      << "write it anew: CANARY_WRITE_DOCS=1 ctest --preset dev -R ExitStatuses";
}

// The other programs' manuals, whose statuses are few.
TEST(ExitStatuses, OfTheOtherManualsAreReturned) {
  World const world;
  fs::create_directory(world.at("client"));
  auto const client = [&world](std::string const& name) {
    return support::run(
        {TUF_CLIENT, "--metadata-dir", world.at("client"), "init", world.at(name + ".root.json")});
  };
  EXPECT_EQ(
      table_in("tuf-client.md"),
      table_of({{"", *client("well").code, "success"},
                {"", *client("other").code, "anything else, with the reason on standard error"}},
               false));

  Daemon daemon{world.config()};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  ASSERT_EQ(world.asks({"dump"}), 0);
  fs::path raw;
  for (auto const& each : fs::recursive_directory_iterator{world.at("state")}) {
    if (each.path().extension() == ".raw") raw = each.path();
  }
  auto const helper = [](Words words) {
    words.insert(words.begin(), DUMP_HELPER);
    return *support::run(words).code;
  };
  EXPECT_EQ(table_in("canaryd-dump-helper.md"),
            table_of({{"", helper({raw.string()}), "success"},
                      {"", helper({world.refused()}),
                       "the dump cannot be read, or cannot be written out"},
                      {"", helper({}), "wrong use"}},
                     false));
}

}  // namespace
}  // namespace canary::e2e
