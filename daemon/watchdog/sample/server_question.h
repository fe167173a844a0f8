// SPDX-License-Identifier: Apache-2.0
// Do the HTTP server's threads still answer? Each is asked over a channel of its own, a step per
// tick and without waiting.
// Thread: the watchdog's. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/watchdog/sample/self_channels.h"

namespace canary::watchdog {

// A header of the question, by which others can tell it.
inline constexpr std::string_view kWatchdogAgent = "User-Agent: canaryd-watchdog\r\n";

class ServerQuestion {
 public:
  explicit ServerQuestion(SelfChannels& channels) : channels_(channels) {}
  void close();

  struct Step {
    std::uint32_t asked = 0, answered = 0;  // how many threads
  };
  // Goes on with the questions that are open, and asks who was not asked for `want_ns`.
  Step step(std::int64_t now_ns, std::int64_t want_ns);

  // Since when the longest of the open questions has not been answered; 0: none is open. A channel
  // that breaks ends its question: it says nothing about the server. One that breaks, or is
  // answered by an error, as often as it is asked is that of a server that cannot answer: not
  // answered since the first time. So is one that the server has no memory to take.
  std::int64_t asked_ns() const;
  // What is known of the thread of that place, given for how long an open question is no news.
  enum class Thread : std::uint8_t { answers, silent, broken };
  Thread thread(std::size_t place, std::int64_t now_ns, std::int64_t patience_ns) const;
  // Since when some thread cannot be asked; 0: all can.
  std::int64_t mute_ns() const;
  std::int64_t answered_after_ns() const { return answered_after_ns_; }
  void forget(std::int64_t now_ns);  // nobody is at fault so far: what is open counts from now

 private:
  struct Question {
    std::int64_t asked_ns = 0, last_ns = 0;
    std::int64_t mute_ns = 0;
    std::int64_t broken_ns = 0;  // the first of `broken` questions in a row without a good answer
    std::uint32_t broken = 0;
  };
  enum class Reply : std::uint8_t { none, good, error };
  bool ask(std::size_t place);
  Reply receive(std::size_t place);
  void look(std::size_t place, std::int64_t now_ns, Step& step);

  SelfChannels& channels_;
  std::array<Question, SelfChannels::kMost> questions_{};
  std::int64_t answered_after_ns_ = 0;
};

}  // namespace canary::watchdog
