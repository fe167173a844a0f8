// SPDX-License-Identifier: Apache-2.0
#include "runtime/thread_row.h"

#include <pthread.h>
#include <unistd.h>

namespace canary::runtime {

using std::memory_order_relaxed;
using std::memory_order_release;

namespace {
constinit std::atomic<void (*)()> start_hook{nullptr};
}

void at_thread_start(void (*hook)()) { start_hook.store(hook, memory_order_release); }

ThreadRow::ThreadRow(ThreadRecord::Kind kind, char const* name) {
  if (::gettid() != ::getpid()) ::pthread_setname_np(::pthread_self(), name);
  if (auto* const hook = start_hook.load(std::memory_order_acquire)) hook();
  if (all_ == nullptr) return;
  for (auto& row : all_->threads()) {
    std::uint8_t expected = ThreadRecord::unused;
    if (!row.kind.compare_exchange_strong(expected, kind)) continue;
    row_ = &row;
    break;
  }
  if (row_ == nullptr) return;
  row_->name.store(name);
  row_->job.store(0, memory_order_relaxed);
  row_->about.store({});
  row_->job_since_ns.store(0, memory_order_relaxed);
  row_->jobs.store(0, memory_order_relaxed);
  row_->beat_ns.store(0, memory_order_relaxed);
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) == 0) {
    void* low = nullptr;
    std::size_t size = 0;
    ::pthread_attr_getstack(&attributes, &low, &size);
    ::pthread_attr_destroy(&attributes);
    row_->stack_low.store(reinterpret_cast<std::uintptr_t>(low), memory_order_relaxed);
    row_->stack_high.store(reinterpret_cast<std::uintptr_t>(low) + size, memory_order_relaxed);
  }
  row_->thread.store(::gettid(), memory_order_release);
}

ThreadRow::~ThreadRow() {
  if (row_ == nullptr || !left_) return;
  row_->thread.store(0, memory_order_relaxed);
  row_->kind.store(ThreadRecord::unused, memory_order_release);
}

void ThreadRow::beat() {
  if (row_ != nullptr) row_->beat_ns.store(coarse_now_ns(), memory_order_release);
}

void ThreadRow::rest() {
  if (row_ != nullptr) row_->beat_ns.store(0, memory_order_release);
}

void ThreadRow::begin(StaticName job, std::string_view about) {
  if (row_ == nullptr) return;
  row_->about.store(about);
  row_->job.store(text_offset(job.text()), memory_order_relaxed);
  row_->job_since_ns.store(coarse_now_ns(), memory_order_release);
}

void ThreadRow::end() {
  if (row_ == nullptr) return;
  // Before it is idle: it came round.
  if (row_->beat_ns.load(memory_order_relaxed) != 0) beat();
  row_->job_since_ns.store(0, memory_order_relaxed);
  row_->jobs.store(row_->jobs.load(memory_order_relaxed) + 1, memory_order_release);
}

void ThreadRow::queue(std::uint32_t waiting, std::int64_t oldest_ns) {
  if (row_ == nullptr) return;
  row_->queued.store(waiting, memory_order_relaxed);
  row_->oldest_queued_ns.store(oldest_ns, memory_order_relaxed);
}

}  // namespace canary::runtime
