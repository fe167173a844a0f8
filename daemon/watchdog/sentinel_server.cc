// SPDX-License-Identifier: Apache-2.0
// The HTTP server: asked by the watchdog, judged, and stood in for while it does not answer.
#include <unistd.h>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sentinel.h"
#include "daemon/watchdog/tell/emergency_page.h"

namespace canary::watchdog {
namespace {

using std::memory_order_relaxed;

constexpr std::int64_t kAskEvery = 2'000'000'000;
constexpr std::int64_t kAskUrgently = 500'000'000;  // what holds the loop may hold the server, too
constexpr std::int64_t kRenew = 500'000'000;        // the page, while it is served

constexpr std::int64_t kMute = 10'000'000'000;
constexpr std::int64_t kSoon = 100'000'000;  // an answer takes less

void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  counter.store(counter.load(memory_order_relaxed) + amount, memory_order_relaxed);
}

}  // namespace

void Sentinel::ask_server() {
  if (stopping_) {
    server_.close();
    stand_in(0);
    return;
  }
  bool const urgent = loop_late_ || setup_.emergency->answering();
  auto const step = server_.step(now_ns_, urgent ? kAskUrgently : kAskEvery);
  add(record_.server_questions, step.asked);
  add(record_.server_answers, step.answered);
  if (step.answered > 0) {
    record_.server_answer_ns.store(server_.answered_after_ns(), memory_order_relaxed);
  }
  // What cannot be asked is told as such, and nobody is accused.
  bool const mute = server_.mute_ns() != 0 && now_ns_ - server_.mute_ns() >= kMute;
  if (mute != mute_said_) {
    mute_said_ = mute;
    Incident about;
    about.subject = Subject::server;
    say(mute ? Line::Kind::mute : Line::Kind::mute_over, about);
  }
  // A thread that is stuck in an answer may leave another one that takes the question.
  std::int64_t silent_since = server_.asked_ns();
  std::int64_t const answering = inputs_.answering.oldest();
  if (answering != 0 && (silent_since == 0 || answering < silent_since)) silent_since = answering;
  add_grace_of_server(silent_since);
  Incident judged = judge_server(silent_since, settings_.limits, for_server_, now_ns_);
  copy_text(judged.name, "server");
  report(judged);
  stand_in(silent_since);
  if (setup_.emergency->answering()) stands(Subject::server, Verdict::no_answer);
}

// Its threads may get no CPU while others have some: a handler that computes without end takes all
// that a quota leaves. Or a debugger holds one. From look to look, which may be several ticks.
void Sentinel::add_grace_of_server(std::int64_t silent_since_ns) {
  std::int64_t const from = server_looked_ns_ == 0 ? previous_ns_ : server_looked_ns_;
  std::int64_t own = 0;
  runtime::Tables* const tables = runtime::tables();
  if (tables != nullptr && silent_since_ns != 0 && now_ns_ - silent_since_ns >= kSoon) {
    own = withheld_from(
        *tables, [](std::uint8_t kind) { return kind == runtime::ThreadRecord::server; }, from);
  }
  std::int64_t const all = for_all_.whole(from, now_ns_);
  for_server_.add(from, now_ns_, for_all_.everybodys(from, now_ns_), own < all ? all : own);
  server_looked_ns_ = now_ns_;
}

// `silent_since_ns`: 0 where the server answers.
void Sentinel::stand_in(std::int64_t silent_since_ns) {
  bool const was = setup_.emergency->answering();
  bool const needed =
      server_needs_help(silent_since_ns, was || loop_late_, settings_.limits, for_all_, now_ns_);
  if (needed && (!was || now_ns_ - texts_.written_ns >= kRenew)) {
    write_emergency_texts(now_ns_ - silent_since_ns);
  }
  if (needed && was) claim_emergency(silent_since_ns);
  if (needed || was) share_listeners(needed);
  if (needed == was) return;
  setup_.emergency->set_answering(needed);
  std::int64_t const began = record_.emergency_since_ns.load(memory_order_relaxed);
  record_.emergency_since_ns.store(needed ? now_ns_ : 0, std::memory_order_release);
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const ignored = ::write(setup_.emergency_wake, &one, sizeof one);
  emergency_answers_ = emergency_answers();
  if (!needed && emergency_claimed_) say_of_emergency(Line::Kind::emergency_over, now_ns_ - began);
  emergency_claimed_ = false;
}

// A thread that accepts and then answers nobody, or none that answers: then nobody is to be left to
// them. They get it back once they answer the watchdog's questions.
bool Sentinel::threads_fail(std::size_t listener) const {
  std::size_t const each = inputs_.asking.for_each_listener();
  std::size_t const from = listener * each;
  bool any_answers = false;
  for (std::size_t i = from; i < from + each && i < inputs_.asking.count(); ++i) {
    auto const thread = server_.thread(i, now_ns_, kAskEvery);
    if (thread == ServerQuestion::Thread::broken) return true;
    any_answers = any_answers || thread == ServerQuestion::Thread::answers;
  }
  return each != 0 && from < inputs_.asking.count() && !any_answers;
}

void Sentinel::share_listeners(bool answering) {
  Takeover& sockets = inputs_.takeover;
  for (std::size_t i = 0; i < sockets.count(); ++i) {
    bool const wanted = answering && threads_fail(i);
    if (wanted == sockets.taken(i)) continue;
    if (wanted) {
      sockets.take(i);
    } else {
      sockets.give_back(i);
    }
    setup_.emergency->set_taken(i, sockets.taken(i));
  }
}

std::uint64_t Sentinel::emergency_answers() const {
  std::uint64_t sum = 0;
  for (auto const& each : record_.emergency_answers) sum += each.load(memory_order_relaxed);
  return sum;
}

// Once somebody got it.
void Sentinel::claim_emergency(std::int64_t silent_since_ns) {
  if (emergency_claimed_ || emergency_answers() == emergency_answers_) return;
  emergency_claimed_ = true;
  say_of_emergency(Line::Kind::emergency, now_ns_ - silent_since_ns);
}

void Sentinel::say_of_emergency(Line::Kind kind, std::int64_t nanoseconds) {
  Incident about;
  about.subject = Subject::server;
  copy_text(about.name, "server");
  say(kind, about, nanoseconds);
}

void Sentinel::write_emergency_texts(std::int64_t silent_ns) {
  PreambleText preamble{};
  if (!inputs_.preamble.known() || !inputs_.preamble.load(preamble)) preamble = {};
  preamble.back() = 0;
  watchdog::write_emergency_texts({.record = record_,
                                   .tables = *runtime::tables(),
                                   .preamble = preamble.data(),
                                   .silent_ns = silent_ns,
                                   .now_ns = now_ns_,
                                   .wall_ns = around_.wall_ns},
                                  texts_);
  setup_.emergency->publish(texts_);
}

}  // namespace canary::watchdog
