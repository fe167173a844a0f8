// SPDX-License-Identifier: Apache-2.0
#include "probes/phase_times.h"

#include <string>

#include <gtest/gtest.h>

namespace canary::probes {
namespace {

using namespace std::chrono_literals;

TEST(PhaseTimes, AreShownWithNothingLeftOut) {
  PhaseTimes times;
  for (std::size_t i = 0; i < kPhases; ++i) times.spent[i] = std::chrono::nanoseconds{1 << i};
  std::chrono::nanoseconds all{0};
  std::string words;
  for (auto const& phase : times.shown()) {
    all += phase.time;
    words.append(phase.word).append(" ");
  }
  EXPECT_EQ(all, times.total());
  EXPECT_EQ(words, "queue dns connect tls request first_byte body verify ");
}

TEST(PhaseTimes, CountsBackoffAsQueueAndAProxysTunnelAsConnect) {
  PhaseTimes times;
  times[Phase::queue] = 1ms;
  times[Phase::backoff] = 2ms;
  times[Phase::connect] = 4ms;
  times[Phase::proxy] = 8ms;
  EXPECT_EQ(times.shown()[0].time, 3ms);
  EXPECT_EQ(times.shown()[2].time, 12ms);
}

TEST(PhaseTimes, AreAddedPhaseByPhase) {
  PhaseTimes a, b;
  a[Phase::tls] = 1ms;
  b[Phase::tls] = 2ms;
  b[Phase::body] = 4ms;
  a += b;
  EXPECT_EQ(a[Phase::tls], 3ms);
  EXPECT_EQ(a.total(), 7ms);
}

}  // namespace
}  // namespace canary::probes
