// SPDX-License-Identifier: Apache-2.0
// Files of probes that are gone go after a while, and those of one that is back stay.
#include "daemon/app/removed_probes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tuf/declaration.h"
#include "probes/tuf/spec.h"
#include "runtime/task_group.h"
#include "tests/config/temp_dir.h"
#include "tests/runtime/running_loop.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using runtime::Task;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kDay = std::chrono::seconds{24h};

class Removed : public ::testing::Test {
 protected:
  Removed() {
    for (auto const* probe : {"a", "gone"}) {
      std::string const name{probe};
      dir_.write("results/" + name + ".json", "{}");
      dir_.write("results/" + name + ".json.part", "{");
      dir_.write("probes/" + name + "/root.json", "{}");
      dir_.write("probes/" + name + "/timestamp.json", "{}");
    }
    running_.block_on(begin());
  }
  ~Removed() override {
    running_.block_on(end());
    log_.reset();  // before what it writes to
    ::close(file_);
  }

  Task<void> begin() {
    results_.emplace(DaemonFacts{});
    removed_.emplace(RemovedProbes::Setup{
        .disk = disk_,
        .results = *results_,
        .log = *log_,
        .places = {.state = dir_.path(), .runtime = dir_.path() / "run"},
        .results_directory = dir_.path() / "results",
        .note = [this](history::EventEntry entry) { noted_.push_back(std::move(entry)); },
        .wall_clock = [] { return SysTime{1'790'000'000s}; }});
    results_->configure(facts({"a"}));
    co_return;
  }
  Task<void> end() {
    removed_.reset();
    co_return;
  }
  Task<void> look(std::chrono::seconds since) { co_await removed_->look(since); }
  Task<void> configure(std::vector<std::string> names) {
    results_->configure(facts(names));
    co_return;
  }

  // It is known again when the look has found that it is due, and before anything is removed.
  Task<void> look_while_it_comes_back() {
    std::promise<void> gate;
    auto const opened = gate.get_future().share();
    for (std::size_t i = 0; i < kDiskThreads; ++i) {
      auto wait = [opened] {
        opened.wait();
        return 0;
      };
      disk_.then(running_.executor(), "test", std::move(wait), [](std::optional<int>) {});
    }
    runtime::TaskGroup group{running_.executor()};
    group.start(removed_->look(365 * kDay));
    co_await runtime::sleep_until({}, "test", runtime::Deadline::after(50ms));
    results_->configure(facts({"a", "gone"}));
    gate.set_value();
    co_await group.join({});
  }

  static std::vector<ProbeFacts> facts(std::vector<std::string> const& names) {
    std::vector<ProbeFacts> all;
    for (auto const& name : names) {
      config::ProbeSpec const spec{
          .name = {name},
          .repository = "repo",
          .kind = tuf::Spec{.metadata_url = config::Url::parse("http://127.0.0.1/m").value()}};
      all.push_back(facts_of(spec, tuf::kDeclaration));
    }
    return all;
  }
  bool there(std::string const& file) const { return fs::exists(dir_.path() / file); }
  std::string log() {
    EXPECT_TRUE(log_->flush(60s));
    std::string text(static_cast<std::size_t>(::lseek(file_, 0, SEEK_END)), ' ');
    EXPECT_EQ(::pread(file_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  static constexpr std::size_t kDiskThreads = 2;
  config::TempDir dir_;
  std::vector<history::EventEntry> noted_;
  int file_ = ::memfd_create("log", MFD_CLOEXEC);
  std::optional<Log> log_{std::in_place, config::LogSettings{}, file_};
  runtime::RunningLoop running_;
  runtime::Workers disk_{"disk", kDiskThreads, runtime::ThreadRecord::disk};
  std::optional<ResultStore> results_;
  std::optional<RemovedProbes> removed_;
};

TEST_F(Removed, LoseTheirResultsFirstAndTheirTrustMuchLater) {
  running_.block_on(look(0s));
  running_.block_on(look(29 * kDay));
  EXPECT_TRUE(there("results/gone.json"));
  EXPECT_THAT(log(), Not(HasSubstr("is removed")));
  running_.block_on(look(kDay));
  EXPECT_FALSE(there("results/gone.json"));
  EXPECT_FALSE(there("results/gone.json.part")) << "a crash left it";
  EXPECT_TRUE(there("probes/gone/root.json"));
  EXPECT_THAT(noted_, IsEmpty());

  running_.block_on(look(335 * kDay));
  EXPECT_FALSE(there("probes/gone"));
  ASSERT_EQ(noted_.size(), 1U);
  EXPECT_EQ(noted_[0].kind, history::kTrustDropped);
  EXPECT_EQ(noted_[0].subject, "gone");
  EXPECT_EQ(noted_[0].detail, "neither a file nor a list has had it for 365d");
  EXPECT_THAT(log(), HasSubstr("trusted_metadata=gone"));
  for (auto const* file : {"results/a.json", "results/a.json.part", "probes/a/root.json"}) {
    EXPECT_TRUE(there(file)) << file << " is of a probe that is there";
  }
}

TEST_F(Removed, LoseNothingWhereTheyComeBack) {
  running_.block_on(look(0s));
  running_.block_on(look(29 * kDay));
  running_.block_on(configure({"a", "gone"}));
  running_.block_on(look(400 * kDay));
  running_.block_on(configure({"a"}));
  running_.block_on(look(400 * kDay));
  EXPECT_TRUE(there("results/gone.json"));
  EXPECT_TRUE(there("probes/gone/root.json"));
}

TEST_F(Removed, LoseNothingWhereTheyComeBackWhileItIsLookedAtThem) {
  running_.block_on(look(0s));
  running_.block_on(look_while_it_comes_back());
  EXPECT_TRUE(there("results/gone.json"));
  EXPECT_TRUE(there("probes/gone/root.json"));
}

TEST_F(Removed, AreKeptForAsLongAsTheConfigurationSays) {
  removed_->set({.results = 2 * kDay, .trust = 3 * kDay});
  running_.block_on(look(0s));
  running_.block_on(look(2 * kDay));
  EXPECT_FALSE(there("results/gone.json"));
  EXPECT_TRUE(there("probes/gone/root.json"));
  running_.block_on(look(kDay));
  EXPECT_FALSE(there("probes/gone"));
}

// A folder that somebody put there is nobody's to remove, and no news every quarter of an hour.
TEST_F(Removed, LeaveFoldersInTheirFolder) {
  dir_.write("probes/gone/mine/notes", "x");
  running_.block_on(look(0s));
  running_.block_on(look(365 * kDay));
  running_.block_on(look(365 * kDay));
  EXPECT_TRUE(there("probes/gone/mine/notes"));
  EXPECT_FALSE(there("probes/gone/root.json"));
  EXPECT_EQ(noted_.size(), 1U);
}

TEST_F(Removed, AreToldOnceWhereTheyCannotBeTidiedUp) {
  dir_.write("removed.json/x", "");
  running_.block_on(look(0s));
  running_.block_on(look(kDay));
  running_.block_on(look(kDay));
  auto const text = log();
  EXPECT_THAT(text, HasSubstr("cannot be tidied up"));
  auto const first = text.find("cannot rename");  // after it could not be read, which is told, too
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("cannot rename", first + 1), std::string::npos) << text;
  running_.block_on(look(365 * kDay));
  EXPECT_FALSE(there("probes/gone")) << "counted in memory all the same";
}

}  // namespace
}  // namespace canary::daemon
