// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/runs_in_flight.h"

#include <chrono>
#include <string>
#include <utility>

#include "config/harmless.h"
#include "daemon/dump/read/executor_state.h"

namespace canary::daemon {
namespace {

constexpr std::size_t kLongestText = 200;

std::chrono::milliseconds whole(std::int64_t ns) {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds{ns});
}

page::RunInFlight::Frame frame_of(dump::FrameState const& row) {
  std::string name = row.name;
  if (!row.detail.empty()) name += "(" + row.detail + ")";
  page::RunInFlight::Frame frame{.name = make_harmless(name, kLongestText),
                                 .place = {},
                                 .age = whole(row.age_ns),
                                 .depth = row.depth};
  if (row.place.line != 0) frame.place = row.place.file + ":" + std::to_string(row.place.line);
  return frame;
}

}  // namespace

std::vector<page::RunInFlight> runs_in_flight(runtime::Tables& tables) {
  std::vector<page::RunInFlight> runs;
  for (auto const& run : dump::read_runs(tables, dump::own_texts(), runtime::now_ns())) {
    if (run.service) break;  // they come behind the probes
    page::RunInFlight seen{.probe = make_harmless(run.name, kLongestText),
                           .age = whole(run.age_ns),
                           .stalled = run.stalled,
                           .frames = {}};
    for (auto const& row : run.frames) seen.frames.push_back(frame_of(row));
    runs.push_back(std::move(seen));
  }
  return runs;
}

}  // namespace canary::daemon
