// SPDX-License-Identifier: Apache-2.0
// The dumps that clients ask for: one is made at a time, on a thread of its own, for all who ask
// while it is made. Who waits for it holds no thread of the server; there is a most of those.
// Thread: any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "runtime/deadline.h"

namespace canary::daemon {

class DumpAnswers {
 public:
  static constexpr std::size_t kMostWaiting = 8;
  static constexpr std::chrono::seconds kPatience{9};  // for a dump; `canaryd dump` waits for 10 s

  // Makes a dump: seconds at the most, unless a disk stands still. Ends early once it is told to.
  using Make = std::function<std::string(std::stop_token)>;
  using Text = std::shared_ptr<std::string const>;
  // Called once, and must not throw nor wait: the dump, or nullptr where none came within kPatience
  // or canaryd stops.
  using Ready = std::function<void(Text)>;

  // What `make` uses lives until wait_for_end() is true; where it is false, until the process ends.
  explicit DumpAnswers(Make make);
  // As close().
  ~DumpAnswers();
  DumpAnswers(DumpAnswers const&) = delete;
  DumpAnswers& operator=(DumpAnswers const&) = delete;

  enum class Taken : std::uint8_t {
    waits,
    too_many,      // kMostWaiting others wait
    stands_still,  // the dump that was begun before does not come to its end
    refused,       // canaryd stops, or has no thread or no memory for it
  };
  // `accepted` is called before anybody can call `ready`, and only where it waits.
  Taken ask(std::function<void()> const& accepted, Ready ready, runtime::Clock::time_point now);
  // Lets those go who have waited for kPatience. Every second or so.
  void look(runtime::Clock::time_point now);
  // Everybody goes, nobody is taken any more, and what is being made ends. Idempotent.
  void close();
  // False where the dump that was begun last goes on still.
  bool wait_for_end(runtime::Deadline deadline);

 private:
  struct State;
  std::shared_ptr<State> const state_;  // shared with the thread, which may outlive this
};

}  // namespace canary::daemon
