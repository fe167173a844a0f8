// SPDX-License-Identifier: Apache-2.0
// A thread's row in the tables: who it is, and what it is at since when.
// Thread: each for itself.
#pragma once

#include <cstdint>

#include "runtime/tables.h"
#include "runtime/trace.h"

namespace canary::runtime {

// `hook` is called once on each thread that takes a row from now on, before it takes it.
void at_thread_start(void (*hook)());

// Takes a row for the calling thread while it lives; does nothing where there are no tables or all
// rows are taken. Names the thread, too.
class ThreadRow {
 public:
  ThreadRow(ThreadRecord::Kind kind, char const* name);
  ~ThreadRow();
  ThreadRow(ThreadRow const&) = delete;
  ThreadRow& operator=(ThreadRow const&) = delete;

  void begin(StaticName job);
  void end();
  // What still waits for this thread or its siblings; `oldest_ns` 0 where nothing does.
  void queue(std::uint32_t waiting, std::int64_t oldest_ns);

 private:
  ThreadRecord* row_ = nullptr;
};

}  // namespace canary::runtime
