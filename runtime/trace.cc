// SPDX-License-Identifier: Apache-2.0
#include "runtime/trace.h"

#include <bit>
#include <limits>

#include "config/harmless.h"
#include "runtime/leaf.h"

namespace canary::runtime {
namespace {

using std::memory_order_relaxed;
using std::memory_order_release;

// Makes the record odd for as long as it is being written.
class Writing {
 public:
  explicit Writing(RunRecord& run) : run_(run), sequence_(run.sequence.load(memory_order_relaxed)) {
    run_.sequence.store(sequence_ + 1, memory_order_relaxed);
    std::atomic_thread_fence(memory_order_release);
  }
  ~Writing() { run_.sequence.store(sequence_ + 2, memory_order_release); }
  Writing(Writing const&) = delete;
  Writing& operator=(Writing const&) = delete;

 private:
  RunRecord& run_;
  std::uint32_t sequence_;
};

// Literals of this program; not looked at twice, for a row is written at every call and wait.
char const* const kImage = image_start();
TextOffset offset_of(char const* text) { return static_cast<TextOffset>(text - kImage); }

// Names and details come from configurations and repositories; dumps show them as they are here.
template <std::size_t kBytes>
void store_harmless(CopiedText<kBytes>& into, std::string_view text) {
  if (is_harmless(text, kBytes)) {
    into.store(text);
  } else {
    into.store(make_harmless(text, kBytes));
  }
}

// Since when a row that is entered now is there: since its handler began, to the step of the
// clock, and that saves asking.
std::int64_t row_since_ns() {
  std::int64_t const since = tables()->loop().handler_since_ns.load(memory_order_relaxed);
  return since != 0 && on_loop_thread ? since : coarse_now_ns();
}

}  // namespace

void Trace::progress(std::uint64_t amount) const {
  if (run_ == nullptr) return;
  run_->progress.store(run_->progress.load(memory_order_relaxed) + amount, memory_order_relaxed);
  run_->progress_ns.store(coarse_now_ns(), memory_order_relaxed);
}

bool Trace::cancelling() const {
  return run_ != nullptr && run_->state.load(memory_order_relaxed) == RunRecord::cancelling;
}

std::string Trace::run_name() const { return run_ == nullptr ? "" : run_->name.load(); }

RunTrace::RunTrace(std::string_view name, Deadline deadline, RunRecord::Kind kind) {
  Tables* const all = tables();
  if (all == nullptr) return;
  auto const runs = all->runs();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].state.load(memory_order_relaxed) != RunRecord::free) continue;
    run_ = &runs[i];
    index_ = static_cast<std::uint16_t>(i);
    break;
  }
  if (run_ == nullptr) return;
  Writing const writing{*run_};
  std::int64_t const now = coarse_now_ns();
  run_->generation.store(run_->generation.load(memory_order_relaxed) + 1, memory_order_relaxed);
  run_->kind.store(kind, memory_order_relaxed);
  store_harmless(run_->name, name);
  run_->used_frames.store(0, memory_order_relaxed);
  run_->frames_lost.store(0, memory_order_relaxed);
  run_->started_ns.store(now, memory_order_relaxed);
  run_->deadline_ns.store(deadline == Deadline::never()
                              ? std::numeric_limits<std::int64_t>::max()
                              : deadline.point().time_since_epoch().count(),
                          memory_order_relaxed);
  run_->progress.store(0, memory_order_relaxed);
  run_->progress_ns.store(now, memory_order_relaxed);
  run_->state.store(RunRecord::running, memory_order_relaxed);
}

RunTrace::~RunTrace() {
  if (run_ == nullptr) return;
  Writing const writing{*run_};
  run_->state.store(RunRecord::free, memory_order_relaxed);
  run_->used_frames.store(0, memory_order_relaxed);
}

void RunTrace::cancelling() {
  if (run_ == nullptr) return;
  run_->cancelling_ns.store(coarse_now_ns(), memory_order_relaxed);
  run_->state.store(RunRecord::cancelling, memory_order_relaxed);
}

bool RunTrace::asked_to_cancel() const {
  return run_ != nullptr && run_->ask_cancel.load(std::memory_order_acquire) ==
                                run_->generation.load(memory_order_relaxed);
}

Row::Row(Trace parent, FrameRecord::Kind kind, StaticName name, std::string_view detail,
         std::source_location const& where)
    : trace_(parent), parent_(parent.frame_) {
  RunRecord* const run = parent.run_;
  if (run == nullptr) return;
  std::uint32_t const used = run->used_frames.load(memory_order_relaxed);
  if (used == std::numeric_limits<std::uint32_t>::max()) {
    run->frames_lost.fetch_add(1, memory_order_relaxed);
    return;  // children hang under the nearest row that is shown
  }
  auto const free = static_cast<std::uint8_t>(std::countr_one(used));
  std::int64_t const since = row_since_ns();
  {
    Writing const writing{*run};
    FrameRecord& row = run->frames[free];
    row.kind.store(kind, memory_order_relaxed);
    row.parent.store(parent.frame_, memory_order_relaxed);
    row.name.store(offset_of(name.text()), memory_order_relaxed);
    row.file.store(offset_of(where.file_name()), memory_order_relaxed);
    row.line.store(where.line(), memory_order_relaxed);
    row.since_ns.store(since, memory_order_relaxed);
    if (detail.empty()) {
      row.detail.words[0].store(0, memory_order_relaxed);  // it ends at the first NUL
    } else {
      store_harmless(row.detail, detail);
    }
    run->used_frames.store(used | (std::uint32_t{1} << free), memory_order_relaxed);
  }
  trace_.frame_ = free;
  current_leaf = {trace_.index_, free};
}

Row::~Row() {
  RunRecord* const run = trace_.run_;
  if (run == nullptr || trace_.frame_ == parent_) return;
  {
    Writing const writing{*run};
    run->used_frames.store(
        run->used_frames.load(memory_order_relaxed) & ~(std::uint32_t{1} << trace_.frame_),
        memory_order_relaxed);
  }
  current_leaf = {trace_.index_, parent_};
}

}  // namespace canary::runtime
