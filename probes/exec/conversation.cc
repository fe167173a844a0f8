// SPDX-License-Identifier: Apache-2.0
#include "probes/exec/conversation.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>

#include "runtime/cancellation.h"
#include "runtime/contract.h"
#include "runtime/event.h"

namespace canary::exec {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

constexpr std::chrono::milliseconds kPoll{50};  // where the kernel does not tell of an end
constexpr std::size_t kPiece = 16 * 1024;
constexpr int kPiecesPerTurn = 8;

// One of its outputs.
struct Output {
  Output(runtime::Executor const& executor, Descriptor fd) : pipe(executor, fd.release()) {}
  stream_descriptor pipe;
  std::string kept;
  std::size_t dropped = 0;
  bool open = true;
};

// Shared with the waits on its descriptors, which end after it.
class Hearing : public std::enable_shared_from_this<Hearing> {
 public:
  Hearing(runtime::Executor executor, Process process, std::size_t most, Trace trace)
      : changed(executor),
        out(executor, std::move(process.out)),
        err(executor, std::move(process.err)),
        ended_(executor),
        process_(std::move(process)),
        most_(most),
        trace_(trace) {
    if (process_.ended.get() >= 0) ended_.assign(process_.ended.release());
  }

  void start() {
    listen(out);
    listen(err);
    if (!ended_.is_open()) return;
    BOOST_ASIO_HANDLER_LOCATION((__FILE__, __LINE__, __func__));
    ended_.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](auto error) {
      if (!error) self->changed.notify();
    });
  }
  // Closes all; the waits end.
  void stop() {
    runtime::error_code ignored;
    for (auto* each : {&out.pipe, &err.pipe, &ended_}) each->close(ignored);
    out.open = err.open = false;
  }
  // Nothing more is to be waited for. What was written before its end is in the pipes.
  bool over() {
    if (!status_) status_ = process_.reap();
    if (!status_) return false;
    read(out, kPiecesPerTurn);
    read(err, kPiecesPerTurn);
    return true;
  }
  void signal(int number) { process_.signal(number); }
  bool floods() const { return out.dropped + err.dropped > kDroppedOutput; }
  std::optional<int> status() const { return status_; }
  // When to look, whoever tells of nothing.
  Deadline look_again(Deadline until) const {
    return ended_.is_open() ? until : until.within(kPoll);
  }

  runtime::Event changed;
  Output out, err;

 private:
  void listen(Output& output) {
    if (!output.open) return;
    BOOST_ASIO_HANDLER_LOCATION((__FILE__, __LINE__, __func__));
    output.pipe.async_wait(stream_descriptor::wait_read,
                           [self = shared_from_this(), &output](auto error) {
                             if (error || !output.open) return;
                             self->read(output, kPiecesPerTurn);
                             self->listen(output);
                           });
  }

  void read(Output& output, int pieces) {
    std::array<char, kPiece> room;
    while (output.open && pieces-- > 0) {
      auto const size = ::read(output.pipe.native_handle(), room.data(), room.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) {
        output.open = false;
        return;
      }
      auto const got = static_cast<std::size_t>(size);
      auto const wanted = std::min(got, most_ - output.kept.size());
      output.kept.append(room.data(), wanted);
      output.dropped += got - wanted;
      trace_.progress(got);
      if (floods()) changed.notify();
    }
  }

  stream_descriptor ended_;
  Process process_;
  std::size_t const most_;
  Trace trace_;
  std::optional<int> status_;
};

// Stops the waits, however the run ends.
class Stopped {
 public:
  explicit Stopped(std::shared_ptr<Hearing> hearing) : hearing_(std::move(hearing)) {}
  ~Stopped() { hearing_->stop(); }
  Stopped(Stopped const&) = delete;
  Stopped& operator=(Stopped const&) = delete;

 private:
  std::shared_ptr<Hearing> hearing_;
};

Task<bool> is_cancelled() {
  auto const state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

// True: cancelled meanwhile, which ends the wait. REQUIRES: throw_if_cancelled(false).
Task<bool> wait_for_end(std::shared_ptr<Hearing> hearing, Deadline until, Trace trace) {
  while (!hearing->over() && !hearing->floods() && !until.passed()) {
    auto const wake = hearing->look_again(until);
    co_await hearing->changed.wait_until(trace, "exec.end", wake);
    if (co_await is_cancelled()) co_return true;
  }
  co_return false;
}

// After SIGKILL. A cancellation is noted meanwhile (true), but ends no wait.
Task<bool> wait_for_reaping(std::shared_ptr<Hearing> hearing, Trace trace) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation(),
                                                     asio::disable_cancellation());
  Deadline const until = Deadline::after(kReapWait);
  while (!hearing->over() && !until.passed()) {
    co_await hearing->changed.wait_until(trace, "exec.killed", hearing->look_again(until));
  }
  bool const cancelled = co_await is_cancelled();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return cancelled;
}

}  // namespace

Task<Ended> hear_out(Process process, Limits limits, Trace trace) {
  runtime::require_loop_thread();
  auto const executor = co_await asio::this_coro::executor;
  auto const hearing =
      std::make_shared<Hearing>(executor, std::move(process), limits.output, trace);
  Stopped const stopped{hearing};
  hearing->start();
  bool const throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  bool cancelled = co_await wait_for_end(hearing, limits.until, trace);
  Ended ended;
  if (!cancelled && !hearing->status()) {
    ended.late = true;
    ended.flooded = hearing->floods();
    hearing->signal(SIGTERM);
    auto const patience =
        Deadline::after(ended.flooded ? std::chrono::milliseconds{0} : limits.kill_after);
    cancelled = co_await wait_for_end(hearing, patience, trace);
  }
  if (!hearing->status()) {
    hearing->signal(SIGKILL);
    bool const meanwhile = co_await wait_for_reaping(hearing, trace);
    cancelled = cancelled || meanwhile;
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (cancelled) runtime::throw_operation_aborted();
  ended.status = hearing->status();
  ended.out = std::move(hearing->out.kept);
  ended.err = std::move(hearing->err.kept);
  co_return ended;
}

}  // namespace canary::exec
