// SPDX-License-Identifier: Apache-2.0
// Fetches the delegated roles that a walk will ask for next while it verifies the one before: with
// thousands of roles the way there and back would otherwise be most of the run. Each time that the
// walk has to wait all the same, one more is fetched side by side, as long as there are spare
// connections.
// Thread: loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "probes/fetch/spare_connections.h"
#include "probes/tuf/refresh.h"
#include "runtime/event.h"
#include "runtime/task_group.h"

namespace canary::tuf {

class Prefetch {
 public:
  // The role that the walk will ask for, by its queue and its place there, from 0 on; nullopt:
  // none.
  using Order =
      std::function<std::optional<std::string>(std::string const& queue, std::uint64_t place)>;
  struct Bounds {
    std::size_t ahead = 0;  // files per queue that are fetched or held without spare connections
    std::size_t most = 0;   // in all
  };
  // The references outlive this; the tasks belong to `group`, which is joined before any of them
  // goes away.
  struct Uses {
    Refresh& refresh;
    runtime::TaskGroup& group;
    fetch::SpareConnections& spare;
  };
  Prefetch(Uses uses, Order order, Bounds bounds)
      : refresh_(uses.refresh),
        group_(uses.group),
        spare_(uses.spare),
        order_(std::move(order)),
        ahead_(bounds.ahead),
        left_(bounds.most) {}
  ~Prefetch() { spare_.give_back(extra_); }
  Prefetch(Prefetch const&) = delete;
  Prefetch& operator=(Prefetch const&) = delete;

  // What the server answered for the next role of a queue, if it was or is being fetched; nullopt:
  // ask yourself.
  runtime::Task<std::optional<FetchResult<FetchedFile>>> take(std::string role, std::string queue,
                                                              runtime::Trace trace);

 private:
  struct Download {
    Download(std::string in, runtime::Executor executor)
        : queue(std::move(in)), changed(std::move(executor)) {}
    std::string queue;
    std::optional<FetchResult<FetchedFile>> answer;
    bool ended = false;  // with or without an answer
    runtime::Event changed;
  };
  // How far it looks at once. Of 2^32 bins hardly any may be listed.
  static constexpr std::uint64_t kLookAhead = 2 * fetch::SpareConnections::kMost;
  // A file that one beyond the first few is may have so many bytes: they are held in memory. The
  // walk asks for a longer one itself.
  static constexpr std::size_t kExtraBytes = std::size_t{1} << 20;
  struct Queue {
    std::uint64_t walked = 0;     // roles that the walk has asked for
    std::uint64_t next = 0;       // the first role that was not started yet
    std::size_t outstanding = 0;  // started and not taken
  };
  void start_next(std::string const& queue, runtime::Executor executor, runtime::Trace trace);
  runtime::Task<void> download(std::string role, std::size_t most, std::shared_ptr<Download> to,
                               runtime::Trace trace);

  Refresh& refresh_;
  runtime::TaskGroup& group_;
  fetch::SpareConnections& spare_;
  Order order_;
  std::size_t ahead_;
  std::size_t extra_ = 0;  // spare connections that were taken
  std::size_t left_;       // downloads that may still be started
  std::map<std::string, Queue, std::less<>> queues_;
  std::map<std::string, std::shared_ptr<Download>, std::less<>> downloads_;  // by role
};

}  // namespace canary::tuf
