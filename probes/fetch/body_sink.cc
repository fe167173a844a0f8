// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/body_sink.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <utility>

#include "runtime/contract.h"
#include "runtime/event.h"

namespace canary::fetch {

using runtime::Task;
using runtime::Trace;

namespace {
constexpr std::size_t kFirstRoom = 16 * 1024;
constexpr std::size_t kBlock = 1024 * 1024;

// Gives each block back as soon as it was copied.
std::string join(std::vector<std::string> blocks) {
  std::size_t size = 0;
  for (std::string const& block : blocks) size += block.size();
  std::string whole;
  whole.reserve(size);
  for (std::string& block : blocks) {
    whole += block;
    block = {};
  }
  return whole;
}
}  // namespace

MemorySink::~MemorySink() { clear(); }

void MemorySink::clear() {
  if (blocks_.size() > 1) cpu_.retire(std::move(blocks_));
  blocks_.clear();
  filled_ = 0;
}

Task<std::span<char>> MemorySink::room(Trace) {
  runtime::require_loop_thread();
  if (blocks_.empty()) {
    blocks_.emplace_back(std::clamp(hint_, kFirstRoom, kBlock), '\0');
  } else if (filled_ == blocks_.back().size() && filled_ < kBlock) {
    blocks_.back().resize(std::min(filled_ * 2, kBlock));
  } else if (filled_ == blocks_.back().size()) {
    blocks_.emplace_back(kBlock, '\0');
    filled_ = 0;
  }
  co_return std::span<char>{blocks_.back()}.subspan(filled_);
}

bool MemorySink::commit(std::size_t size) {
  filled_ += size;
  return true;
}

Task<void> MemorySink::restart(Trace) {
  runtime::require_loop_thread();
  clear();
  co_return;
}

Task<bool> MemorySink::finish(Trace trace) {
  runtime::require_loop_thread();
  if (!blocks_.empty()) blocks_.back().resize(filled_);
  if (blocks_.size() > 1) {
    auto job = [blocks = std::move(blocks_)]() mutable { return join(std::move(blocks)); };
    blocks_.clear();
    body_ = co_await cpu_.run(trace, "http.join", std::move(job));
  } else if (!blocks_.empty()) {
    body_ = std::move(blocks_.back());
  }
  clear();
  co_return true;
}

struct PipelinedSink::Piece {
  // From the beginning of a page: elsewhere the kernel's copy takes up to three times as long.
  struct Free {
    void operator()(char* memory) const { ::operator delete(memory, kAlignment); }
  };
  static constexpr std::align_val_t kAlignment{4096};
  std::unique_ptr<char[], Free> memory{
      static_cast<char*>(::operator new(kBufferBytes, kAlignment))};
  std::size_t filled = 0;
  std::atomic<std::size_t> uses{0};  // stages that still have to look at it
};

// What waits for one consumer. One job at a time empties it, so pieces stay in order.
struct PipelinedSink::Line {
  explicit Line(Stage given) : stage(std::move(given)) {}
  Stage stage;
  std::mutex mutex;
  std::deque<std::shared_ptr<Piece>> queue;  // under mutex
  bool running = false;                      // under mutex
  runtime::Workers::Job<bool> job;           // loop; the one that empties it
};

// What the sink and its jobs own together.
struct PipelinedSink::Shared : std::enable_shared_from_this<Shared> {
  // A job ends after so many pieces: others want the worker too, and a job that lasts looks stuck.
  static constexpr int kPiecesPerJob = 16;

  Shared(runtime::Executor on, std::vector<Stage> stages) : executor(on), changed(on) {
    for (auto& stage : stages) lines.push_back(std::make_unique<Line>(std::move(stage)));
  }

  // Thread: loop.
  void submit(std::shared_ptr<Piece> const& piece) {
    ++in_flight;
    if (lines.empty()) return done(piece);
    piece->uses = lines.size();
    for (auto const& line : lines) {
      {
        std::lock_guard const lock{line->mutex};
        line->queue.push_back(piece);
      }
      kick(*line);
    }
  }

  // Thread: loop. Starts a job where there is work and none runs.
  void kick(Line& line) {
    {
      std::lock_guard const lock{line.mutex};
      if (line.running || line.queue.empty()) return;
      line.running = true;
    }
    line.job = line.stage.workers.start(executor, [self = shared_from_this(), &line] {
      self->work(line);
      return true;
    });
  }

  // Thread: a worker.
  void work(Line& line) {
    for (int i = 0; i < kPiecesPerJob; ++i) {
      std::shared_ptr<Piece> piece;
      {
        std::lock_guard const lock{line.mutex};
        if (line.queue.empty()) {
          line.running = false;
          return;
        }
        piece = std::move(line.queue.front());
        line.queue.pop_front();
      }
      take(line, *piece);
      if (--piece->uses > 0) continue;
      runtime::post_to(executor, [self = shared_from_this(), piece] { self->done(piece); });
    }
    std::lock_guard const lock{line.mutex};
    line.running = false;
    runtime::post_to(executor, [self = shared_from_this(), &line] { self->kick(line); });
  }

  void take(Line& line, Piece const& piece) {
    if (rejected || abandoned) return;
    try {
      if (!line.stage.consumer->take({piece.memory.get(), piece.filled})) rejected = true;
    } catch (...) {
      rejected = true;
      std::lock_guard const lock{thrown_mutex};
      thrown = std::current_exception();
    }
  }

  // Thread: loop.
  void done(std::shared_ptr<Piece> const& piece) {
    --in_flight;
    piece->filled = 0;
    free.push_back(piece);
    changed.notify();
  }

  runtime::Executor executor;
  std::vector<std::unique_ptr<Line>> lines;
  std::atomic<bool> rejected{false}, abandoned{false};
  std::mutex thrown_mutex;    // of several lines' workers
  std::exception_ptr thrown;  // written before the last piece is done, read after it
  // Thread: loop, all that follows.
  runtime::Event changed;
  std::vector<std::shared_ptr<Piece>> free;
  std::size_t in_flight = 0;
};

PipelinedSink::PipelinedSink(runtime::Executor executor, std::vector<Stage> stages)
    : shared_(std::make_shared<Shared>(std::move(executor), std::move(stages))) {}

PipelinedSink::~PipelinedSink() {
  shared_->abandoned = true;
  for (auto const& line : shared_->lines) line->job = {};
}

// Waits until so many pieces could be handed out.
Task<void> PipelinedSink::until_free(std::size_t pieces, Trace trace) {
  auto const shared = shared_;
  while (shared->in_flight > kBuffers - pieces) {
    bool const notified =
        co_await shared->changed.wait_until(trace, "http.sink", runtime::Deadline::never());
    if (!notified) runtime::throw_operation_aborted();
  }
}

Task<std::span<char>> PipelinedSink::room(Trace trace) {
  runtime::require_loop_thread();
  if (!filling_) {
    co_await until_free(1, trace);
    if (shared_->free.empty()) {
      filling_ = std::make_shared<Piece>();
    } else {
      filling_ = std::move(shared_->free.back());
      shared_->free.pop_back();
    }
  }
  // The reason, where there is one, comes with finish() or is the consumer's to tell.
  if (shared_->rejected) co_return std::span<char>{};
  co_return std::span<char>{filling_->memory.get() + filling_->filled,
                            kBufferBytes - filling_->filled};
}

bool PipelinedSink::commit(std::size_t size) {
  runtime::require_loop_thread();
  filling_->filled += size;
  if (filling_->filled == kBufferBytes) shared_->submit(std::exchange(filling_, nullptr));
  return !shared_->rejected;
}

Task<void> PipelinedSink::restart(Trace trace) {
  runtime::require_loop_thread();
  co_await until_free(kBuffers, trace);
  shared_->rejected = false;
  if (filling_) filling_->filled = 0;
  for (auto const& line : shared_->lines) {
    auto job = [consumer = line->stage.consumer] {
      consumer->restart();
      return true;
    };
    co_await line->stage.workers.run(trace, "http.sink", std::move(job));
  }
}

Task<bool> PipelinedSink::finish(Trace trace) {
  runtime::require_loop_thread();
  if (filling_ && filling_->filled > 0) shared_->submit(std::exchange(filling_, nullptr));
  co_await until_free(kBuffers, trace);
  if (shared_->thrown) std::rethrow_exception(shared_->thrown);
  co_return !shared_->rejected;
}

}  // namespace canary::fetch
