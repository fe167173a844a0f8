// SPDX-License-Identifier: Apache-2.0
// Decides when the emergency thread answers for the HTTP server, and gives it what to say.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>

#include "daemon/watchdog/judge/grace.h"
#include "daemon/watchdog/judge/judgement.h"
#include "daemon/watchdog/judge/moment.h"
#include "daemon/watchdog/sample/self_channels.h"
#include "daemon/watchdog/sample/server_question.h"
#include "daemon/watchdog/tell/emergency_board.h"
#include "daemon/watchdog/tell/line_writer.h"
#include "daemon/watchdog/tell/status.h"
#include "daemon/watchdog/tell/takeover.h"
#include "runtime/published.h"

namespace canary::watchdog {

class StandIn {
 public:
  // All outlive this. `wake`: the emergency thread's eventfd.
  struct Parts {
    EmergencyBoard& board;
    int wake;
    Takeover& listeners;
    SelfChannels const& channels;
    runtime::Published<PreambleText> const& preamble;
    Record& record;
    LineWriter& lines;
  };
  explicit StandIn(Parts const& parts) : parts_(parts) {}

  bool answering() const { return parts_.board.answering(); }

  struct Look {
    std::int64_t silent_since_ns = 0;  // since when the server has not answered; 0: it does
    bool loop_late = false;
    std::int64_t ask_every_ns = 0;  // a question as old is no news
  };
  // `server` for which of its threads answer.
  void look(Look const& look, ServerQuestion const& server, Limits const& limits,
            ThreadGrace const& grace, Moment const& at);

 private:
  std::uint64_t answers() const;
  bool threads_fail(std::size_t listener, ServerQuestion const& server, std::int64_t ask_every_ns,
                    std::int64_t now_ns) const;
  void share_listeners(bool answering, Look const& look, ServerQuestion const& server,
                       std::int64_t now_ns);
  void say(Line::Kind kind, std::int64_t nanoseconds);
  void write_texts(std::int64_t silent_ns, Moment const& at);

  Parts parts_;
  EmergencyTexts texts_;
  std::uint64_t answers_before_ = 0;  // when it last began to answer
  bool said_ = false;
};

}  // namespace canary::watchdog
