// SPDX-License-Identifier: Apache-2.0
// Threads whose stack and memory are there before they start, and never grow.
// Thread: control; enter_own_thread() the new thread.
#pragma once

#include <pthread.h>

#include <cstddef>

namespace canary::watchdog {

// Pages of its own, populated, and not paged out where that is allowed.
class Pages {
 public:
  // Throws std::system_error where there is no memory.
  explicit Pages(std::size_t bytes);
  ~Pages();
  Pages(Pages const&) = delete;
  Pages& operator=(Pages const&) = delete;
  void* get() const { return memory_; }
  std::size_t size() const { return bytes_; }

 private:
  void* memory_ = nullptr;
  std::size_t bytes_;
};

// Runs `body(self)` on that stack, with all signals blocked. Throws std::system_error where there
// is no thread.
pthread_t start_thread(Pages const& stack, void* (*body)(void* self), void* self);

// First of all in the body: the thread's name, at most 15 bytes, and its place ahead of others,
// where that is allowed. Allocates nothing.
void enter_own_thread(char const* name);

}  // namespace canary::watchdog
