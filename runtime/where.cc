// SPDX-License-Identifier: Apache-2.0
#include "runtime/where.h"

#include <array>
#include <cstdio>
#include <optional>

#include "runtime/tables.h"

namespace canary::runtime {
namespace {

using std::memory_order_acquire;
using std::memory_order_relaxed;

struct FrameCopy {
  std::uint8_t kind = FrameRecord::unused, parent = kNoFrame;
  TextOffset name = 0, file = 0;
  std::uint32_t line = 0;
  std::int64_t since_ns = 0;
  std::string detail;
};
using Frames = std::array<std::optional<FrameCopy>, kFramesPerRun>;

RunRecord* find_run(std::string_view name) {
  Tables* const all = tables();
  if (all == nullptr) return nullptr;
  for (RunRecord& run : all->runs()) {
    if (run.state.load(memory_order_acquire) == RunRecord::free) continue;
    auto const found = run.name.bytes();
    std::string_view const stored{found.data()};
    // A longer name was cut when it was stored.
    if (!stored.empty() && name.starts_with(stored)) return &run;
  }
  return nullptr;
}

bool copy_frames(RunRecord& run, Frames& frames) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::uint32_t const before = run.sequence.load(memory_order_acquire);
    if (before % 2 == 1) continue;
    std::uint32_t const used = run.used_frames.load(memory_order_relaxed);
    for (std::size_t i = 0; i < kFramesPerRun; ++i) {
      frames[i].reset();
      if ((used >> i & 1) == 0) continue;
      FrameRecord& row = run.frames[i];
      frames[i] = FrameCopy{.kind = row.kind.load(memory_order_relaxed),
                            .parent = row.parent.load(memory_order_relaxed),
                            .name = row.name.load(memory_order_relaxed),
                            .file = row.file.load(memory_order_relaxed),
                            .line = row.line.load(memory_order_relaxed),
                            .since_ns = row.since_ns.load(memory_order_relaxed),
                            .detail = row.detail.load()};
    }
    std::atomic_thread_fence(memory_order_acquire);
    if (run.sequence.load(memory_order_relaxed) == before) return true;
  }
  return false;
}

int depth_of(Frames const& frames, std::size_t index) {
  int depth = 0;
  for (std::size_t at = index; at < frames.size() && frames[at] && depth < 64; ++depth) {
    at = frames[at]->parent;
  }
  return depth;
}

// Of the row itself, or of the nearest one around it that has one: a wait has no host, no file.
std::string detail_of(Frames const& frames, std::size_t index) {
  for (int i = 0; i < 64 && index < frames.size() && frames[index]; ++i) {
    if (!frames[index]->detail.empty()) return frames[index]->detail;
    index = frames[index]->parent;
  }
  return {};
}

}  // namespace

std::string where_it_stands(std::string_view run) {
  RunRecord* const record = find_run(run);
  Frames frames;
  if (record == nullptr || !copy_frames(*record, frames)) return {};
  std::optional<std::size_t> best;
  int best_depth = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (!frames[i]) continue;
    int const depth = depth_of(frames, i);
    bool const longer = best && frames[i]->since_ns < frames[*best]->since_ns;
    if (depth < best_depth || (depth == best_depth && !longer)) continue;
    best = i;
    best_depth = depth;
  }
  if (!best) return {};
  FrameCopy const& row = *frames[*best];
  std::string text = text_at(row.name);
  if (auto const detail = detail_of(frames, *best); !detail.empty()) text += " (" + detail + ")";
  char age[40];
  std::snprintf(age, sizeof age, " for %.1f s", static_cast<double>(now_ns() - row.since_ns) / 1e9);
  text += age;
  std::string_view const file = text_at(row.file);
  // The place in the source, not in the file system of who compiled it.
  auto const folder = file.find("probes/");
  auto const shown = folder == std::string_view::npos ? file : file.substr(folder);
  if (!file.empty()) text += ", at " + std::string{shown} + ":" + std::to_string(row.line);
  return text;
}

std::uint64_t moves_of(std::string_view run) {
  RunRecord* const record = find_run(run);
  if (record == nullptr) return 0;
  auto moves = record->progress.load(memory_order_relaxed);
  Frames frames;
  if (!copy_frames(*record, frames)) return moves + record->sequence.load(memory_order_relaxed);
  for (auto const& row : frames) {
    if (!row || row->kind != FrameRecord::frame) continue;
    moves = moves * 31 + static_cast<std::uint64_t>(row->since_ns);
  }
  return moves;
}

}  // namespace canary::runtime
