// SPDX-License-Identifier: Apache-2.0
// What was read of a file once stays in use while a later look does not return: hosts, resolv.conf,
// certificates, secrets, pinned roots.
// Thread: loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/file_threads.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

template <class T>
struct KnownFile {
  std::string identity = {};           // of the file as it was read; empty: it was not
  std::shared_ptr<T> value = {};       // made of it; null: nothing is known
  std::string problem = {};            // why `value` is an older one; empty: it is not
  std::optional<DiskWait> waits = {};  // it is older because the disk does not answer
};

// Looks at the file again: `read` is called on a file thread with what is known, and gives what is
// known then. Where the disk does not answer, the value stays, and `waits` says so.
template <class T, class Read>
Task<KnownFile<T>> look_again(Trace trace, FileThreads& files, FileAsk ask, KnownFile<T> known,
                              Read read) {
  ask.known = known.value != nullptr;
  auto job = [known, read = std::move(read)]() mutable {
    known.waits.reset();
    return read(std::move(known));
  };
  auto seen = co_await files.run(trace, std::move(ask), std::move(job));
  if (seen) co_return std::move(seen).value();
  known.waits = std::move(seen).error();
  co_return known;
}

}  // namespace canary::runtime
