// SPDX-License-Identifier: Apache-2.0
// Named, timed rows of a run's coroutine stack: where a suspended run is, readable while it hangs.
// A Trace says under which row the callee's rows belong; it is passed by value down the calls, so
// that branches running side by side keep their own parents.
// Thread: loop; readers read runtime/tables.h from anywhere.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/deadline.h"
#include "runtime/tables.h"
#include "runtime/task.h"

namespace canary::runtime {

// A string literal: tables keep its place, never a copy.
class StaticName {
 public:
  consteval StaticName(char const* text) : text_(text) {}
  char const* text() const { return text_; }

 private:
  char const* text_;
};

// A place in a run's stack. The default one belongs to no run and records nothing.
class Trace {
 public:
  Trace() = default;
  // Says that the run moves: bytes received or steps done. A run that makes progress is healthy at
  // any length.
  void progress(std::uint64_t amount = 1) const;
  // True once somebody asked this run to end (deadline, stop, watchdog).
  bool cancelling() const;
  // The name that the run was given (its probe's); "" where the run is not recorded.
  std::string run_name() const;

 private:
  friend class Row;
  friend class RunTrace;
  Trace(RunRecord* run, std::uint16_t index, std::uint8_t frame)
      : run_(run), index_(index), frame_(frame) {}
  RunRecord* run_ = nullptr;
  std::uint16_t index_ = kNoRun;
  std::uint8_t frame_ = kNoFrame;
};

// A run's record in the tables, taken for the length of the run. When the table is full the run
// goes on unrecorded.
class RunTrace {
 public:
  RunTrace(std::string_view name, Deadline deadline, RunRecord::Kind kind = RunRecord::probe);
  ~RunTrace();
  RunTrace(RunTrace const&) = delete;
  RunTrace& operator=(RunTrace const&) = delete;
  Trace trace() const { return Trace{run_, index_, kNoFrame}; }
  void cancelling();             // notes that the run was asked to end
  bool asked_to_cancel() const;  // by the watchdog
  // Its record's place in the tables (kNoRun where it has none) and generation there.
  std::uint16_t index() const { return index_; }
  std::uint32_t generation() const {
    return run_ == nullptr ? 0 : run_->generation.load(std::memory_order_relaxed);
  }

 private:
  RunRecord* run_ = nullptr;
  std::uint16_t index_ = kNoRun;
};

// One row while it lives; the base of Frame and WaitToken.
class Row {
 public:
  Row(Row const&) = delete;
  Row& operator=(Row const&) = delete;

 protected:
  Row(Trace parent, FrameRecord::Kind kind, StaticName name, std::string_view detail,
      std::source_location const& where);
  ~Row();
  Trace trace_;

 private:
  std::uint8_t parent_;
};

// A function's row: `Frame frame{trace, "tuf.timestamp"};`, then frame.trace() for its callees.
// `detail` is copied (40 bytes): a role, a host, a target.
class Frame : private Row {
 public:
  Frame(Trace parent, StaticName name, std::string_view detail = {},
        std::source_location where = std::source_location::current())
      : Row(parent, FrameRecord::frame, name, detail, where) {}
  Trace trace() const { return trace_; }
};

// The completion token of every wait: names it in the stack from before the suspension until after
// it, and makes the operation return its results as a tuple, the error_code first.
//   auto const [error, size] = co_await socket.async_read_some(buffer, wait(trace, "http.read"));
class [[nodiscard]] WaitToken : private Row {
 public:
  WaitToken(Trace parent, StaticName name, std::source_location where)
      : Row(parent, FrameRecord::wait, name, {}, where), where_(where) {}
  std::source_location const& where() const { return where_; }

 private:
  std::source_location where_;
};

inline WaitToken wait(Trace trace, StaticName name,
                      std::source_location where = std::source_location::current()) {
  return WaitToken{trace, name, where};
}

}  // namespace canary::runtime

namespace boost::asio {

template <class R, class... Args>
class async_result<canary::runtime::WaitToken, R(Args...)> {
  using Inner = use_awaitable_t<canary::runtime::Executor>;
  using Base = async_result<as_tuple_t<Inner>, R(Args...)>;

 public:
  template <class Initiation, class... InitArgs>
  static auto initiate(Initiation&& initiation, canary::runtime::WaitToken const& token,
                       InitArgs&&... arguments) {
    Inner inner{token.where().file_name(), static_cast<int>(token.where().line()),
                token.where().function_name()};
    return Base::initiate(std::forward<Initiation>(initiation), as_tuple_t<Inner>{inner},
                          std::forward<InitArgs>(arguments)...);
  }
};

}  // namespace boost::asio
