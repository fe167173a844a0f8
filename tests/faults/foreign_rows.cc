// SPDX-License-Identifier: Apache-2.0
// Rows of the program as it is shipped: hung from outside, by a shim that is preloaded (shim.h), by
// signals, tracers, quotas and clients.
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string_view>
#include <tuple>
#include <utility>

#include "tests/faults/catalogue.h"
#include "tests/faults/scenes.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;
using How = Shim::How;

constexpr auto kForEver = 0ms;

Row shipped(Row row) {
  row.shipped = true;
  row.sanitizers = false;  // they bring an allocator and hooks of their own
  return row;
}

// Goes on beside the row's looks, for `span`.
Row with(Row row, Call call, How how, std::chrono::milliseconds span) {
  row.outside = misbehave(call, how, span);
  return shipped(std::move(row));
}

// Is over before anybody looks whether all is well.
Row after(Row row, Call call, How how, std::chrono::milliseconds span) {
  row.outside = misbehave_for(call, how, span);
  return shipped(std::move(row));
}

std::vector<Row> loop_rows() {
  Row const stalls{.number = "1", .subject = "loop", .end = End::recovered};
  auto const row = [&stalls](char const* name, char const* what, std::vector<std::string> verdicts,
                             char const* culprit) {
    Row one = stalls;
    one.name = name;
    one.what = what;
    one.verdicts = std::move(verdicts);
    one.culprit = culprit;
    return one;
  };
  std::vector<Row> rows;
  rows.push_back(with(row("LoopWaitsInFutex", "epoll_wait of the loop never returns: a futex",
                          {"lock", "lost_wakeup"}, "wait_in_futex"),
                      Call::epoll_wait, {.thread = "loop"}, 1'200ms));
  rows.back().quick = true;
  rows.push_back(with(row("LoopWaitSleeps", "likewise, in nanosleep",
                          {"blocking_call", "lost_wakeup"}, "sleep_while"),
                      Call::epoll_wait, {.misdeed = Misdeed::sleep, .thread = "loop"}, 1'200ms));
  rows.push_back(with(row("LoopFreeHangs", "free() on the loop never returns", {"lock"}, "free"),
                      Call::free_memory, {.thread = "loop"}, 2'200ms));
  rows.push_back(with(row("LoopClockHangs", "clock_gettime on the loop never returns",
                          {"lock", "lost_wakeup"}, "clock_gettime"),
                      Call::clock, {.thread = "loop"}, 2'200ms));
  rows.push_back(with(row("LoopMutexHangs", "pthread_mutex_lock on the loop never returns",
                          {"lock"}, "pthread_mutex_lock"),
                      Call::mutex_lock, {.thread = "loop"}, 2'200ms));
  rows.push_back(with({.name = "LoopHangsForEver",
                       .number = "1",
                       .what = "free() on the loop, for ever",
                       .subject = "loop",
                       .verdicts = {"lock"},
                       .culprit = "free",
                       .end = End::restarted,
                       .quick = true},
                      Call::free_memory, {.thread = "loop"}, kForEver));
  rows.push_back(with({.name = "LoopSpinsForEver",
                       .number = "15",
                       .what = "epoll_wait of the loop computes for ever",
                       .subject = "loop",
                       .verdicts = {"cpu_loop"},
                       .culprit = "misbehave",
                       .end = End::restarted},
                      Call::epoll_wait, {.misdeed = Misdeed::spin, .thread = "loop"}, kForEver));
  rows.push_back(with({.name = "LoopEnds",
                       .number = "-",
                       .what = "the loop's thread ends",
                       .subject = "loop",
                       .verdicts = {"ended"},
                       .end = End::restarted},
                      Call::epoll_wait, {.misdeed = Misdeed::end, .thread = "loop"}, kForEver));
  rows.push_back(after({.name = "LoopWakesLate",
                        .number = "18",
                        .what = "each wake-up of the loop comes 0.15 s late, for 5 s",
                        .shows = {"canaryd_executor_heartbeat_lag_seconds_sum"}},
                       Call::epoll_wait,
                       {.misdeed = Misdeed::late, .thread = "loop", .argument = 150}, 5s));
  return rows;
}

// Threads beside the loop that say that they come round, by their names.
std::vector<Row> side_rows() {
  std::vector<Row> rows;
  auto const part = [](std::string name, std::string what, std::string subject,
                       std::string verdict) {
    return Row{.name = std::move(name),
               .number = "40",
               .what = std::move(what),
               .subject = std::move(subject),
               .verdicts = {std::move(verdict)},
               .end = End::recovered};
  };
  rows.push_back(with(part("LogHangs", "the log's writer in a futex", "log", "lock"), Call::poll,
                      {.thread = "log"}, 5s));
  rows.push_back(with(part("LogSleeps", "likewise, in nanosleep", "log", "blocking_call"),
                      Call::poll, {.misdeed = Misdeed::sleep, .thread = "log"}, 5s));
  rows.push_back(with(part("MainHangs", "main's wait for signals: a futex", "main", "lock"),
                      Call::sigtimedwait, {.thread = "canaryd"}, 5s));
  rows.push_back(
      with(part("EmergencyHangs", "the emergency thread in a futex", "emergency", "lock"),
           Call::ppoll, {.thread = "emergency"}, 5s));
  rows.push_back(
      with(part("EmergencySpins", "the emergency thread computes", "emergency", "cpu_loop"),
           Call::ppoll, {.misdeed = Misdeed::spin, .thread = "emergency"}, 5s));
  // It holds a lock that /metrics needs.
  rows.push_back(with({.name = "KeeperHangs",
                       .number = "41",
                       .what = "HTTP's keeper of clients in a futex, with its lock",
                       .subject = "server",
                       .verdicts = {"no_answer", "lock"},
                       .end = End::recovered,
                       .emergency = true},
                      Call::poll, {.thread = "http-clients"}, 9s));
  // A machine without much time for it gives grace to who computes, for a while.
  for (auto const& [name, thread, call, subject] :
       {std::tuple{"LogSpins", "log", Call::poll, "log"},
        std::tuple{"MainSpins", "canaryd", Call::sigtimedwait, "main"}}) {
    rows.push_back(with({.name = name,
                         .number = "40",
                         .what = std::string{subject} + "'s thread computes",
                         .subject = subject,
                         .verdicts = {"cpu_loop"},
                         .end = End::recovered},
                        call, {.misdeed = Misdeed::spin, .thread = thread}, 18s));
  }
  for (auto const& [name, thread, call, subject] :
       {std::tuple{"LogEnds", "log", Call::poll, "log"},
        std::tuple{"EmergencyEnds", "emergency", Call::ppoll, "emergency"},
        std::tuple{"HttpEnds", "http", Call::epoll_wait, "server"}}) {
    rows.push_back(with({.name = name,
                         .number = "40",
                         .what = std::string{"the thread "} + thread + " ends",
                         .subject = subject,
                         .verdicts = {"ended"},
                         .end = End::restarted,
                         .also = {"server"},
                         .no_metrics = call == Call::epoll_wait},
                        call, {.misdeed = Misdeed::end, .thread = thread}, kForEver));
  }
  for (auto const& [name, misdeed, what, says] :
       {std::tuple{"WatchdogEnds", Misdeed::end, "the watchdog's thread ends",
                   "the watchdog's thread ended"},
        std::tuple{"WatchdogHangs", Misdeed::hang, "the watchdog's thread in a futex for ever",
                   "the watchdog's thread does not tick"},
        std::tuple{"WatchdogSpins", Misdeed::spin, "the watchdog's thread computes for ever",
                   "the watchdog's thread does not tick"}}) {
    rows.push_back(
        with({.name = name, .number = "40", .what = what, .end = End::aborted, .says = says},
             Call::ppoll, {.misdeed = misdeed, .thread = "watchdog"}, kForEver));
  }
  return rows;
}

std::vector<Row> pool_rows() {
  std::vector<Row> rows;
  auto const stall = [](std::string name, std::string what, std::string subject,
                        std::vector<std::string> verdicts) {
    return Row{.name = std::move(name),
               .number = "24",
               .what = std::move(what),
               .subject = std::move(subject),
               .verdicts = std::move(verdicts),
               .end = End::recovered,
               .others = false,
               .also = {"run", "disk", "cpu", "files"}};
  };
  rows.push_back(with(stall("VerifyHangs", "SHA256 never returns", "cpu", {"lock"}), Call::digest,
                      {.thread = "cpu"}, 2s));
  rows.push_back(with(stall("VerifySpins", "SHA256 computes", "cpu", {"cpu_loop"}), Call::digest,
                      {.misdeed = Misdeed::spin, .thread = "cpu"}, 4s));
  rows.push_back(with(stall("RepositoryOpenHangs", "open(2) of a file: repository never returns",
                            "files", {"lock"}),
                      Call::open, {.thread = "files", .path = "repository"}, 3s));
  rows.push_back(
      with(stall("MemoryWriteHangs", "pwrite(2) of the watchdog's memory", "files", {"lock"}),
           Call::pwrite, {.thread = "memory"}, 3s));
  auto const innocent = [](std::string name, std::string what, std::string says) {
    return Row{.name = std::move(name),
               .number = "23",
               .what = std::move(what),
               .also = {"cpu", "files"},  // who ended is told until it is replaced
               .says = std::move(says)};
  };
  rows.push_back(after(innocent("MemoryFull", "pwrite(2) of the watchdog's memory: ENOSPC", ""),
                       Call::pwrite,
                       {.misdeed = Misdeed::fail, .thread = "memory", .argument = ENOSPC}, 3s));
  rows.push_back(after(
      innocent("RepositoryOpenFails", "open(2) of a file: repository: EIO", "Input/output error"),
      Call::open,
      {.misdeed = Misdeed::fail, .thread = "files", .argument = EIO, .path = "repository"}, 3s));
  rows.push_back(after(innocent("WorkerEnds", "a worker's thread ends in SHA256",
                                "a thread ended, and was replaced"),
                       Call::digest, {.misdeed = Misdeed::end, .thread = "cpu", .limit = 1}, 4s));
  rows.push_back(
      after(innocent("FileThreadEnds", "a thread of files ends in open(2)",
                     "a thread ended, and was replaced"),
            Call::open,
            {.misdeed = Misdeed::end, .thread = "files", .limit = 1, .path = "repository"}, 4s));
  rows.push_back(after(innocent("VerifyIsLate", "SHA256 comes 0.1 s late", ""), Call::digest,
                       {.misdeed = Misdeed::late, .thread = "cpu", .argument = 100}, 3s));
  return rows;
}

std::vector<Row> server_rows() {
  std::vector<Row> rows;
  Row const hung{.number = "41",
                 .subject = "server",
                 .verdicts = {"no_answer"},
                 .end = End::recovered,
                 .emergency = true};
  auto const row = [&hung](char const* name, char const* what) {
    Row one = hung;
    one.name = name;
    one.what = what;
    return one;
  };
  rows.push_back(with(row("HttpHangs", "the HTTP threads' epoll_wait: a futex"), Call::epoll_wait,
                      {.thread = "http"}, 9s));
  rows.push_back(with(row("HttpSpins", "the HTTP threads compute"), Call::epoll_wait,
                      {.misdeed = Misdeed::spin, .thread = "http"}, 9s));
  rows.push_back(with(row("HttpAnswersHang", "MHD_queue_response never returns"),
                      Call::queue_answer, {.thread = "http"}, 9s));
  rows.push_back(after({.name = "AcceptFails",
                        .number = "31",
                        .what = "accept4(2) of the HTTP threads: EMFILE for 3 s",
                        .no_metrics = true},
                       Call::accept,
                       {.misdeed = Misdeed::fail, .thread = "http", .argument = EMFILE}, 3s));
  rows.push_back(shipped({.name = "IdleClients",
                          .number = "-",
                          .what = "300 connections that ask nothing",
                          .quick = true,
                          .outside = idle_clients(300, 3s)}));
  rows.push_back(shipped({.name = "HalfRequests",
                          .number = "-",
                          .what = "100 clients that send half a request each",
                          .outside = idle_clients(100, 3s, "GET /metrics HTTP/1.1\r\nHos")}));
  rows.push_back(shipped(
      {.name = "DeafClients",
       .number = "-",
       .what = "100 clients that ask for /metrics and read nothing",
       .outside = idle_clients(100, 3s, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")}));
  return rows;
}

std::vector<Row> clock_rows() {
  std::vector<Row> rows;
  for (auto const& [name, clock, seconds, what] :
       {std::tuple{"WallClockAhead", CLOCK_REALTIME, 3'600, "the wall clock steps 1 h ahead"},
        std::tuple{"WallClockBack", CLOCK_REALTIME, -3'600, "the wall clock steps 1 h back"}}) {
    rows.push_back(after({.name = name,
                          .number = "30",
                          .what = what,
                          .shows = {"canaryd_watchdog_disturbances_total", "kind=\"clock_step\""}},
                         Call::clock,
                         {.misdeed = Misdeed::ahead, .argument = seconds, .skip = clock}, 2s));
  }
  return rows;
}

std::vector<Row> process_rows() {
  std::vector<Row> rows;
  for (auto const& [name, thread] :
       {std::pair{"TracedLog", "log"}, std::pair{"TracedHttp", "http"},
        std::pair{"TracedWorkers", "cpu"}, std::pair{"TracedWatchdog", "watchdog"},
        std::pair{"TracedEmergency", "emergency"}}) {
    rows.push_back(shipped({.name = name,
                            .number = "26",
                            .what = std::string{"a debugger holds "} + thread + " for 2 s",
                            .no_metrics = std::string_view{thread} == "http",
                            .outside = trace_threads(thread, 2s)}));
  }
  for (int const percent : {2, 10, 20, 50}) {
    rows.push_back(shipped({.name = "Quota" + std::to_string(percent),
                            .number = "29",
                            .what = "a quota of " + std::to_string(percent) + " % for 8 s",
                            .stands = true,
                            .no_metrics = true,
                            .outside = starve(percent, 8s)}));
  }
  rows.push_back(shipped({.name = "ShippedStopped",
                          .number = "25",
                          .what = "SIGSTOP for 3 s, SIGCONT",
                          .stands = true,
                          .no_metrics = true,
                          .outside = stop_and_continue(3s)}));
  rows.push_back(shipped({.name = "HelperKilled",
                          .number = "-",
                          .what = "the dump helper is killed",
                          .shows = {"canaryd_dump_helper_restarts_total"},
                          .outside = signal_children(SIGKILL)}));
  return rows;
}

}  // namespace

std::vector<Row> foreign_rows() {
  std::vector<Row> all;
  for (auto const& part :
       {loop_rows(), side_rows(), pool_rows(), server_rows(), clock_rows(), process_rows()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace canary::faults
