// SPDX-License-Identifier: Apache-2.0
// What somebody on this machine orders the daemon to do with one probe and waits for: to forget
// what it trusts, or to run now. The loop carries it out; whoever waits asks by a number. Thread:
// any, unless a function says otherwise.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "config/harmless.h"

namespace canary::daemon {

struct Order {
  enum class Kind : std::uint8_t { forget, run_now } kind = Kind::run_now;
  std::string probe;
  HarmlessText<512> reason;  // of forget
};

// How the findings of a run are shown.
struct ShownAs {
  bool json = false, colour = false, quiet = false;
};

struct OrderOutcome {
  bool carried_out = false;
  int exit_code = 0;  // of the command, where it is carried out
  std::string text;   // what was done, or why not
  // The findings of a run, instead of `text`; may be called by several at once.
  std::function<std::string(ShownAs)> show = {};
};

class Orders {
 public:
  // An order on its way. Written by the loop, once.
  class Ticket {
   public:
    // REQUIRES: called once, by one thread.
    void end(OrderOutcome outcome);
    OrderOutcome const* outcome() const;  // nullptr: not ended yet

   private:
    OrderOutcome outcome_;
    std::atomic<bool> ended_{false};
  };
  // Hands an order over to the loop; waits for nothing. The ticket is ended there.
  using HandOver = std::function<void(Order, std::shared_ptr<Ticket>)>;
  explicit Orders(HandOver hand_over) : hand_over_(std::move(hand_over)) {}

  static constexpr std::size_t kUnderWay = 16;  // no more are taken at a time
  static constexpr std::size_t kKept = 64;      // of which it can be told what became of them

  static constexpr std::size_t kFromOutside = kUnderWay / 2;  // likewise, of who only scrapes
  // The number by which answer() tells of it; nothing where `most` others have not ended.
  std::optional<std::uint64_t> give(Order order, std::size_t most = kUnderWay);
  // Whether it is carried out; nothing while it has not ended, or is not known any more.
  std::optional<bool> ended(std::uint64_t number) const;
  // JSON: `{"order": 3, "done": true, "carried_out": true, "exit": 0, "text": "..."}`. Nothing
  // where there was no such order, or many others since.
  std::optional<std::string> answer(std::uint64_t number, ShownAs as) const;

 private:
  struct Given {
    std::uint64_t number;
    std::shared_ptr<Ticket> ticket;
  };
  std::shared_ptr<Ticket> find(std::uint64_t number) const;

  HandOver hand_over_;
  mutable std::mutex mutex_;  // never the loop's; held for moments
  std::deque<Given> given_;
  std::uint64_t last_ = 0;
};

}  // namespace canary::daemon
