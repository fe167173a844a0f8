// SPDX-License-Identifier: Apache-2.0
#include "probes/http/body_sink.h"

#include <algorithm>
#include <utility>

namespace canary::http {

using runtime::Task;
using runtime::Trace;

namespace {
constexpr std::size_t kFirstRoom = 16 * 1024;
}

Task<std::span<char>> MemorySink::room(Trace) {
  if (filled_ == body_.size()) {
    body_.resize(std::max({kFirstRoom, filled_ == 0 ? hint_ : 0, filled_ * 2}));
  }
  co_return std::span<char>{body_}.subspan(filled_);
}

bool MemorySink::commit(std::size_t size) {
  filled_ += size;
  return true;
}

Task<void> MemorySink::restart(Trace) {
  filled_ = 0;
  co_return;
}

Task<bool> MemorySink::finish(Trace) {
  body_.resize(filled_);
  co_return true;
}

struct PipelinedSink::Piece {
  std::unique_ptr<char[]> memory = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  std::size_t filled = 0;
};

PipelinedSink::PipelinedSink(runtime::Executor executor, std::vector<Stage> stages)
    : executor_(std::move(executor)), stages_(std::move(stages)) {}

PipelinedSink::~PipelinedSink() = default;

Task<std::span<char>> PipelinedSink::room(Trace trace) {
  if (!filling_) filling_ = std::make_shared<Piece>();
  if (filling_->filled == kBufferBytes) {
    co_await wait_for_jobs(trace);
    start_jobs();
  }
  if (rejected_) co_return std::span<char>{};
  co_return std::span<char>{filling_->memory.get() + filling_->filled,
                            kBufferBytes - filling_->filled};
}

bool PipelinedSink::commit(std::size_t size) {
  filling_->filled += size;
  return !rejected_;
}

Task<void> PipelinedSink::restart(Trace trace) {
  co_await wait_for_jobs(trace);
  rejected_ = false;
  if (filling_) filling_->filled = 0;
  for (auto const& stage : stages_) {
    auto job = [consumer = stage.consumer] {
      consumer->restart();
      return true;
    };
    co_await stage.workers.run(trace, "http.sink", std::move(job));
  }
}

Task<bool> PipelinedSink::finish(Trace trace) {
  co_await wait_for_jobs(trace);
  if (filling_ && filling_->filled > 0) {
    start_jobs();
    co_await wait_for_jobs(trace);
  }
  co_return !rejected_;
}

// One thread at a time looks at a consumer, so no piece starts before the one before it is done.
Task<void> PipelinedSink::wait_for_jobs(Trace trace) {
  for (auto& job : jobs_) {
    bool const wants_more = co_await job.result(trace, "http.sink");
    if (!wants_more) rejected_ = true;
  }
  jobs_.clear();
}

// Gives the full piece to every stage and makes the free one the next to be filled.
void PipelinedSink::start_jobs() {
  if (rejected_) return;
  if (!working_) working_ = std::make_shared<Piece>();
  std::swap(filling_, working_);
  filling_->filled = 0;
  for (auto const& stage : stages_) {
    jobs_.push_back(stage.workers.start(executor_, [consumer = stage.consumer, piece = working_] {
      return consumer->take({piece->memory.get(), piece->filled});
    }));
  }
}

}  // namespace canary::http
