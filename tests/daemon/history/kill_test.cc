// SPDX-License-Identifier: Apache-2.0
// What was written is there after the process was killed, at whatever moment.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "daemon/history/store.h"
#include "tests/support/temporary_folder.h"

namespace canary::history {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1'800'000'000'000ms};

int rounds() {
  char const* const told = std::getenv("CANARY_HISTORY_KILLS");
  return told == nullptr ? 20 : std::atoi(told);
}

std::vector<Entry> batch(std::int64_t number) {
  std::vector<Entry> entries;
  for (int i = 0; i < 20; ++i) {
    Time const at = kStart + (number * 20 + i) * 1s;
    entries.emplace_back(
        RunEntry{.probe = "probe-" + std::to_string(i % 4),
                 .url = "https://host/",
                 .ended = at,
                 .duration = 10ms,
                 .severity = i % 5 == 0 ? probes::Severity::critical : probes::Severity::ok});
    entries.emplace_back(EventEntry{.kind = "reload", .subject = "", .detail = "", .at = at});
  }
  return entries;
}

// Writes batches for ever, and each one's number to `told` once it is written.
[[noreturn]] void write_until_killed(std::filesystem::path const& file, std::int64_t number,
                                     int told) {
  Store store{file, {}};
  for (;; ++number) {
    if (!store.write(batch(number))) ::_exit(1);
    if (::write(told, &number, sizeof number) != sizeof number) ::_exit(2);
  }
}

// The last number that came, until the writer is gone; `before` where none did.
std::int64_t last_told(int from, std::int64_t before) {
  std::int64_t number = before;
  while (::read(from, &number, sizeof number) == sizeof number) continue;
  return number;
}

TEST(HistoryKilled, LosesNothingThatWasWritten) {
  support::TemporaryFolder const folder;
  auto const file = folder.path() / "history.db";
  std::minstd_rand random{7};
  std::int64_t written = -1;
  for (int round = 0; round < rounds(); ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    pid_t const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(file, written + 1, ends[1]);
    ::close(ends[1]);
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 60'000});
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    written = last_told(ends[0], written);
    ::close(ends[0]);

    Store store{file, {}};
    auto const checked = store.check();
    ASSERT_TRUE(checked) << checked.error().text;
    ASSERT_TRUE(store.take_notices().empty()) << "round " << round;
    Query const all{.probe = "", .since = kStart, .until = kStart + 24h * 900, .most = 10'000'000};
    auto const events = store.events(all).value().entries.size();
    // The last one may have been written without being told.
    auto const told = static_cast<std::size_t>(written + 1) * 20;
    ASSERT_TRUE(events == told || events == told + 20) << events << " of " << told;
    written = static_cast<std::int64_t>(events / 20) - 1;
    ASSERT_EQ(store.runs(all).value().entries.size(), events);
  }
}

}  // namespace
}  // namespace canary::history
