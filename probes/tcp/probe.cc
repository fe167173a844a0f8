// SPDX-License-Identifier: Apache-2.0
// One conversation, and what it says of the server.
// Thread: loop; expressions are matched on a worker.
#include "probes/tcp/probe.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "config/duration.h"
#include "probes/dialled.h"
#include "probes/tcp/declaration.h"
#include "probes/tcp/expectation.h"
#include "runtime/contract.h"

namespace canary::tcp {
namespace {

using fetch::Due;
using fetch::Phase;
using probes::Reason;
using probes::Severity;
using runtime::Task;
using runtime::Trace;

constexpr std::size_t kShown = 120;  // bytes of an answer

config::HttpSettings settings_of(Spec const& spec) {
  config::HttpSettings settings;
  settings.resolve_timeout = spec.resolve_timeout;
  settings.connect_timeout = spec.connect_timeout;
  settings.first_byte_timeout = settings.idle_timeout = spec.idle_timeout;
  settings.ip_family = spec.ip_family;
  return settings;
}

std::string in_quotes(std::string_view heard) {
  if (heard.empty()) return "nothing";
  std::string text = "\"";
  text.append(heard.substr(0, kShown));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text + (heard.size() > kShown ? "...\"" : "\"");
}

// One run. Lives in the frame of probe_server.
class Conversation {
 public:
  Conversation(Spec const& spec, probes::ProbeContext const& context)
      : spec_(spec),
        context_(context),
        dialled_(spec.address, spec.location(), settings_of(spec), context),
        expectation_(spec) {}
  ~Conversation() { context_.report.measurements.bytes_received = heard_.size(); }
  Conversation(Conversation const&) = delete;
  Conversation& operator=(Conversation const&) = delete;

  Task<void> run(Trace trace);

 private:
  Task<bool> say(fetch::Connection& connection, Trace trace);
  Task<void> listen(fetch::Connection& connection, Trace trace);
  Task<Answer> judge(std::optional<End> end, Trace trace);
  void conclude(Answer answer, End end, std::string const& peer);

  Spec const& spec_;
  probes::ProbeContext const& context_;
  probes::Dialled dialled_;
  Expectation expectation_;
  std::string heard_;
};

Task<void> Conversation::run(Trace trace) {
  auto const connected = co_await dialled_.connect(trace);
  if (!connected) co_return;
  fetch::Connection& connection = *connected;
  dialled_.reached("connected to " + connection.peer());
  if (!co_await say(connection, trace)) co_return;
  if (spec_.expects()) co_await listen(connection, trace);
  context_.report.complete = true;
}

// False: it did not take it.
Task<bool> Conversation::say(fetch::Connection& connection, Trace trace) {
  if (!spec_.send) co_return true;
  dialled_.step("sending");
  dialled_.enter(Phase::request);
  auto bytes = unescaped(*spec_.send).value_or(*spec_.send);
  auto const due = Due::of(context_.deadline, spec_.idle_timeout);
  auto const io = co_await connection.write(std::move(bytes), due, trace, "tcp.send");
  if (!io.error && !connection.timed_out()) co_return true;
  bool const late = connection.timed_out();
  dialled_.could_not_tell(
      late ? Reason::timeout : Reason::connect,
      connection.peer() +
          (late ? " did not take what was sent within " + config::to_text(spec_.idle_timeout)
                : " broke the connection off: " + io.error.message()));
  co_return false;
}

Task<void> Conversation::listen(fetch::Connection& connection, Trace trace) {
  dialled_.step("waiting for an answer");
  dialled_.enter(Phase::first_byte);
  std::array<char, 4096> room;
  std::optional<End> end;
  Answer answer = Answer::more;
  while (answer == Answer::more) {
    if (heard_.size() >= spec_.max_bytes) end = End::full;
    if (!end) {
      auto const wanted = std::min<std::size_t>(room.size(), spec_.max_bytes - heard_.size());
      auto const due = Due::of(context_.deadline, spec_.idle_timeout);
      std::span<char> const part{room.data(), wanted};
      auto const io = co_await connection.read_some(part, due, trace, "tcp.read");
      if (io.size > 0) dialled_.enter(Phase::body);
      heard_.append(room.data(), io.size);
      if (connection.timed_out()) {
        end = connection.why() == Due::Why::total ? End::overdue : End::silent;
      } else if (io.error) {
        end = End::closed;
      }
    }
    answer = co_await judge(end, trace);
  }
  conclude(answer, end.value_or(End::full), connection.peer());
}

// The answer may be long and the expression costly: it is looked for on a worker.
Task<Answer> Conversation::judge(std::optional<End> end, Trace trace) {
  bool const hopeless = expectation_.so_far(heard_) == Answer::unmet;
  if (!hopeless && expectation_.look_is_due(heard_.size(), end.has_value())) {
    auto look = [pattern = expectation_.pattern(), heard = heard_] {
      return pattern.found_in(heard);
    };
    bool const matched = co_await context_.cpu.run(trace, "tcp.match", std::move(look));
    expectation_.looked(heard_.size(), matched);
  }
  co_return end ? expectation_.at_end(heard_, *end) : expectation_.so_far(heard_);
}

void Conversation::conclude(Answer answer, End end, std::string const& peer) {
  if (answer == Answer::unclear) {
    std::string const said =
        heard_.empty() ? " said nothing" : " said no more than " + in_quotes(heard_);
    std::string const until = end == End::closed    ? " and closed the connection"
                              : end == End::overdue ? " by the end of the run's time"
                                                    : " for " + config::to_text(spec_.idle_timeout);
    dialled_.could_not_tell(end == End::closed ? Reason::connect : Reason::timeout,
                            peer + said + until);
    return;
  }
  bool const good = answer == Answer::met;
  std::string message = "the answer is " + in_quotes(heard_);
  std::string expected;
  if (!good) expected = expectation_.missing(heard_);
  if (!good && end == End::full) {
    expected += " within " + config::size_text(spec_.max_bytes);
  }
  if (!good) message += ", expected " + expected;
  dialled_.add({.check = std::string{kBanner},
                .subject = spec_.location(),
                .severity = good ? Severity::ok : Severity::critical,
                .reason = good ? Reason::none : kMismatch,
                .message = std::move(message),
                .evidence = "from " + peer,
                .expected = std::move(expected),
                .received = good ? std::string{} : in_quotes(heard_)});
}

}  // namespace

Task<void> probe_server(Spec spec, probes::ProbeContext context) {
  runtime::require_loop_thread();
  runtime::Frame const frame{context.trace, "tcp", spec.address};
  Conversation conversation{spec, context};
  co_await conversation.run(frame.trace());
}

}  // namespace canary::tcp
