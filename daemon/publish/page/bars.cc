// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/bars.h"

#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "daemon/publish/page/humane.h"

namespace canary::daemon::page {
namespace {

struct Kind {
  char run;
  std::string_view name;  // class and word
};
constexpr std::array kKinds{Kind{'0', "ok"}, Kind{'1', "degraded"}, Kind{'2', "failing"},
                            Kind{'3', "unknown"}, Kind{RecentRuns::kMissed, "missed"}};

}  // namespace

void add_bars(Fields& into, RecentRuns const& recent) {
  into.list("bars");
  std::string words;
  std::size_t const first = RecentRuns::kKept - recent.runs.size();
  for (auto const& kind : kKinds) {
    std::string path;
    std::size_t number = 0;
    for (std::size_t i = 0; i < recent.runs.size(); ++i) {
      if (recent.runs[i] != kind.run) continue;
      ++number;
      path += "M" + std::to_string((first + i) * kBarStep) + " 0h" + std::to_string(kBarWidth) +
              "v" + std::to_string(kBarHeight) + "h-" + std::to_string(kBarWidth) + "z";
    }
    if (number == 0) continue;
    into.entry("bars").text("class", std::string{kind.name}).text("path", std::move(path));
    words += (words.empty() ? "" : ", ") + std::to_string(number) + " " + std::string{kind.name};
  }
  if (!words.empty()) {
    into.text("bars_text", words + " of the last " +
                               (recent.runs.size() == 1 ? std::string{"run"}
                                                        : count(recent.runs.size(), "run")));
  }
}

int deadline_width(double days) {
  if (days <= 0) return 1;
  constexpr double kYear = 365;
  double const share = std::log1p(days) / std::log1p(kYear);
  return std::max(1, static_cast<int>(std::lround(100 * std::min(share, 1.0))));
}

}  // namespace canary::daemon::page
