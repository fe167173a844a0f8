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
  struct Bounds {
    std::size_t ahead =
        0;                 // files per delegator that are fetched or held without spare connections
    std::size_t most = 0;  // in all
  };
  // All three outlive this; the tasks belong to `group`, which is joined before any of them goes
  // away.
  Prefetch(Refresh& refresh, runtime::TaskGroup& group, fetch::SpareConnections& spare,
           Bounds bounds)
      : refresh_(refresh), group_(group), spare_(spare), ahead_(bounds.ahead), left_(bounds.most) {}
  ~Prefetch() { spare_.give_back(extra_); }
  Prefetch(Prefetch const&) = delete;
  Prefetch& operator=(Prefetch const&) = delete;

  // What the server answered for the role, if it was or is being fetched; nullopt: ask yourself.
  runtime::Task<std::optional<FetchResult<FetchedFile>>> take(NeedRole need, runtime::Trace trace);

 private:
  struct Download {
    Download(std::string by, runtime::Executor executor)
        : delegator(std::move(by)), changed(std::move(executor)) {}
    std::string delegator;  // in whose window it is
    std::optional<FetchResult<FetchedFile>> answer;
    bool ended = false;  // with or without an answer
    runtime::Event changed;
  };
  // How far it looks at once. Of 2^32 bins hardly any may be listed.
  static constexpr std::uint64_t kLookAhead = 2 * fetch::SpareConnections::kMost;
  // A file that one beyond the first few is may have so many bytes: they are held in memory. The
  // walk asks for a longer one itself.
  static constexpr std::size_t kExtraBytes = std::size_t{1} << 20;
  struct Delegator {
    std::uint64_t walked = 0;     // roles that the walk has asked for
    std::uint64_t next = 0;       // the first role that was not started yet
    std::size_t outstanding = 0;  // started and not taken
  };
  void start_next(std::string const& delegator, runtime::Executor executor, runtime::Trace trace);
  runtime::Task<void> download(std::string role, std::size_t most, std::shared_ptr<Download> to,
                               runtime::Trace trace);

  Refresh& refresh_;
  runtime::TaskGroup& group_;
  fetch::SpareConnections& spare_;
  std::size_t ahead_;
  std::size_t extra_ = 0;  // spare connections that were taken
  std::size_t left_;       // downloads that may still be started
  std::map<std::string, Delegator, std::less<>> delegators_;
  std::map<std::string, std::shared_ptr<Download>, std::less<>> downloads_;  // by role
};

}  // namespace canary::tuf
