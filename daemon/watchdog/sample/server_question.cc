// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/sample/server_question.h"

#include <errno.h>
#include <sys/socket.h>

namespace canary::watchdog {
namespace {

constexpr std::string_view kQuestion =
    "GET /-/asked HTTP/1.1\r\nHost: localhost\r\nUser-Agent: canaryd-watchdog\r\n\r\n";
static_assert(kQuestion.find(kWatchdogAgent) != std::string_view::npos);
static_assert(kQuestion.find(kAskedPath) != std::string_view::npos);
constexpr std::string_view kAnswer = "HTTP/1.";
constexpr std::size_t kStatus = 9;         // where it begins in an answer
constexpr std::uint32_t kBrokenTimes = 2;  // once may be chance
constexpr std::int64_t kMuteIsNotBroken = 5'000'000'000;

}  // namespace

void ServerQuestion::close() {
  for (std::size_t i = 0; i < channels_.count(); ++i) channels_.drop(i);
  questions_ = {};
}

void ServerQuestion::forget(std::int64_t now_ns) {
  for (Question& each : questions_) {
    if (each.asked_ns != 0) each.asked_ns = now_ns;
    each.broken = 0;
    each.broken_ns = 0;
  }
}

std::int64_t ServerQuestion::asked_ns() const {
  std::int64_t oldest = 0;
  for (Question const& each : questions_) {
    std::int64_t const since = each.broken >= kBrokenTimes ? each.broken_ns : each.asked_ns;
    if (since != 0 && (oldest == 0 || since < oldest)) oldest = since;
  }
  return oldest;
}

// Who cannot be asked is not known to be either of the others.
ServerQuestion::Thread ServerQuestion::thread(std::size_t place, std::int64_t now_ns,
                                              std::int64_t patience_ns) const {
  Question const& question = questions_.data()[place];
  if (question.broken >= kBrokenTimes) return Thread::broken;
  bool const open = question.asked_ns != 0 && now_ns - question.asked_ns >= patience_ns;
  return open ? Thread::silent : Thread::answers;
}

std::int64_t ServerQuestion::mute_ns() const {
  std::int64_t oldest = 0;
  for (Question const& each : questions_) {
    if (each.mute_ns != 0 && (oldest == 0 || each.mute_ns < oldest)) oldest = each.mute_ns;
  }
  return oldest;
}

// False where the channel is broken. A channel that takes no more is one whose end nobody reads:
// the question stands as if it had been put.
bool ServerQuestion::ask(std::size_t place) {
  auto const sent =
      ::send(channels_.at(place), kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == static_cast<ssize_t>(kQuestion.size())) return true;
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  channels_.drop(place);
  return false;
}

// Takes all that is there; the rest of a body is taken before the next question.
ServerQuestion::Reply ServerQuestion::receive(std::size_t place) {
  char bytes[1024];
  Reply reply = Reply::none;
  while (true) {
    auto const got = ::recv(channels_.at(place), bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return reply;
    if (got <= 0) {
      channels_.drop(place);
      return reply;
    }
    std::string_view const text{bytes, static_cast<std::size_t>(got)};
    if (reply == Reply::none && text.size() > kStatus &&
        __builtin_memcmp(text.data(), kAnswer.data(), kAnswer.size()) == 0) {
      reply = text[kStatus] == '2' ? Reply::good : Reply::error;
    }
    if (got < static_cast<ssize_t>(sizeof bytes)) return reply;
  }
}

void ServerQuestion::look(std::size_t place, std::int64_t now_ns, Step& step) {
  Question& question = questions_.data()[place];
  Reply const reply = receive(place);
  bool const gone = channels_.at(place) < 0;
  if (question.asked_ns == 0 || (reply == Reply::none && !gone)) return;
  if (reply == Reply::good) {
    answered_after_ns_ = now_ns - question.asked_ns;
    question.broken = 0;
    question.broken_ns = 0;
    ++step.answered;
  } else {
    if (question.broken == 0) question.broken_ns = question.asked_ns;
    ++question.broken;
  }
  question.asked_ns = 0;
}

ServerQuestion::Step ServerQuestion::step(std::int64_t now_ns, std::int64_t want_ns) {
  Step step;
  for (std::size_t i = 0; i < channels_.count(); ++i) {
    Question& question = questions_.data()[i];
    if (channels_.at(i) < 0) {
      if (channels_.refused(i)) {
        if (question.broken == 0) question.broken_ns = now_ns;
        question = {
            .last_ns = question.last_ns, .broken_ns = question.broken_ns, .broken = kBrokenTimes};
        continue;
      }
      std::int64_t const since = question.mute_ns == 0 ? now_ns : question.mute_ns;
      // Whoever cannot be asked is not broken.
      bool const broken = now_ns - since < kMuteIsNotBroken;
      question = {.last_ns = question.last_ns,
                  .mute_ns = since,
                  .broken_ns = broken ? question.broken_ns : 0,
                  .broken = broken ? question.broken : 0};
      continue;
    }
    question.mute_ns = 0;
    look(i, now_ns, step);
    if (channels_.at(i) < 0 || question.asked_ns != 0) continue;
    if (question.last_ns != 0 && now_ns - question.last_ns < want_ns) continue;
    question.last_ns = now_ns;
    if (!ask(i)) continue;
    question.asked_ns = now_ns;
    ++step.asked;
  }
  return step;
}

}  // namespace canary::watchdog
