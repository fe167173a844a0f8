// SPDX-License-Identifier: Apache-2.0
#include "runtime/loop.h"

#include <unistd.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "runtime/leaf.h"
#include "runtime/thread_row.h"

namespace canary::runtime {
namespace {

std::mutex first_place_mutex;
std::string first_place;  // where the living Loop was made; empty when there is none

void claim_the_only_loop(std::source_location const& where) {
  std::lock_guard const lock{first_place_mutex};
  if (!first_place.empty()) {
    throw SecondLoop("a second Loop at " + to_text(where) +
                     "; the process's only one was made at " + first_place);
  }
  first_place = to_text(where);
}

void release_the_only_loop() {
  std::lock_guard const lock{first_place_mutex};
  first_place.clear();
}

// Holds the permit to build a scheduler for as long as the context's constructor runs.
struct Permit {
  Permit() { scheduler_permit = true; }
  ~Permit() { scheduler_permit = false; }
  Permit(Permit const&) = delete;
  Permit& operator=(Permit const&) = delete;
};

}  // namespace

std::string place_of_the_loop() {
  std::lock_guard const lock{first_place_mutex};
  return first_place;
}

std::string to_text(std::source_location const& where) {
  return std::string{where.file_name()} + ":" + std::to_string(where.line()) + " (" +
         where.function_name() + ")";
}

struct Loop::Impl {
  explicit Impl(TableSizes sizes) {
    Tables& tables = make_tables(sizes);
    {
      Permit const permit;
      context.emplace(1);
    }
    tracking::adopt(*context, tables);
    work.emplace(context->get_executor());
  }

  // Notes that the loop is being run from `where`, or refuses.
  void enter(std::source_location const& where) {
    std::lock_guard const lock{mutex};
    if (!running_since.empty()) {
      throw NestedLoop("the loop is asked to run at " + to_text(where) +
                       ", but it is already being run since " + running_since +
                       (canary::runtime::on_loop_thread ? ", by this very thread" : ""));
    }
    running_since = to_text(where);
    context->restart();  // here, so that a stop() from now on is not lost
  }

  // An exception that a handler lets escape is a defect of canaryd: it ends the process at once,
  // with its text, rather than leave a loop that lost a handler.
  void run() noexcept {
    LoopRecord& record = tables()->loop();
    canary::runtime::on_loop_thread = true;
    record.thread.store(::gettid(), std::memory_order_relaxed);
    record.state.store(LoopRecord::in_run, std::memory_order_release);
    context->run();
    record.state.store(LoopRecord::left_run, std::memory_order_release);
    canary::runtime::on_loop_thread = false;
    std::lock_guard const lock{mutex};
    running_since.clear();
  }

  std::optional<asio::io_context> context;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::thread thread;
  mutable std::mutex mutex;
  std::string running_since;  // under mutex
};

Loop::Loop(TableSizes sizes, std::source_location where) {
  claim_the_only_loop(where);
  try {
    impl_ = std::make_unique<Impl>(sizes);
  } catch (...) {
    release_the_only_loop();
    throw;
  }
}

Loop::~Loop() {
  stop();
  join();
  impl_.reset();
  release_the_only_loop();
}

void Loop::start(std::source_location where) {
  impl_->enter(where);
  impl_->thread = std::thread{[this] {
    ThreadRow row{ThreadRecord::loop, "loop"};
    impl_->run();
    row.leave();
  }};
}

void Loop::run(std::source_location where) {
  impl_->enter(where);
  impl_->run();
}

void Loop::stop() { impl_->context->stop(); }

void Loop::join() {
  if (impl_->thread.joinable()) impl_->thread.join();
}

Executor Loop::executor() const { return impl_->context->get_executor(); }

bool Loop::running() const {
  std::lock_guard const lock{impl_->mutex};
  return !impl_->running_since.empty();
}

std::string Loop::running_since() const {
  std::lock_guard const lock{impl_->mutex};
  return impl_->running_since;
}

void Loop::post(std::function<void()> work) { asio::post(*impl_->context, std::move(work)); }

bool Loop::on_loop_thread() { return canary::runtime::on_loop_thread; }

}  // namespace canary::runtime
