// SPDX-License-Identifier: Apache-2.0
// A thread's row in the tables: who it is, and what it is at since when.
// Thread: each for itself.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/tables.h"
#include "runtime/trace.h"

namespace canary::runtime {

// `hook` is called once on each thread that takes a row from now on, before it takes it.
void at_thread_start(void (*hook)());

// Takes a row for the calling thread; does nothing where there are no tables or all rows are taken.
// Names the thread, too, unless it is the main one, which has the program's name. The row is given
// back after leave() alone: a thread that ends otherwise died at work, and is missed by its row.
class ThreadRow {
 public:
  ThreadRow(ThreadRecord::Kind kind, char const* name);
  ~ThreadRow();
  ThreadRow(ThreadRow const&) = delete;
  ThreadRow& operator=(ThreadRow const&) = delete;

  void leave() { left_ = true; }
  // Are there tables that it has no row in? Then another ThreadRow is to take one.
  bool outdated() const { return tables() != all_; }

  // It came round. Who has said so once is expected to say so every second, but while in a job.
  void beat();
  // It will not for a while: nobody is to wait for it until it says so again.
  void rest();
  // `about`: the file that it has to do with.
  void begin(StaticName job, std::string_view about = {});
  void end();
  // What still waits for this thread or its siblings; `oldest_ns` 0 where nothing does.
  void queue(std::uint32_t waiting, std::int64_t oldest_ns);

 private:
  Tables* all_ = tables();
  ThreadRecord* row_ = nullptr;
  bool left_ = false;
};

}  // namespace canary::runtime
