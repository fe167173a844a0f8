// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/stand_in.h"

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/tell/counters.h"
#include "daemon/watchdog/tell/emergency_page.h"
#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

using std::memory_order_relaxed;

constexpr std::int64_t kRenew = 500'000'000;  // the page, while it is served

}  // namespace

void StandIn::look(Look const& look, ServerQuestion const& server, Limits const& limits,
                   ThreadGrace const& grace, Moment const& at) {
  bool const was = answering();
  bool const needed =
      server_needs_help(look.silent_since_ns, was || look.loop_late, limits, grace, at.now_ns);
  if (needed && (!was || at.now_ns - texts_.written_ns >= kRenew)) {
    write_texts(at.now_ns - look.silent_since_ns, at);
  }
  // It is said once somebody got it.
  if (needed && was && !said_ && answers() != answers_before_) {
    said_ = true;
    say(Line::Kind::emergency, at.now_ns - look.silent_since_ns);
  }
  if (needed || was) share_listeners(needed, look, server, at.now_ns);
  if (needed == was) return;
  parts_.board.set_answering(needed);
  Record& record = parts_.record;
  std::int64_t const began = record.emergency_since_ns.load(memory_order_relaxed);
  record.emergency_since_ns.store(needed ? at.now_ns : 0, std::memory_order_release);
  wake(parts_.wake);
  answers_before_ = answers();
  if (!needed && said_) say(Line::Kind::emergency_over, at.now_ns - began);
  said_ = false;
}

std::uint64_t StandIn::answers() const {
  std::uint64_t sum = 0;
  for (auto const& each : parts_.record.emergency_answers) sum += each.load(memory_order_relaxed);
  return sum;
}

// A thread that accepts and then answers nobody, or none that answers: then nobody is to be left to
// them. They get it back once they answer the watchdog's questions.
bool StandIn::threads_fail(std::size_t listener, ServerQuestion const& server,
                           std::int64_t ask_every_ns, std::int64_t now_ns) const {
  std::size_t const each = parts_.channels.for_each_listener();
  std::size_t const from = listener * each;
  bool any_answers = false;
  for (std::size_t i = from; i < from + each && i < parts_.channels.count(); ++i) {
    auto const thread = server.thread(i, now_ns, ask_every_ns);
    if (thread == ServerQuestion::Thread::broken) return true;
    any_answers = any_answers || thread == ServerQuestion::Thread::answers;
  }
  return each != 0 && from < parts_.channels.count() && !any_answers;
}

void StandIn::share_listeners(bool answering, Look const& look, ServerQuestion const& server,
                              std::int64_t now_ns) {
  Takeover& sockets = parts_.listeners;
  for (std::size_t i = 0; i < sockets.count(); ++i) {
    bool const wanted = answering && threads_fail(i, server, look.ask_every_ns, now_ns);
    if (wanted == sockets.taken(i)) continue;
    if (wanted) {
      sockets.take(i);
    } else {
      sockets.give_back(i);
    }
    parts_.board.set_taken(i, sockets.taken(i));
  }
}

void StandIn::say(Line::Kind kind, std::int64_t nanoseconds) {
  Incident about;
  about.subject = Subject::server;
  copy_text(about.name, "server");
  parts_.lines.say(kind, about, nanoseconds);
}

void StandIn::write_texts(std::int64_t silent_ns, Moment const& at) {
  PreambleText preamble{};
  if (!parts_.preamble.known() || !parts_.preamble.load(preamble)) preamble = {};
  preamble.back() = 0;
  write_emergency_texts({.record = parts_.record,
                         .tables = *runtime::tables(),
                         .preamble = preamble.data(),
                         .silent_ns = silent_ns,
                         .now_ns = at.now_ns,
                         .wall_ns = at.wall_ns},
                        texts_);
  parts_.board.publish(texts_);
}

}  // namespace canary::watchdog
