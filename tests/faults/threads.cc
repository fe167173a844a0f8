// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/threads.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tests/faults/rows.h"
#include "tests/faults/scenes.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;
using Ended = KnownThread::Ended;

constexpr double kToldWithin = 10;       // seconds
constexpr double kUnhealthyWithin = 11;  // loop_hung and a second
constexpr auto kLook = 20s;
constexpr auto kEnds = 240s;     // far more than the last level takes, where there is grace
constexpr auto kRecovers = 30s;  // once it is let go

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

// Holds a thread as a debugger does. Used by one thread only.
class Tracer {
 public:
  explicit Tracer(int thread) : thread_(thread) {
    if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
      throw Unavailable{"ptrace is not allowed"};
    }
    ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
    ::waitpid(thread, nullptr, __WALL);
  }
  ~Tracer() { ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }
  Tracer(Tracer const&) = delete;
  Tracer& operator=(Tracer const&) = delete;

 private:
  int thread_;
};

bool says_so(std::string const& line, KnownThread const& thread) {
  auto const has = [&line](std::string const& text) {
    return line.find(text) != std::string::npos;
  };
  if (thread.subject.empty()) {
    return has("the watchdog does not tick") || has("the watchdog's thread ended");
  }
  if (has("a thread ended, and was replaced") && has("thread=" + thread.name)) return true;
  if (!has("subject=" + thread.subject + " ")) return false;
  return has("reached=") || has("stands still") || has("has not turned");
}

class Trial {
 public:
  Trial(KnownThread const& thread, Mischief mischief)
      : thread_(thread),
        mischief_(mischief),
        stage_({.watchdog = "", .shipped = true, .default_limits = true}) {}

  ThreadOutcome run() {
    try {
      act();
    } catch (Unavailable const& missing) {
      complain(missing.why);
    } catch (std::exception const& failed) {
      complain(std::string{"the test itself failed: "} + failed.what());
    }
    if (!outcome_.complaints.empty() && said_.size() > 2'000) said_.resize(2'000);
    if (!outcome_.complaints.empty()) complain("the log: " + said_);
    return std::move(outcome_);
  }

 private:
  void complain(std::string what) { outcome_.complaints.push_back(std::move(what)); }

  bool ends_the_process() const {
    if (mischief_ == Mischief::traced) return false;
    bool const judged_dead = thread_.subject == "loop" || thread_.subject.empty();
    return judged_dead || (mischief_ == Mischief::ended && thread_.ended == Ended::restarted);
  }
  // What is replaced at once is told by the log alone; the log's own thread by all but the log.
  bool wants_metric() const {
    return !(mischief_ == Mischief::ended &&
             (thread_.ended == Ended::replaced || thread_.subject.empty()));
  }
  bool wants_line() const { return thread_.subject != "log"; }
  bool wants_unhealthy() const { return thread_.vital && mischief_ != Mischief::ended; }

  void act() {
    stage_.start();
    if (!stage_.ready()) return complain("it does not become ready: " + stage_.process().err());
    int const id = thread_named(stage_, thread_.name);
    log_from_ = stage_.process().err().size();
    began_ = Clock::now();
    begin(id);
    watch();
    judge();
    if (ends_the_process()) {
      restarts();
    } else {
      goes_on();
    }
  }

  void begin(int id) {
    if (mischief_ == Mischief::traced) {
      tracer_.emplace(id);
      return;
    }
    constexpr Misdeed kMisdeeds[] = {Misdeed::hang, Misdeed::spin, Misdeed::end};
    stage_.shim().set(Call::signal, {.misdeed = kMisdeeds[static_cast<int>(mischief_)]});
    stage_.shim().signal(id);
  }

  void look() {
    Metrics const page{http_get(stage_.address(), "/metrics", 1s).body};
    if (!outcome_.metric && told_by_metric(page, thread_)) outcome_.metric = seconds_since(began_);
    if (!page.text.empty()) last_ = page;
    int const health = http_get(stage_.address(), "/-/healthy", 1s).status;
    if (!outcome_.unhealthy && health == 503) outcome_.unhealthy = seconds_since(began_);
    if (outcome_.line) return;
    said_ = stage_.process().err().substr(log_from_);
    std::istringstream lines{said_};
    for (std::string line; std::getline(lines, line);) {
      if (says_so(line, thread_)) outcome_.line = seconds_since(began_);
    }
  }

  bool all_seen() const {
    return (outcome_.metric || !wants_metric()) && (outcome_.line || !wants_line()) &&
           (outcome_.unhealthy || !wants_unhealthy());
  }

  // One that a debugger holds is looked at to the end: it must not be accused meanwhile.
  void watch() {
    auto const over = [this] {
      look();
      bool const seen = all_seen() && mischief_ != Mischief::traced;
      return !stage_.alive() || seen;
    };
    wait_until(over, kLook);
    if (!stage_.alive()) look();
  }

  void within(std::optional<double> const& seen, double limit, char const* what) {
    if (!seen || *seen > limit) complain(std::string{what} + " did not tell in time");
  }

  void judge() {
    if (wants_metric()) within(outcome_.metric, kToldWithin, "/metrics");
    if (wants_line()) within(outcome_.line, kToldWithin, "the log");
    if (wants_unhealthy()) within(outcome_.unhealthy, kUnhealthyWithin, "/-/healthy");
    if (!thread_.vital && outcome_.unhealthy) complain("/-/healthy was 503");
    if (mischief_ != Mischief::traced) return;
    std::istringstream lines{last_.text};
    for (std::string line; std::getline(lines, line);) {
      bool const accused = line.starts_with("canaryd_stalls_total") && !line.ends_with(" 0") &&
                           line.find("suspect") == std::string::npos;
      if (accused) complain("accused while a debugger held it: " + line);
    }
  }

  void restarts() {
    auto const code = stage_.process().exit_code(std::chrono::seconds{kEnds});
    if (code != 128 + SIGABRT) {
      outcome_.end = code ? "ended with " + std::to_string(*code) : "does not end";
      return complain(outcome_.end);
    }
    char text[48];
    std::snprintf(text, sizeof text, "SIGABRT after %.0f s", seconds_since(began_));
    outcome_.end = text;
    stage_.start();
    if (!stage_.ready() || stage_.metrics().value("canaryd_last_exit_unclean") != 1.0) {
      complain("the next start does not tell of it");
    }
  }

  int live() const { return http_get(stage_.address(), "/-/live", 1s).status; }

  // What restarts canaryd by /-/live or systemd's watchdog sees it; then it is let go.
  void goes_on() {
    bool const judged = mischief_ == Mischief::stopped || mischief_ == Mischief::computes;
    if (judged && thread_.vital) {
      if (wait_until([this] { return live() == 503 || !stage_.alive(); }, kEnds)) {
        char text[48];
        std::snprintf(text, sizeof text, "not alive after %.0f s, ", seconds_since(began_));
        outcome_.end = text;
      } else {
        complain("/-/live never told");
      }
    }
    bool const for_ever = mischief_ == Mischief::ended && thread_.ended == Ended::told;
    tracer_.reset();
    stage_.shim().clear_all();
    bool const over = wait_until(
        [this, for_ever] {
          Metrics const page{http_get(stage_.address(), "/metrics", 1s).body};
          bool const told = page.text.empty() || told_by_metric(page, thread_);
          return told == for_ever && live() == 200 &&
                 http_get(stage_.address(), "/-/healthy", 1s).status == 200;
        },
        kRecovers);
    bool const replaced = mischief_ == Mischief::ended && !for_ever;
    outcome_.end += !over ? "hangs" : for_ever ? "told" : replaced ? "replaced" : "recovered";
    if (!over) complain("it does not recover");
    stage_.process().signal(SIGTERM);
    if (stage_.process().exit_code(std::chrono::seconds{30}) != 0) complain("it does not stop");
  }

  KnownThread const& thread_;
  Mischief const mischief_;
  Stage stage_;
  ThreadOutcome outcome_;
  std::optional<Tracer> tracer_;
  Metrics last_;
  std::string said_;
  std::size_t log_from_ = 0;
  Clock::time_point began_;
};

}  // namespace

std::vector<KnownThread> const& known_threads() {
  static std::vector<KnownThread> const all{
      {.name = "canaryd", .subject = "main", .vital = true},
      {.name = "control", .subject = "main", .vital = true},
      {.name = "loop", .subject = "loop", .vital = true},
      {.name = "watchdog", .vital = true},
      {.name = "emergency", .subject = "emergency", .vital = true},
      {.name = "log", .subject = "log", .vital = true},
      {.name = "http", .subject = "server", .vital = true},
      {.name = "http-clients", .subject = "server", .vital = true},
      {.name = "cpu", .subject = "cpu", .ended = Ended::replaced},
      {.name = "disk", .subject = "disk", .ended = Ended::replaced},
      {.name = "files", .subject = "files", .ended = Ended::replaced},
      {.name = "history", .subject = "files", .ended = Ended::replaced},
      {.name = "memory", .subject = "files", .ended = Ended::told},
      {.name = "reload", .subject = "main", .passing = true},
      {.name = "dump care", .subject = "main", .passing = true}};
  return all;
}

KnownThread const* known_thread(std::string const& name) {
  auto const& all = known_threads();
  auto const found = std::ranges::find(all, name, &KnownThread::name);
  return found == all.end() ? nullptr : &*found;
}

int thread_named(Stage const& stage, std::string const& name) {
  for (int const thread : stage.threads_called(name)) {
    if (stage.name_of(thread) == name) return thread;
  }
  throw std::runtime_error("no thread is called " + name);
}

bool told_by_metric(Metrics const& page, KnownThread const& thread) {
  if (thread.subject == "loop") return page.value("canaryd_executor_stalled") == 1.0;
  if (thread.subject.empty()) return page.value("canaryd_watchdog_stalled") == 1.0;
  if (thread.subject == "files") return page.value("canaryd_files_stalled").value_or(0) >= 1;
  return page.value("canaryd_subject_stalled", {"subject=\"" + thread.subject + "\""}) == 1.0;
}

std::string to_text(Mischief mischief) {
  constexpr char const* kNames[] = {"stopped", "computes", "ended", "traced"};
  return kNames[static_cast<int>(mischief)];
}

ThreadOutcome try_thread(KnownThread const& thread, Mischief mischief) {
  return Trial{thread, mischief}.run();
}

QuotaOutcome compute_under_quota(int percent) {
  QuotaOutcome outcome;
  Stage stage{{.watchdog = "", .shipped = true, .default_limits = true}};
  stage.start();
  if (!stage.ready()) return outcome.complaints.push_back("it does not become ready"), outcome;
  auto const limit = limit_to(percent);
  try {
    limit(stage);
  } catch (Unavailable const& missing) {
    return outcome.unavailable = missing.why, outcome;
  }
  std::size_t const from = stage.process().err().size();
  stage.shim().set(Call::free_memory, {.misdeed = Misdeed::spin, .thread = "loop"});
  wait_until([&stage] { return stage.shim().hits(Call::free_memory) > 0; }, 60s);
  auto const began = Clock::now();
  wait_until(
      [&] {
        if (stage.process().err().find("subject=loop", from) == std::string::npos) {
          return !stage.alive();
        }
        outcome.told = seconds_since(began);
        return true;
      },
      60s);
  if (stage.process().exit_code(600s) == 128 + SIGABRT) outcome.ended = seconds_since(began);
  if (!outcome.told || *outcome.told > kToldWithin) {
    outcome.complaints.push_back("the log did not tell in time: " + stage.process().err());
  }
  if (!outcome.ended) outcome.complaints.push_back("it does not end");
  return outcome;
}

}  // namespace canary::faults
