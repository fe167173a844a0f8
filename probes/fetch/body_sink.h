// SPDX-License-Identifier: Apache-2.0
// Where a body goes while it arrives. The client receives straight into the sink's memory.
// Thread: loop; consumers run on workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::fetch {

class BodySink {
 public:
  virtual ~BodySink() = default;
  // Memory for the next bytes, not empty, the sink's own and valid until commit() or restart().
  // May wait for earlier bytes to be dealt with. An empty span says: no more is wanted (rejected).
  virtual runtime::Task<std::span<char>> room(runtime::Trace trace) = 0;
  // The first `size` bytes of room() were filled. False: no more is wanted (rejected).
  virtual bool commit(std::size_t size) = 0;
  // What has come so far is void; the body begins again from its first byte.
  virtual runtime::Task<void> restart(runtime::Trace trace) = 0;
  // The body is complete; waits until it has been dealt with. False: rejected.
  virtual runtime::Task<bool> finish(runtime::Trace trace) = 0;
};

// Keeps the body: for metadata. In blocks that a worker joins at the end, so that a long body has
// no longer steps on the loop than a short one.
class MemorySink final : public BodySink {
 public:
  // `cpu` outlives the sink.
  explicit MemorySink(runtime::Workers& cpu, std::size_t size_hint = 0)
      : cpu_(cpu), hint_(size_hint) {}
  ~MemorySink() override;
  MemorySink(MemorySink const&) = delete;
  MemorySink& operator=(MemorySink const&) = delete;
  runtime::Task<std::span<char>> room(runtime::Trace trace) override;
  bool commit(std::size_t size) override;
  runtime::Task<void> restart(runtime::Trace trace) override;
  runtime::Task<bool> finish(runtime::Trace trace) override;
  // REQUIRES: finish() returned.
  std::string take() { return std::move(body_); }

 private:
  void clear();

  runtime::Workers& cpu_;
  std::size_t hint_;
  std::vector<std::string> blocks_;  // all full but the last
  std::size_t filled_ = 0;           // of the last
  std::string body_;
};

// What deals with a body's pieces on a worker thread: a hash, a file being written. Called by one
// thread at a time, in order.
class BodyConsumer {
 public:
  virtual ~BodyConsumer() = default;
  // False: no more is wanted; the consumer knows why.
  virtual bool take(std::string_view piece) = 0;
  // Forget what was taken; the body begins again.
  virtual void restart() = 0;
};

// Hands the body in pieces to its consumers, each on its workers, while the next pieces are
// received: kBuffers buffers of kBufferBytes, whatever the body's size. More than two, so that
// neither side sleeps while the other is about to be done: waking a thread takes as long as hashing
// a buffer. Consumers are owned jointly with the jobs: when the transfer is cancelled a job may
// still be running. What a consumer throws, room() or finish() throws.
class PipelinedSink final : public BodySink {
 public:
  struct Stage {
    runtime::Workers& workers;  // outlives the sink
    std::shared_ptr<BodyConsumer> consumer;
  };
  static constexpr std::size_t kBufferBytes = 128 * 1024;
  static constexpr std::size_t kBuffers = 4;

  PipelinedSink(runtime::Executor executor, std::vector<Stage> stages);
  ~PipelinedSink() override;
  PipelinedSink(PipelinedSink const&) = delete;
  PipelinedSink& operator=(PipelinedSink const&) = delete;
  runtime::Task<std::span<char>> room(runtime::Trace trace) override;
  bool commit(std::size_t size) override;
  runtime::Task<void> restart(runtime::Trace trace) override;
  runtime::Task<bool> finish(runtime::Trace trace) override;

 private:
  struct Piece;
  struct Line;
  struct Shared;
  runtime::Task<void> until_free(std::size_t pieces, runtime::Trace trace);
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Piece> filling_;
};

}  // namespace canary::fetch
