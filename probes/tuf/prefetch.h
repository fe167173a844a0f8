// SPDX-License-Identifier: Apache-2.0
// Fetches the delegated roles that a walk will ask for next while it verifies the one before: with
// thousands of roles the way there and back would otherwise be most of the run.
// Thread: loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "probes/tuf/refresh.h"
#include "runtime/event.h"
#include "runtime/task_group.h"

namespace canary::tuf {

class Prefetch {
 public:
  // At most `ahead` files per delegator are fetched or held, and `most` in all. Both outlive this;
  // the tasks belong to `group`, which is joined before any of the three goes away.
  Prefetch(Refresh& refresh, runtime::TaskGroup& group, std::size_t ahead, std::size_t most)
      : refresh_(refresh), group_(group), ahead_(ahead), left_(most) {}

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
  static constexpr std::uint64_t kLookAhead = 64;
  struct Delegator {
    std::uint64_t walked = 0;     // roles that the walk has asked for
    std::uint64_t next = 0;       // the first role that was not started yet
    std::size_t outstanding = 0;  // started and not taken
  };
  void start_next(std::string const& delegator, runtime::Executor executor, runtime::Trace trace);
  runtime::Task<void> download(std::string role, std::shared_ptr<Download> to,
                               runtime::Trace trace);

  Refresh& refresh_;
  runtime::TaskGroup& group_;
  std::size_t ahead_;
  std::size_t left_;  // downloads that may still be started
  std::map<std::string, Delegator, std::less<>> delegators_;
  std::map<std::string, std::shared_ptr<Download>, std::less<>> downloads_;  // by role
};

}  // namespace canary::tuf
