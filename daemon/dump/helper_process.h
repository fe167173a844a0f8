// SPDX-License-Identifier: Apache-2.0
// The dump helper as seen from the daemon: a child process that turns raw dumps into text and JSON
// with functions and lines. Nobody waits for it: it may hang, die or be missing, and the raw dump
// and the emergency text are there all the same.
// Thread: start by main before any other thread; send by one at a time (the watchdog's), which is
// async-signal-safe; the rest any.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace canary::dump {

struct HelperOptions {
  std::string program;      // path of canaryd-dump-helper; empty: beside this program
  std::string runtime;      // where raw dumps are: DumpPlace::directory
  std::string state;        // where finished dumps are kept; empty: nowhere but in `runtime`
  std::uint32_t keep = 32;  // dumps, each some files of one name
  std::uint64_t keep_bytes = 256 * 1024 * 1024;
};

class HelperProcess {
 public:
  HelperProcess() = default;
  // Closes the pipe: the helper ends once it has done what it was told. Does not wait for it.
  ~HelperProcess();
  HelperProcess(HelperProcess const&) = delete;
  HelperProcess& operator=(HelperProcess const&) = delete;

  // Starts it, and lets it read this process's memory and registers (PR_SET_PTRACER). Returns why
  // it could not be started, naming the file; empty where it was.
  std::string start(HelperOptions const& options);

  // Tells it of a raw dump that is complete. False where the pipe is full or the helper dead.
  bool send(std::string_view path);
  // Reads, without waiting, which dumps are done since it was last asked; adds them to finished().
  void poll();
  std::uint64_t finished() const { return finished_.load(std::memory_order_relaxed); }
  std::uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }
  // False once it has died or was never started; without waiting.
  bool alive();
  std::int32_t process() const { return process_; }

 private:
  std::int32_t process_ = 0;
  int to_ = -1;
  int from_ = -1;
  std::atomic<std::uint64_t> finished_{0}, failed_{0};
};

}  // namespace canary::dump
