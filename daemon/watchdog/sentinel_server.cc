// SPDX-License-Identifier: Apache-2.0
// The HTTP server: asked by the watchdog, judged, and stood in for while it does not answer.
#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sentinel.h"
#include "daemon/watchdog/tell/counters.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kAskEvery = 2'000'000'000;
constexpr std::int64_t kAskUrgently = 500'000'000;  // what holds the loop may hold the server, too
constexpr std::int64_t kMute = 10'000'000'000;
constexpr std::int64_t kSoon = 100'000'000;  // an answer takes less

}  // namespace

void Sentinel::judge_the_server() {
  if (phases_.stopping()) {
    server_.close();
    stand_in_.look({.ask_every_ns = kAskEvery}, server_, settings_.limits, graces_.all(), at_);
    return;
  }
  bool const urgent = loop_late_ || stand_in_.answering();
  auto const step = server_.step(at_.now_ns, urgent ? kAskUrgently : kAskEvery);
  add_to(record_.server_questions, step.asked);
  add_to(record_.server_answers, step.answered);
  if (step.answered > 0) {
    record_.server_answer_ns.store(server_.answered_after_ns(), std::memory_order_relaxed);
  }
  note_mute();
  // A thread that is stuck in an answer may leave another one that takes the question.
  std::int64_t silent_since = server_.asked_ns();
  std::int64_t const answering = inputs_.answering.oldest();
  if (answering != 0 && (silent_since == 0 || answering < silent_since)) silent_since = answering;
  std::int64_t const from = server_looked_ns_ == 0 ? at_.previous_ns : server_looked_ns_;
  graces_.add_server(withheld_from_server(silent_since, from), from, at_.now_ns);
  server_looked_ns_ = at_.now_ns;
  Incident judged = judge_server(silent_since, settings_.limits, graces_.server(), at_.now_ns);
  copy_text(judged.name, "server");
  report(judged);
  stand_in_.look(
      {.silent_since_ns = silent_since, .loop_late = loop_late_, .ask_every_ns = kAskEvery},
      server_, settings_.limits, graces_.all(), at_);
  if (stand_in_.answering()) standing_.stands(Subject::server, Verdict::no_answer);
}

// What cannot be asked is said once, and nobody is accused.
void Sentinel::note_mute() {
  bool const mute = server_.mute_ns() != 0 && at_.now_ns - server_.mute_ns() >= kMute;
  if (mute == mute_said_) return;
  mute_said_ = mute;
  Incident about;
  about.subject = Subject::server;
  lines_.say(mute ? Line::Kind::mute : Line::Kind::mute_over, about);
}

// Its threads may get no CPU while others have some: a handler that computes without end takes all
// that a quota leaves. Or a debugger holds one. From look to look, which may be several ticks.
std::int64_t Sentinel::withheld_from_server(std::int64_t silent_since_ns, std::int64_t from_ns) {
  runtime::Tables* const tables = runtime::tables();
  bool const silent = silent_since_ns != 0 && at_.now_ns - silent_since_ns >= kSoon;
  if (tables == nullptr || !silent) return 0;
  return threads_.withheld_from(
      *tables, [](std::uint8_t kind) { return kind == runtime::ThreadRecord::server; }, from_ns,
      at_.now_ns);
}

}  // namespace canary::watchdog
