// SPDX-License-Identifier: Apache-2.0
// The dump helper as seen from the daemon: a child process that turns raw dumps into text and JSON
// with functions and lines. Nobody waits for it: it may hang, die or be missing, and the raw dump
// and the emergency text are there all the same.
// Thread: start by main before any other thread; send and poll by one at a time (the watchdog's),
// async-signal-safe; look_after by another one; the rest any.
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

  // Starts it anew where it has died, or has not answered for so long that it hangs (it is killed
  // then); at most once in kRestartEvery. What it left undone, the new one does. Returns a sentence
  // where something happened or failed, once for each time; empty otherwise. May take as long as
  // starting a program does.
  std::string look_after(std::int64_t now_ns);
  // Is there anything for look_after to do? Without waiting.
  bool needs_care(std::int64_t now_ns);
  static constexpr std::int64_t kRestartEvery = 10'000'000'000;
  static constexpr std::int64_t kHangsAfter = 60'000'000'000;

  // Tells it of a raw dump that is complete. False where the pipe is full or the helper dead.
  bool send(std::string_view path);
  // Reads, without waiting, which dumps are done since it was last asked; adds them to finished().
  void poll();
  std::uint64_t finished() const { return finished_.load(std::memory_order_relaxed); }
  std::uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }
  // How often it was started anew.
  std::uint64_t restarts() const { return restarts_.load(std::memory_order_relaxed); }
  // False once it has died or was never started, as far as was seen; without waiting.
  bool alive();
  std::int32_t process() const { return process_.load(std::memory_order_relaxed); }

 private:
  std::string why_it_is_needed(std::int64_t now_ns);
  std::string run();

  HelperOptions options_;
  std::string program_;
  int image_ = -1;  // the program, held open: an upgrade may put another one in its place
  std::atomic<std::int32_t> process_{0};
  // Kept over restarts, by dup3(2): who writes never sees a number that is another file's.
  int to_ = -1;
  int from_ = -1;
  std::atomic<std::uint64_t> finished_{0}, failed_{0}, restarts_{0};
  std::atomic<std::uint64_t> sent_{0};  // of this helper, and
  std::atomic<std::uint64_t> done_{0};  // answered; both begin anew with it
  std::atomic<std::int64_t> asked_ns_{
      0};  // when the oldest that is not answered was sent, or later
  std::int64_t started_ns_ = 0;
  bool ever_ran_ = false;
  int status_ = 0;           // how the last one ended
  std::int32_t killed_ = 0;  // one that was killed and has not ended yet
};

}  // namespace canary::dump
