// SPDX-License-Identifier: Apache-2.0
// What stands still by the wall clock, whosever fault it is.
// Thread: none (pure). Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/watchdog/judge/judgement.h"
#include "daemon/watchdog/judge/verdict.h"

namespace canary::watchdog {

// The parts of canaryd in one round: what each is seen in while it stands; none: it does not.
class PartsStanding {
 public:
  void begin_round() { seen_ = {}; }
  void stands(Subject subject, Verdict seen) {
    seen_.data()[static_cast<std::size_t>(subject)] =
        seen == Verdict::none ? Verdict::unknown : seen;
  }
  Verdict at(std::size_t subject) const { return seen_.data()[subject]; }

 private:
  std::array<Verdict, kSubjects> seen_{};
};

struct LoopStanding {
  std::int64_t since_ns = 0;        // since when it has not turned, once that is long; 0: it turns
  Verdict verdict = Verdict::none;  // the judgement's, else what its thread is seen in meanwhile
};

// The loop gets one look to turn after the watchdog and it were held together.
class LoopWatch {
 public:
  // `seen`: what two samples of its thread say.
  LoopStanding look(LoopFacts const& loop, Incident const& judged, Verdict seen,
                    Limits const& limits, std::int64_t now_ns) {
    std::int64_t const since = standing_since(loop, now_ns);
    looks_ = stands_long(since, limits, now_ns) ? looks_ + 1 : 0;
    bool const stands = looks_ > 1;
    LoopStanding result{.since_ns = stands ? since : 0, .verdict = judged.verdict};
    if (result.verdict == Verdict::none && stands) {
      result.verdict = seen == Verdict::none ? Verdict::unknown : seen;
    }
    return result;
  }

 private:
  int looks_ = 0;  // in a row, at which it stood
};

}  // namespace canary::watchdog
