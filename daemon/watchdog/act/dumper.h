// SPDX-License-Identifier: Apache-2.0
// How the watchdog has a dump written, without knowing by whom.
// Thread: of Dumper, all functions are called by the watchdog's thread; they neither allocate nor
// lock.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "daemon/watchdog/judge/verdict.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

struct DumpOrder {
  std::uint64_t number = 0;             // for the file's name
  std::string_view reason;              // "stalled", "hung", "dead", "request"
  std::span<Incident const> incidents;  // the first is what it is about; may be none
  std::int64_t decided_ns = 0;          // monotonic
};

struct Dumper {
  void* self = nullptr;
  // False: the culprit's stack cannot be copied from here, however often; the helper has to look
  // from outside, and the sooner the better.
  bool (*start)(void* self, DumpOrder const& order) = nullptr;
  // One more stack of a thread that computes; called 100 ms apart between start and finish.
  void (*sample)(void* self, std::int32_t thread) = nullptr;
  // Completes the dump, hands it to the helper, gives its path. 0, or the errno of why the path
  // does not lead to a whole dump.
  int (*finish)(void* self, PathText& path) = nullptr;
  // Called now and then while idle: how many dumps, since it was last called, the helper could not
  // make readable or was not there for.
  std::uint64_t (*poll)(void* self) = nullptr;
};

// What the watchdog's dumps leave in memory for the disk. Shared with the thread that writes it
// down, which a disk may hold for longer than the watchdog lives.
struct DumpWriter {
  std::shared_ptr<void> self;
  int ready = -1;  // readable while there is something to write down; -1: there never is
  // Returns once it is, whenever that is. Thread: the memory's (memory_writer.h).
  void (*write)(void* self) = nullptr;
};

}  // namespace canary::watchdog
