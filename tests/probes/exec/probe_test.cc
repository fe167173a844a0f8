// SPDX-License-Identifier: Apache-2.0
// The probe on shell scripts that keep to the contract or break it, and on real plugins.
#include "probes/exec/probe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/fetch/services.h"
#include "probes/kind.h"
#include "runtime/block_on.h"
#include "runtime/task_group.h"
#include "tests/probes/probe_fixture.h"
#include "tests/support/child_process.h"
#include "tests/support/read_file.h"
#include "tests/support/temporary_folder.h"

namespace canary::exec {
namespace {

using namespace std::chrono_literals;
using probes::Finding;
using probes::Reason;
using probes::Severity;
using support::eventually;
using ::testing::HasSubstr;
using ::testing::Not;

class ExecProbe : public probes::ProbeFixture<Spec> {
 protected:
  static Spec shell(std::string const& script) {
    return {.command = {"/bin/sh", "-c", script}, .environment = {"PATH=/usr/bin:/bin"}};
  }
  static Finding only(probes::Report const& report) {
    EXPECT_EQ(report.findings.size(), 1U);
    return report.findings.empty() ? Finding{} : report.findings[0];
  }
  std::string read(std::string const& name) const {
    return support::read_file(folder_.path() / name);
  }
  // The process of that id is gone; a zombie is.
  static bool is_gone(std::string const& pid) {
    std::ifstream status{"/proc/" + pid + "/stat"};
    std::string number, name, state;
    status >> number >> name >> state;
    return !status || state == "Z";
  }

  // Starts the program, and cancels its run once it has written its process's id.
  runtime::Task<void> cancelled(Spec spec, probes::Report& report) {
    runtime::TaskGroup group{co_await boost::asio::this_coro::executor};
    group.start(start(std::move(spec), report));
    while (read("pid").empty()) {
      co_await runtime::sleep_until({}, "test", runtime::Deadline::after(10ms));
    }
    group.request_stop();
    co_await group.join({});
  }

  support::TemporaryFolder folder_;
};

TEST_F(ExecProbe, TakesTheExitStatusAsSeverityAndTheFirstLineAsMessage) {
  struct Case {
    int code;
    Severity severity;
    char const* reason;
  };
  for (auto const& [code, severity, reason] :
       {Case{0, Severity::ok, "none"}, Case{1, Severity::warning, "reported"},
        Case{2, Severity::critical, "reported"}, Case{3, Severity::unknown, "reported"},
        Case{4, Severity::unknown, "crashed"}, Case{127, Severity::unknown, "crashed"}}) {
    auto const report =
        run(shell("echo 'LOAD is so | a=1.5s;2 b=2'; echo more; exit " + std::to_string(code)));
    auto const finding = only(report);
    EXPECT_EQ(finding.severity, severity) << code;
    EXPECT_EQ(finding.reason.word(), reason) << code;
    EXPECT_THAT(finding.message.text(), ::testing::StartsWith("LOAD is so")) << code;
    EXPECT_EQ(finding.subject.text(), "/bin/sh");
    EXPECT_TRUE(report.complete);
    ASSERT_EQ(report.measurements.samples.size(), 2U);
    EXPECT_EQ(report.measurements.samples[0].label.text(), "a");
    EXPECT_EQ(report.measurements.samples[0].value, 1.5);
  }
}

TEST_F(ExecProbe, TakesWhatItSaysOnStandardErrorWhereItSaysNothingElse) {
  EXPECT_EQ(only(run(shell("echo oops >&2; exit 2"))).message.text(), "oops");
  EXPECT_EQ(only(run(shell("exit 0"))).message.text(), "it said nothing");
}

TEST_F(ExecProbe, CannotTellWhereTheProgramCannotBeStarted) {
  for (auto const& path : {folder_.path() / "none", folder_.path()}) {
    auto const report = run({.command = {path.string()}});
    EXPECT_EQ(only(report).severity, Severity::unknown);
    EXPECT_EQ(only(report).reason, Reason::configuration);
    EXPECT_THAT(only(report).message.text(), HasSubstr("cannot be started: "));
    EXPECT_FALSE(report.complete);
  }
  Spec elsewhere = shell("exit 0");
  elsewhere.directory = folder_.path() / "none";
  EXPECT_EQ(only(run(elsewhere)).reason, Reason::configuration);
}

TEST_F(ExecProbe, CannotTellWhereASignalEndsIt) {
  auto const finding = only(run(shell("echo fine; kill -SEGV $$")));
  EXPECT_EQ(finding.severity, Severity::unknown);
  EXPECT_EQ(finding.reason.word(), "crashed");
  EXPECT_THAT(finding.message.text(), HasSubstr("signal 11"));
}

// Its environment, descriptors, signals, folder and process group, as it finds them itself.
TEST_F(ExecProbe, HasNothingOfOurs) {
  ::setenv("CANARY_TEST_SECRET", "hunter2", 1);
  auto* const before = std::signal(SIGPIPE, SIG_IGN);
  int const leaked = ::open("/etc/hostname", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GE(leaked, 3);
  Spec spec = shell(
      "/usr/bin/env > env; ls /proc/$$/fd > fds; readlink /proc/$$/fd/0 > input;"
      "cut -d' ' -f1,5,6 /proc/$$/stat > ids;"
      "exec grep -E 'Sig(Blk|Ign)' /proc/self/status > signals");
  spec.environment = {"PATH=/usr/bin:/bin", "LANG=C"};
  spec.directory = folder_.path();
  ASSERT_EQ(run(spec).severity(), Severity::ok);
  ::close(leaked);
  std::signal(SIGPIPE, before);
  ::unsetenv("CANARY_TEST_SECRET");
  EXPECT_THAT(read("env"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(read("env"), Not(HasSubstr("HOME=")));
  EXPECT_THAT(read("env"), HasSubstr("LANG=C"));
  // 10 is the shell's own copy of one that it redirects.
  std::istringstream fds{read("fds")};
  for (int fd = 0; fds >> fd;) EXPECT_TRUE(fd <= 2 || fd >= 10 || fd == 3) << fd;
  EXPECT_THAT(read("fds"), Not(HasSubstr(std::to_string(leaked) + "\n")));
  EXPECT_EQ(read("input"), "/dev/null\n");
  std::istringstream signals{read("signals")};
  std::string word;
  unsigned long blocked = 1, ignored = 1;
  signals >> word >> std::hex >> blocked >> word >> ignored;
  EXPECT_EQ(blocked, 0U);
  EXPECT_EQ(ignored & 0x7fffffffU, 0U) << "beside the two of the C library";
  std::istringstream ids{read("ids")};
  std::string pid, group, session;
  ids >> pid >> group >> session;
  EXPECT_EQ(pid, group);
  EXPECT_EQ(pid, session);
}

TEST_F(ExecProbe, DoesNotWaitForADaemonThatKeepsThePipe) {
  // It ends once the daemon has left its group.
  Spec spec = shell(
      "setsid sh -c 'echo $$ > daemon; exec sleep 1000' & "
      "while [ ! -s daemon ]; do sleep 0.01; done; echo started");
  spec.directory = folder_.path();
  auto const report = run(spec);
  EXPECT_EQ(only(report).message.text(), "started");
  EXPECT_EQ(report.severity(), Severity::ok);
  std::string const daemon = std::to_string(std::stoi(read("daemon")));
  EXPECT_FALSE(is_gone(daemon)) << "it left the group";
  ::kill(std::stoi(daemon), SIGKILL);
}

TEST_F(ExecProbe, EndsWhatIsLeftOfItsGroup) {
  Spec spec = shell("sleep 1000 & echo $! > child; echo started");
  spec.directory = folder_.path();
  EXPECT_EQ(only(run(spec)).message.text(), "started");
  std::string const child = std::to_string(std::stoi(read("child")));
  EXPECT_TRUE(eventually([&] { return is_gone(child); }));
}

TEST_F(ExecProbe, IsToldToEndWithItsChildrenAtItsTimeLimit) {
  Spec spec =
      shell("sleep 1000 & echo $! > child; echo so far; trap 'echo x > told; exit 0' TERM; wait");
  spec.directory = folder_.path();
  spec.time_limit = 500ms;
  spec.kill_after = 30s;
  auto const report = run(spec);
  EXPECT_EQ(only(report).severity, Severity::unknown);
  EXPECT_EQ(only(report).reason, Reason::timeout);
  EXPECT_THAT(only(report).message.text(), HasSubstr("it had said \"so far\""));
  EXPECT_EQ(read("told"), "x\n");
  std::string const child = std::to_string(std::stoi(read("child")));
  EXPECT_TRUE(eventually([&] { return is_gone(child); }));
}

TEST_F(ExecProbe, IsKilledWhereItDoesNotListen) {
  Spec spec = shell("trap '' TERM; echo $$ > pid; while :; do sleep 1; done");
  spec.directory = folder_.path();
  spec.time_limit = 500ms;
  spec.kill_after = 100ms;
  EXPECT_EQ(only(run(spec)).reason, Reason::timeout);
  EXPECT_TRUE(is_gone(std::to_string(std::stoi(read("pid")))));
}

TEST_F(ExecProbe, EndsWithinItsRun) {
  auto const began = std::chrono::steady_clock::now();
  EXPECT_EQ(only(run(shell("sleep 1000"), 2s)).reason, Reason::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
}

TEST_F(ExecProbe, IsGoneOnceItsRunIsCancelled) {
  Spec spec = shell("trap '' TERM; echo $$ > pid; while :; do sleep 1; done");
  spec.directory = folder_.path();
  probes::Report report;
  loop_.block_on(cancelled(spec, report));
  EXPECT_TRUE(report.findings.empty());
  EXPECT_TRUE(is_gone(std::to_string(std::stoi(read("pid")))));
  EXPECT_EQ(unreaped_processes(), 0U);
}

TEST_F(ExecProbe, KeepsSoMuchOfItsOutputAndDropsTheRest) {
  Spec spec = shell("echo 'first line'; head -c 1000000 /dev/zero; exit 1");
  spec.max_output = 4096;
  auto const report = run(spec);
  EXPECT_EQ(only(report).severity, Severity::warning);
  EXPECT_EQ(only(report).message.text(), "first line");
  EXPECT_EQ(report.measurements.bytes_received, 4096U);
}

TEST_F(ExecProbe, IsEndedWhereItWritesWithoutEnd) {
  auto const finding = only(run(shell("exec cat /dev/zero")));
  EXPECT_EQ(finding.severity, Severity::unknown);
  EXPECT_EQ(finding.reason, Reason::size_limit);
}

TEST_F(ExecProbe, LeavesNoDescriptorAndNoZombie) {
  auto const descriptors = [] {
    auto const all = std::filesystem::directory_iterator{"/proc/self/fd"};
    return std::distance(begin(all), end(all));
  };
  run(shell("exit 0"));
  auto const before = descriptors();
  for (int i = 0; i < 20; ++i) run(shell("echo x; exit 1"));
  EXPECT_LE(descriptors(), before);
  EXPECT_EQ(unreaped_processes(), 0U);
}

// Debian's monitoring-plugins-basic.
TEST_F(ExecProbe, UnderstandsRealPlugins) {
  std::string const folder = "/usr/lib/nagios/plugins/";
  if (!std::filesystem::exists(folder + "check_dummy")) {
    GTEST_SKIP() << "monitoring-plugins-basic is not installed";
  }
  auto const warning = only(run({.command = {folder + "check_dummy", "1", "so so"}}));
  EXPECT_EQ(warning.severity, Severity::warning);
  EXPECT_EQ(warning.message.text(), "WARNING: so so");
  auto const load =
      run({.command = {folder + "check_load", "-w", "1000,1000,1000", "-c", "2000,2000,2000"}});
  EXPECT_EQ(load.severity(), Severity::ok) << only(load).message.text();
  ASSERT_GE(load.measurements.samples.size(), 3U);
  EXPECT_EQ(load.measurements.samples[0].label.text(), "load1");
  auto const disk = run({.command = {folder + "check_disk", "-w", "0%", "-c", "0%", "-p", "/"}});
  EXPECT_EQ(disk.severity(), Severity::ok) << only(disk).message.text();
  EXPECT_EQ(disk.measurements.samples.at(0).label.text(), "/");
  EXPECT_GT(disk.measurements.samples.at(0).value, 0);
}

}  // namespace
}  // namespace canary::exec
