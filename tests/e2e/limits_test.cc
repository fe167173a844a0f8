// SPDX-License-Identifier: Apache-2.0
// What the environment may lack: descriptors that are closed at the start, output that gets lost,
// each limit of setrlimit(2). A sentence names what was lacking; nothing ends without a word.
// Thread: main.
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <string_view>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"
#include "tests/support/sanitizer.h"

namespace canary::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::vector<std::string> in_shell(std::string const& script, std::vector<std::string> words) {
  words.insert(words.begin(), {"/bin/sh", "-c", script});
  return words;
}

std::vector<std::string> limited(std::string const& option, std::vector<std::string> words) {
  words.insert(words.begin(), {"/usr/bin/prlimit", option, "--"});
  return words;
}

class Limits : public ::testing::Test {
 protected:
  Limits() { site_.publish("repo", tuf::a_repository(now())); }
  std::string configure(std::string const& more = {}) const {
    return site_.configure({site_.probe("repo")}, more);
  }
  std::string state() const { return (site_.path() / "state").string(); }
  Site site_;
};

TEST_F(Limits, DescriptorsThatAreClosedAtTheStartAreHeld) {
  support::ChildProcess daemon{in_shell(R"(exec 0<&- 1>&- 2>&-; exec "$0" "$@")",
                                        command({"run", "--config", configure()}))};
  auto const runs = [this] { return canaryd({"status", "--state-directory", state()}).code == 0; };
  ASSERT_TRUE(support::eventually(runs));
  for (int const each : {0, 1, 2}) {
    EXPECT_EQ(
        fs::read_symlink("/proc/" + std::to_string(daemon.pid()) + "/fd/" + std::to_string(each)),
        "/dev/null");
  }
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.exit_code(), 0);
}

TEST_F(Limits, ClosedDescriptorsGetNobodysFiles) {
  auto const folder = site_.path() / "client";
  fs::create_directory(folder);
  auto const ran = support::run(
      in_shell(R"(exec 0<&- 1>&- 2>&-; exec "$0" "$@")",
               {TUF_CLIENT, "--metadata-dir", folder.string(), "init", site_.pinned_root("repo")}));
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(tuf::read_file(folder / "root.json"), tuf::read_file(site_.pinned_root("repo")));
  // Its usage, which has nowhere to go.
  EXPECT_EQ(support::run(in_shell(R"(exec 0<&- 1>&- 2>&-; exec "$0")", {DUMP_HELPER})).code, 2);
}

struct Command {
  std::string name;
  std::vector<std::string> words;
  int code;
};

TEST_F(Limits, OutputThatIsLostIsAnExitStatus) {
  std::string const config = configure();
  Daemon daemon{config};
  ASSERT_TRUE(daemon.reaches(runs_of("repo"), 1)) << daemon.log();
  auto const root = site_.pinned_root("repo");
  std::vector<Command> const all{
      {"help", command({"--help"}), 1},
      {"version", command({"version"}), 1},
      {"plain_version", command({"--version"}), 1},
      {"config_show", command({"config", "show", config}), 1},
      {"config_check", command({"config", "check", config}), 1},
      {"check_json", command({"check", "--root", root, "--output", "json"}), 3},
      {"check_junit", command({"check", "--root", root, "--output", "junit"}), 3},
      {"check_nagios", command({"check", "--root", root, "--output", "nagios"}), 3},
      {"check_text", command({"check", "--config", config}), 3},
      {"status", command({"status", "--config", config}), 3},
      {"status_json", command({"status", "--config", config, "--output", "json"}), 3},
      {"dump", command({"dump", "--config", config}), 1},
      {"dump_list", command({"dump", "--config", config, "--list"}), 1},
      {"tuf_client", {TUF_CLIENT, "--help"}, 1}};
  for (auto const& each : all) {
    SCOPED_TRACE(each.name);
    auto const full = support::run(in_shell(R"(exec >/dev/full; exec "$0" "$@")", each.words));
    EXPECT_EQ(full.code, each.code);
    EXPECT_THAT(full.err, HasSubstr("cannot write to standard output: No space left on device"));
    auto const closed = support::run(in_shell(R"(exec >&-; exec "$0" "$@")", each.words));
    EXPECT_EQ(closed.code, each.code);
    EXPECT_THAT(closed.err, HasSubstr("cannot write to standard output: Bad file descriptor"));
  }
}

// Known to be bad stays bad, though nobody got the report.
TEST_F(Limits, LostOutputOfACheckDoesNotHideWhatIsBad) {
  auto expired = tuf::a_repository(now());
  expired.timestamp.expires = now() - std::chrono::hours{1};
  site_.publish("late", expired);
  auto const ran = support::run(in_shell(R"(exec >/dev/full; exec "$0" "$@")",
                                         command({"check", "--root", site_.pinned_root("late"),
                                                  "--metadata-url", site_.metadata_url("late")})));
  EXPECT_EQ(ran.code, 2) << ran.err;
}

TEST_F(Limits, SoftLimitOfDescriptorsIsRaised) {
  Daemon daemon{limited("--nofile=64:4096", command({"run", "--config", configure()}))};
  ASSERT_TRUE(daemon.reaches(runs_of("repo"), 1)) << daemon.log();
  EXPECT_EQ(daemon.metric("process_max_fds"), 4096);
  EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Limits, FewDescriptorsAreSharedAndTold) {
  Daemon daemon{limited("--nofile=200:200", command({"run", "--config", configure()}))};
  ASSERT_TRUE(daemon.reaches(runs_of("repo"), 1)) << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr("of 200 descriptors (RLIMIT_NOFILE) "));
  EXPECT_THAT(daemon.log(), HasSubstr("instead of 256 (web.max_connections)"));
  EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Limits, TooFewDescriptorsAreASentence) {
  for (char const* const few : {"--nofile=16:16", "--nofile=40:40"}) {
    auto const ran = support::run(limited(few, command({"run", "--config", configure()})));
    EXPECT_EQ(ran.code, 1) << few;
    EXPECT_THAT(ran.err, HasSubstr("descriptors at the least, and may open ")) << few;
  }
}

// A sanitizer's program needs terabytes of addresses and stacks of its own.
bool needs_memory(std::string_view option) {
  if (!support::kSanitizer) return false;
  return option.starts_with("--as") || option.starts_with("--data") ||
         option.starts_with("--stack");
}

// Limits under which all of the work can be done.
class WorksUnder : public Limits, public ::testing::WithParamInterface<char const*> {};

TEST_P(WorksUnder, ThisLimit) {
  if (needs_memory(GetParam())) GTEST_SKIP() << "a sanitizer needs more";
  Daemon daemon{limited(GetParam(), command({"run", "--config", configure()}))};
  ASSERT_TRUE(daemon.reaches(runs_of("repo"), 2)) << daemon.log();
  EXPECT_EQ(daemon.metric("canaryd_probe_success{probe=\"repo\"}"), 1);
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

INSTANTIATE_TEST_SUITE_P(Each, WorksUnder,
                         ::testing::Values("--stack=65536:65536", "--as=300000000:300000000",
                                           "--memlock=0:0", "--core=0:0", "--sigpending=0:0",
                                           "--msgqueue=0:0", "--nice=0:0", "--rtprio=0:0",
                                           "--locks=0:0", "--fsize=65536:65536"),
                         [](auto const& info) {
                           std::string const text = info.param;
                           return text.substr(2, text.find('=') - 2);
                         });

// Limits that end it: at the start or later, with a sentence and an exit code.
struct End {
  std::string name, option, says;
  std::string more = {};  // lines of the configuration
};
class EndsUnder : public Limits, public ::testing::WithParamInterface<End> {};

TEST_P(EndsUnder, ThisLimitWithASentence) {
  if (needs_memory(GetParam().option)) GTEST_SKIP() << "a sanitizer needs more";
  support::ChildProcess daemon{
      limited(GetParam().option, command({"run", "--config", configure(GetParam().more)}))};
  EXPECT_TRUE(daemon.says(GetParam().says)) << daemon.err();
  EXPECT_EQ(daemon.exit_code(), 1) << daemon.err();
}

INSTANTIATE_TEST_SUITE_P(
    Each, EndsUnder,
    ::testing::Values(End{"address_space", "--as=48000000:48000000", "RLIMIT_AS 48000000"},
                      End{"threads_of_the_server", "--as=68000000:68000000", "RLIMIT_AS 68000000"},
                      End{"data", "--data=4000000:4000000", "RLIMIT_DATA 4000000"}),
    [](auto const& info) { return info.param.name; });

TEST_F(Limits, OfCpuTimeStopsCleanlyAndSaysSo) {
  Daemon daemon{command({"run", "--config", configure()})};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  // What the kernel sends once RLIMIT_CPU's soft limit is reached.
  daemon.process().signal(SIGXCPU);
  EXPECT_EQ(daemon.process().exit_code(), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("the limit of CPU time is reached (RLIMIT_CPU)"));
}

// Does a process of that user live?
bool is_at_work(unsigned user) {
  for (auto const& each : fs::directory_iterator{"/proc"}) {
    struct stat status{};
    bool const process =
        each.path().filename().string().find_first_not_of("0123456789") == std::string::npos;
    if (process && ::stat(each.path().c_str(), &status) == 0 && status.st_uid == user) return true;
  }
  return false;
}

// Threads are refused to a user who has as many; root is never refused.
TEST_F(Limits, OfProcessesIsASentence) {
  for (auto const& each : {site_.path(), site_.path() / "repo"}) {
    fs::permissions(each, fs::perms{0777});
  }
  std::vector<std::string> const as_nobody{"/usr/bin/setpriv", "--reuid=65533", "--regid=65533",
                                           "--clear-groups", "--"};
  auto may = as_nobody;
  may.insert(may.end(), {CANARYD, "--version"});
  if (support::run(may).code != 0) GTEST_SKIP() << "cannot become another user here";
  std::string const config = configure();
  // From no thread at all to enough: a sentence each time, or the work is done.
  std::string last;
  for (int threads : {2, 6, 12, 24}) {
    auto start = as_nobody;
    for (auto const& word :
         limited("--nproc=" + std::to_string(threads) + ":" + std::to_string(threads),
                 command({"run", "--config", config}))) {
      start.push_back(word);
    }
    support::ChildProcess daemon{start};
    ASSERT_TRUE(support::eventually([&] {
      auto const log = daemon.err();
      return log.find("RLIMIT_NPROC") != std::string::npos ||
             log.find("msg=monitoring") != std::string::npos;
    })) << threads
        << daemon.err();
    if (daemon.err().find("msg=monitoring") != std::string::npos) {
      daemon.signal(SIGTERM);
      EXPECT_EQ(daemon.exit_code(), 0) << threads << ": " << daemon.err();
      EXPECT_GT(threads, 4);
      return;
    }
    EXPECT_EQ(daemon.exit_code(), 1) << threads << ": " << daemon.err();
    last = daemon.err();
    // Its helper ends a moment later, and counts until then.
    ASSERT_TRUE(support::eventually([] { return !is_at_work(65'533); }));
  }
  ADD_FAILURE() << "24 threads do not suffice: " << last;
}

}  // namespace
}  // namespace canary::e2e
