// SPDX-License-Identifier: Apache-2.0
// What the kernel tells of threads, read again and again through descriptors that were opened once:
// neither a lack of descriptors nor of memory blinds the reader.
// Thread: the watchdog's. Allocates nothing, takes no lock.
// Source: proc(5): stat, schedstat, syscall, status, wchan of a task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/watchdog/judge/judgement.h"

namespace canary::watchdog {

// Reads a small file from its start; empty when that fails. What does not fit is cut.
std::string_view read_at_start(int descriptor, char* into, std::size_t size);

// The number that begins `text` (spaces aside, "-" allowed); moves `text` behind it. 0 for none.
std::int64_t take_number(std::string_view& text);
// What follows `label` in `text`, to the end; empty where it does not occur.
std::string_view after(std::string_view text, std::string_view label);

// Pure, for tests: what the files say.
void read_stat(std::string_view text, ThreadSample& sample);
void read_schedstat(std::string_view text, ThreadSample& sample);
// The CPU clock of a thread of this process: there without /proc, too. -1 where there is none.
std::int64_t cpu_clock_ns(std::int32_t thread);
std::int64_t read_system_call(std::string_view text);
bool read_traced(std::string_view text);

// The open files of one thread of this process.
class ThreadFiles {
 public:
  // False where /proc has nothing of it; its CPU clock may be read all the same.
  bool open(std::int32_t thread);
  void close();
  std::int32_t thread() const { return thread_; }

  enum class Depth { brief, full };  // brief: without system call and tracer
  ThreadSample sample(Depth depth, std::int64_t now_ns) const;

 private:
  std::int32_t thread_ = 0;
  int stat_ = -1, schedstat_ = -1, syscall_ = -1, status_ = -1;
};

}  // namespace canary::watchdog
