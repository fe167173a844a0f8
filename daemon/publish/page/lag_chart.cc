// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/lag_chart.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <string>

#include "daemon/history/when.h"
#include "daemon/publish/page/humane.h"

namespace canary::daemon::page {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kStretch{10};

double decades(microseconds late) {
  return std::log10(1 + static_cast<double>(late.count()) / 1e3);
}

int y_of(microseconds late, microseconds top) {
  double const share = std::min(1.0, decades(late) / decades(top));
  return kLagHeight - 1 - static_cast<int>(std::lround(share * (kLagHeight - 2)));
}

std::string across(microseconds late, microseconds top) {
  return "M0 " + std::to_string(y_of(late, top)) + "h" + std::to_string(kLagWidth);
}

// As a staircase; where nobody looked is a gap.
std::string curve(OwnState const& own, microseconds top) {
  std::string path;
  int const step = kLagWidth / static_cast<int>(own.lag.size());
  bool joined = false;
  int last = -1, run = 0;  // what is drawn at one height is one stroke
  auto const flush = [&] {
    if (run > 0) path += "h" + std::to_string(run);
    run = 0;
  };
  for (std::size_t i = 0; i < own.lag.size(); ++i) {
    if (!own.lag[i]) {
      flush();
      joined = false;
      continue;
    }
    int const y = y_of(*own.lag[i], top);
    if (!joined) {
      path += "M" + std::to_string(static_cast<int>(i) * step) + " " + std::to_string(y);
    } else if (y != last) {
      flush();
      path += "V" + std::to_string(y);
    }
    joined = true;
    last = y;
    run += step;
  }
  flush();
  return path;
}

}  // namespace

void add_lag_chart(Fields& page, OwnState const& own, SysTime now) {
  page.text("lag_path", "");
  auto const worst = std::ranges::max_element(own.lag);  // nothing is less than any
  if (worst == own.lag.end() || !*worst || own.lag_stall.count() == 0) return;
  auto const top = std::max({microseconds{own.lag_stall} * 2, **worst, microseconds{2'000}});
  auto const before = (own.lag.end() - worst - 1) * kStretch;
  page.text("lag_path", curve(own, top))
      .text("suspect_path", across(own.lag_suspect, top))
      .text("stall_path", across(own.lag_stall, top))
      .text("lag_suspect", history::span_text(own.lag_suspect))
      .text("lag_stall", history::span_text(own.lag_stall))
      .text("lag_top", history::span_text(std::chrono::ceil<milliseconds>(top)))
      .text("lag_text", "at most " + history::span_text(std::chrono::ceil<milliseconds>(**worst)) +
                            ", at " + clock(now - before, now));
}

}  // namespace canary::daemon::page
