// SPDX-License-Identifier: Apache-2.0
// What is known of the probes is on the disk soon, and found there by the next process.
#include "daemon/app/state_keeper.h"

#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <optional>

#include <gmock/gmock.h>

#include "config/touched_files.h"
#include "probes/tuf/declaration.h"
#include "probes/tuf/spec.h"
#include "runtime/task_group.h"
#include "tests/runtime/running_loop.h"
#include "tests/tuf/folders.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Reason;
using probes::Report;
using probes::Severity;
using runtime::Deadline;
using runtime::Task;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<config::ProbeSpec> specs(std::vector<std::string> const& names) {
  std::vector<config::ProbeSpec> result;
  for (auto const& name : names) {
    result.push_back(
        {.name = {name},
         .repository = "repo",
         .kind = tuf::Spec{.metadata_url = config::Url::parse("http://127.0.0.1/m").value()}});
  }
  return result;
}

Report expired() {
  Report report;
  report.findings.push_back({.check = "expiry",
                             .subject = "timestamp",
                             .severity = Severity::critical,
                             .reason = Reason::expired,
                             .message = "expired"});
  return report;
}

class Keeping : public ::testing::Test {
 protected:
  Keeping() : disk_("disk", 1, runtime::ThreadRecord::disk) { running_.block_on(begin()); }
  ~Keeping() override {
    running_.block_on(end());
    log_.reset();  // before what it writes to
    ::close(file_);
  }

  Task<void> begin() {
    results_.emplace(DaemonFacts{});
    std::vector<ProbeFacts> facts;
    for (auto const& spec : specs(names_)) facts.push_back(facts_of(spec, tuf::kDeclaration));
    results_->configure(facts);
    keeper_.emplace(running_.executor(), disk_, *results_, *log_, directory_);
    co_return;
  }
  Task<void> end() {
    keeper_.reset();
    co_return;
  }
  Task<void> run(std::string probe, SysTime at) {
    auto const changes = results_->finished(probe, at, 1ms, expired());
    keeper_->note(*changes);
    co_return;
  }
  Task<SavedState> saved(std::string probe) { co_return saved_state(*results_->row(probe)); }
  // What keep() does as soon as something is noted.
  Task<bool> finish() { co_return co_await keeper_->finish(Deadline::after(60s)); }
  // keep() until the file is there.
  Task<void> keep_until_written(std::string probe) {
    runtime::TaskGroup group{running_.executor()};
    group.start(keeper_->keep());
    while (!std::filesystem::exists(path_of(probe))) {
      co_await runtime::sleep_until({}, "test", Deadline::after(1ms));
    }
    group.request_stop();
    co_await group.join({});
  }

  std::filesystem::path path_of(std::string const& probe) const {
    return directory_ / (probe + ".json");
  }
  SavedStates load() { return load_saved_states(directory_, specs(names_), *log_); }
  std::string log() {
    EXPECT_TRUE(log_->flush(60s));
    std::string text(static_cast<std::size_t>(::lseek(file_, 0, SEEK_END)), ' ');
    EXPECT_EQ(::pread(file_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  tuf::TemporaryFolder folder_;
  std::filesystem::path directory_ = folder_.path() / "state" / "results";
  std::vector<std::string> names_{"a", "b"};
  int file_ = ::memfd_create("log", MFD_CLOEXEC);
  std::optional<Log> log_{std::in_place, config::LogSettings{}, file_};
  runtime::RunningLoop running_;
  runtime::Workers disk_;
  std::optional<ResultStore> results_;
  std::optional<StateKeeper> keeper_;
};

constexpr SysTime kFirst{1'790'000'000s};

TEST_F(Keeping, TheReadingGoesOnFromProbeToProbe) {
  int steps = 0;
  config::OnEachFile const tell{[](auto const&) {}, [&steps] { ++steps; }};
  load();
  EXPECT_EQ(steps, 2);
}

TEST_F(Keeping, TheNextProcessFindsWhatWasKnown) {
  EXPECT_THAT(load(), IsEmpty());
  running_.block_on(run("a", kFirst));
  running_.block_on(keep_until_written("a"));

  auto const states = load();
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states.at("a"), running_.block_on(saved("a")));
  EXPECT_EQ(states.at("a").since, kFirst);
  EXPECT_THAT(log(), IsEmpty());
}

TEST_F(Keeping, WhatHardlyChangedIsWrittenAtTheEnd) {
  running_.block_on(run("a", kFirst));
  ASSERT_TRUE(running_.block_on(finish()));
  running_.block_on(run("a", kFirst + 60s));
  EXPECT_EQ(load().at("a").last_run_end, kFirst) << "nothing changed: not worth a write";
  ASSERT_TRUE(running_.block_on(finish()));
  EXPECT_EQ(load().at("a").last_run_end, kFirst + 60s);
  EXPECT_EQ(load().at("a").consecutive_failures, 2u);
}

TEST_F(Keeping, WritesEveryProbeThatRan) {
  running_.block_on(run("a", kFirst));
  running_.block_on(run("b", kFirst));
  ASSERT_TRUE(running_.block_on(finish()));
  EXPECT_EQ(load().size(), 2u);
}

TEST_F(Keeping, ADamagedFileIsToldOfAndItsProbeBeginsAnew) {
  std::filesystem::create_directories(directory_);
  std::ofstream{path_of("a")} << "{\"format\":";
  EXPECT_THAT(load(), IsEmpty());
  EXPECT_THAT(log(), HasSubstr("msg=\"what was known of a probe before this start cannot be used; "
                               "it begins anew\" probe=a file=" +
                               path_of("a").string() + " detail=\"it is damaged: "));
}

TEST_F(Keeping, OfManyDamagedFilesTheFirstAreNamed) {
  std::filesystem::create_directories(directory_);
  names_.clear();
  for (int i = 0; i < 25; ++i) {
    names_.push_back("probe-" + std::to_string(i));
    std::ofstream{path_of(names_.back())} << "?";
  }
  EXPECT_THAT(load(), IsEmpty());
  EXPECT_THAT(log(), HasSubstr("msg=\"and 5 more probes begin anew\""));
}

TEST_F(Keeping, ADirectoryThatCannotBeMadeIsToldOfOnce) {
  std::ofstream{folder_.path() / "state"} << "a file";
  running_.block_on(run("a", kFirst));
  running_.block_on(finish());
  running_.block_on(run("b", kFirst));
  running_.block_on(finish());
  std::string const text = log();
  auto const first = text.find("what is known of the probes is not kept over a restart");
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_THAT(text, HasSubstr("cannot make " + directory_.string()));
  EXPECT_EQ(text.find("not kept", first + 100), std::string::npos) << text;

  std::filesystem::remove(folder_.path() / "state");
  running_.block_on(run("a", kFirst + 1s));
  running_.block_on(finish());
  EXPECT_THAT(log(), HasSubstr("is kept over a restart again"));
}

}  // namespace
}  // namespace canary::daemon
