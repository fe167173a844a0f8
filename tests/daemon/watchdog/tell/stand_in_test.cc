// SPDX-License-Identifier: Apache-2.0
// When the emergency thread answers for the HTTP server, and what is said of it.
#include "daemon/watchdog/tell/stand_in.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/text/fixed_text.h"
#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kS = 1'000'000'000;
constexpr std::int64_t kNow = 1'000 * kS;

// What outlives it.
struct Parts {
  EmergencyBoard board;
  Takeover takeover;
  SelfChannels channels;
  runtime::Published<PreambleText> preamble;
  Record record;
  WatchdogLines queue;
};

class StandingIn : public testing::Test {
 protected:
  ~StandingIn() override { ::close(wake); }

  void look(std::int64_t silent_since_ns, std::int64_t now_ns = kNow) {
    stand_in->look({.silent_since_ns = silent_since_ns, .ask_every_ns = 2 * kS}, server, Limits{},
                   grace, {.now_ns = now_ns, .previous_ns = now_ns - kS, .wall_ns = 7 * kS});
  }
  std::vector<Line::Kind> said() {
    std::vector<Line::Kind> kinds;
    for (Line line; parts->queue.pop(line);) kinds.push_back(line.kind);
    return kinds;
  }
  std::string page() {
    auto const texts = std::make_unique<EmergencyTexts>();
    return parts->board.read(*texts) ? std::string{texts->page_text()} : "";
  }

  runtime::Tables& tables = runtime::make_tables({.runs = 8, .operations = 64});
  int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::unique_ptr<Parts> parts = std::make_unique<Parts>();
  LineWriter lines{parts->queue, parts->record};
  ServerQuestion server{parts->channels};
  ThreadGrace grace;
  std::unique_ptr<StandIn> stand_in =
      std::make_unique<StandIn>(StandIn::Parts{.board = parts->board,
                                               .wake = wake,
                                               .listeners = parts->takeover,
                                               .channels = parts->channels,
                                               .preamble = parts->preamble,
                                               .record = parts->record,
                                               .lines = lines});
};

TEST_F(StandingIn, WhileTheServerAnswersNobodyDoesForIt) {
  look(0);

  EXPECT_FALSE(stand_in->answering());
  EXPECT_EQ(page(), "");
}

TEST_F(StandingIn, AServerThatIsSilentForLongIsAnsweredFor) {
  PreambleText preamble{};
  copy_text(preamble, "canaryd_build_info 1\n");
  parts->preamble.store(preamble);
  look(kNow - 9 * kS);

  EXPECT_TRUE(stand_in->answering());
  EXPECT_EQ(parts->record.emergency_since_ns, kNow);
  EXPECT_THAT(page(), HasSubstr("canaryd_build_info 1\n"));
  std::uint64_t count = 0;
  EXPECT_EQ(::read(wake, &count, sizeof count), static_cast<ssize_t>(sizeof count))
      << "the emergency thread is woken";
}

TEST_F(StandingIn, ItIsSaidOnceSomebodyGotThePage) {
  look(kNow - 9 * kS);
  look(kNow - 9 * kS, kNow + kS);
  EXPECT_THAT(said(), IsEmpty());

  parts->record.emergency_answers[0].store(1);
  look(kNow - 9 * kS, kNow + 2 * kS);
  look(kNow - 9 * kS, kNow + 3 * kS);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::emergency));

  look(0, kNow + 4 * kS);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::emergency_over));
  EXPECT_FALSE(stand_in->answering());
  EXPECT_EQ(parts->record.emergency_since_ns, 0);
}

TEST_F(StandingIn, WhereNobodyGotItNothingIsSaid) {
  look(kNow - 9 * kS);
  look(0, kNow + kS);

  EXPECT_THAT(said(), IsEmpty());
}

}  // namespace
}  // namespace canary::watchdog
