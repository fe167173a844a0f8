// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/run_row.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <thread>

#include "tests/faults/dump_file.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;

constexpr auto kNotice = 20s;  // far more than any limit of a stage
constexpr auto kEnd = 25s;
std::string const kStalls = "canaryd_stalls_total";

std::string label(std::string const& name, std::string const& value) {
  return name + "=\"" + value + "\"";
}

std::string milliseconds(double seconds) {
  return std::to_string(static_cast<int>(seconds * 1'000)) + " ms";
}

double stalls_of(Metrics const& metrics, std::string const& subject,
                 std::string const& level = "stalled") {
  return metrics.value(kStalls, {label("subject", subject), label("level", level)}).value_or(0);
}

class Play {
 public:
  explicit Play(Row const& row)
      : row_(row),
        stage_({.fault = row.fault,
                .ms = row.ms,
                .watchdog = row.watchdog,
                .more = row.more,
                .victim = row.victim,
                .environment = row.environment,
                .shipped = row.shipped,
                .listen = row.listen,
                .arguments = row.arguments}) {}

  Outcome run() {
    auto const began = Clock::now();
    try {
      act();
    } catch (Unavailable const& missing) {
      outcome_.unavailable = missing.why;
    } catch (std::exception const& failed) {
      complain(std::string{"the test itself failed: "} + failed.what());
    }
    poller_.reset();
    outcome_.took_s = std::chrono::duration<double>(Clock::now() - began).count();
    return outcome_;
  }

 private:
  void complain(std::string what) { outcome_.complaints.push_back(std::move(what)); }

  void act() {
    scene_ = row_.scene ? row_.scene(stage_) : nullptr;
    stage_.start();
    if (!stage_.ready()) {
      complain("it does not become ready: " + stage_.process().err());
      return;
    }
    poller_ = std::make_unique<Poller>(stage_.address(), stage_.process().pid());
    auto const started = row_.shipped ? std::optional{monotonic_ns()} : stage_.trigger();
    if (!started) {
      complain("the fault does not begin: " + stage_.process().err());
      return;
    }
    before_ = runs_of(poller_->seen().last, "bystander");
    bool const again = !row_.environment.empty() && row_.end == End::quarantined;
    if (!row_.shipped && !again) stage_.untrigger();
    if (row_.outside) do_outside();
    if (!row_.subject.empty()) {
      notice(*started);
      if (row_.end != End::restarted) look_at_dump();
    }
    come_to_an_end();
    // What nobody made readable before the end, the next start does.
    if (row_.end == End::restarted) look_at_dump();
    if (!row_.says.empty() && stage_.process().err().find(row_.says) == std::string::npos) {
      complain("nothing says \"" + row_.says + "\": " + stage_.process().err());
    }
  }

  // Meanwhile somebody is watched for being accused, so it has its own thread where that matters.
  void do_outside() {
    if (row_.name == "WatchdogStopped") {
      int const pings = stage_.notify().pings();
      row_.outside(stage_);
      std::string const unhealthy = poller_->seen().unhealthy;
      missed_pings_ = stage_.notify().pings() - pings <= 2;
      if (!missed_pings_) complain("systemd was fed by a watchdog that did not run");
      if (unhealthy.find("watchdog") == std::string::npos) {
        complain("/-/healthy said nothing of the watchdog: " + unhealthy);
      }
      return;
    }
    row_.outside(stage_);
  }

  void notice(std::int64_t started) {
    bool const noticed = wait_until(
        [&] { return stalls_of(poller_->seen().last, row_.subject) >= 1 || !stage_.alive(); },
        kNotice);
    if (!noticed || stalls_of(poller_->seen().last, row_.subject) < 1) {
      complain("nobody noticed; the log: " + stage_.process().err());
      return;
    }
    outcome_.noticed_s = static_cast<double>(monotonic_ns() - started) / 1e9;
  }

  void look_at_dump() {
    std::optional<DumpFile> dump;
    wait_until(
        [&] {
          dump = find_dump(stage_.folder(), row_.subject);
          return dump.has_value();
        },
        20s);
    if (!dump) {
      complain("there is no dump");
      outcome_.verdict = "?";
      outcome_.culprit = "no dump";
      return;
    }
    outcome_.verdict = dump->verdict;
    if (!std::ranges::count(row_.verdicts, dump->verdict)) {
      complain("the verdict is " + dump->verdict + ", not " + row_.verdicts.front());
    }
    if (row_.culprit.empty()) {
      outcome_.culprit = "-";
      return;
    }
    if (auto const found = dump->place_of(row_.culprit)) {
      outcome_.culprit = *found;
    } else {
      outcome_.culprit = "no";
      complain("the dump does not name " + row_.culprit + " with its line: " + dump->path);
    }
  }

  bool bystander_goes_on() {
    double const now = runs_of(poller_->seen().last, "bystander");
    return wait_until([&] { return runs_of(poller_->seen().last, "bystander") > now; }, 10s);
  }

  void come_to_an_end() {
    switch (row_.end) {
      case End::recovered:
        recovered();
        break;
      case End::cancelled:
        cancelled();
        break;
      case End::stalled:
        stays_stalled();
        break;
      case End::restarted:
        restarted();
        break;
      case End::quarantined:
        quarantined();
        break;
      case End::refused:
        refused();
        break;
      case End::aborted:
        aborted();
        break;
      case End::stopped:
        stopped();
        break;
      case End::unharmed:
        unharmed();
        break;
    }
  }

  // While the loop lives the other probe runs meanwhile; where it hung, afterwards.
  void others_went_on(bool meanwhile) {
    if (!row_.others || row_.subject == "loop") {
      outcome_.others = "-";
      return;
    }
    bool const on = meanwhile || bystander_goes_on();
    outcome_.others = on ? "yes" : "no";
    if (!on) complain("the other probe did not go on");
  }

  void recovered() {
    auto const healthy = [this] {
      auto const seen = poller_->seen();
      return seen.health == 200 && seen.last.value("canaryd_executor_stalled") == 0.0;
    };
    others_went_on(false);
    bool const over = wait_until(healthy, kEnd) && wait_until_over() && bystander_goes_on();
    outcome_.end = over ? "recovered" : "hangs";
    if (!over) complain("it does not recover: " + stage_.process().err());
    told_the_truth();
    accused_nobody_else();
    leave();
  }

  // Every stall that the log tells of is over.
  bool wait_until_over() {
    return wait_until(
        [this] {
          std::string const hangs = http_get(stage_.address(), "/api/v1/hangs", 3s).body;
          return hangs.find("\"incidents\":[]") != std::string::npos;
        },
        kEnd);
  }

  void cancelled() {
    others_went_on(false);
    bool const failed = wait_until(
        [this] {
          return poller_->seen()
                     .last
                     .value("canaryd_probe_failures_total",
                            {label("probe", "victim"), label("reason", "stalled")})
                     .value_or(0) >= 1;
        },
        kEnd);
    double const runs = runs_of(poller_->seen().last, "victim");
    bool const again = failed && wait_until(
                                     [&] {
                                       auto const now = poller_->seen().last;
                                       return runs_of(now, "victim") > runs &&
                                              now.value("canaryd_probe_stalled",
                                                        {label("probe", "victim")}) == 0.0;
                                     },
                                     kEnd);
    outcome_.end = again ? "cancelled" : failed ? "cancelled, no further run" : "not cancelled";
    if (!again) complain("the run was not cancelled and followed by a good one");
    told_the_truth();
    accused_nobody_else();
    leave();
  }

  void stays_stalled() {
    others_went_on(false);
    auto const stalled = [this] {
      auto const seen = poller_->seen();
      return seen.last.value("canaryd_probe_stalled", {label("probe", "victim")}) == 1.0 &&
             stalls_of(seen.last, "run", "hung") >= 1;
    };
    bool const told = wait_until(stalled, kEnd);
    double const runs = runs_of(poller_->seen().last, "victim");
    bool const closed = bystander_goes_on() && bystander_goes_on() &&
                        runs_of(poller_->seen().last, "victim") == runs && stalled();
    outcome_.end = told && closed ? "stalled" : "not kept closed";
    if (!told) complain("nothing says that the run does not unwind");
    if (told && !closed) complain("a second run was started beside the stalled one");
    told_the_truth();
    accused_nobody_else();
    leave();
  }

  // Waits for the process's end by SIGABRT.
  bool dies() {
    auto const code = stage_.process().exit_code(std::chrono::seconds{70});
    poller_->stop();
    if (code == 128 + SIGABRT) return true;
    complain(code ? "it ended with " + std::to_string(*code) : "it does not end");
    outcome_.end = code ? "ended otherwise" : "hangs";
    return false;
  }

  void tells_of_it() {
    stage_.start(false);
    if (!stage_.ready()) {
      complain("it does not start again: " + stage_.process().err());
      return;
    }
    auto const page = stage_.metrics();
    outcome_.end = "restarted";
    // Whoever stalled last: others may have followed.
    auto subjects = row_.also;
    subjects.push_back(row_.subject);
    bool const told =
        page.value("canaryd_last_exit_unclean") == 1.0 &&
        page.value("canaryd_last_blind_seconds").value_or(0) > 0 &&
        std::ranges::any_of(subjects, [&page](std::string const& subject) {
          return page.value("canaryd_last_stall_timestamp_seconds", {label("subject", subject)})
              .has_value();
        });
    if (!told) complain("after the restart nothing tells of the stall");
  }

  void restarted() {
    bool const died = dies();
    told_the_truth();
    accused_nobody_else();
    outcome_.others = "-";
    if (!died) return;
    tells_of_it();
    leave();
  }

  void quarantined() {
    for (int time = 1; time < 3; ++time) {
      if (!dies()) return;
      stage_.start();
      // It hangs again as soon as the victim runs.
      if (!stage_.ready()) {
        complain("it does not start again: " + stage_.process().err());
        return;
      }
      poller_ = std::make_unique<Poller>(stage_.address(), stage_.process().pid());
      stage_.trigger();
    }
    if (!dies()) return;
    stage_.start();
    if (!wait_until([this] { return std::filesystem::exists(stage_.folder() / "address"); }, 20s)) {
      complain("it does not start again: " + stage_.process().err());
      return;
    }
    stage_.ready();  // the victim never runs: this waits for nothing, or fails
    poller_ = std::make_unique<Poller>(stage_.address(), stage_.process().pid());
    bool const out = wait_until(
        [this] {
          return poller_->seen().last.value("canaryd_probe_quarantined",
                                            {label("probe", "victim")}) == 1.0;
        },
        10s);
    bool const on = bystander_goes_on() && bystander_goes_on();
    outcome_.others = on ? "yes" : "no";
    outcome_.end = out && on ? "quarantined" : "not quarantined";
    if (!out) complain("the probe is not quarantined");
    if (!on) complain("the other probe does not run");
    leave();
  }

  void refused() {
    bool const failed = wait_until(
        [this] {
          return poller_->seen()
                     .last
                     .value("canaryd_probe_failures_total",
                            {label("probe", "victim"), label("reason", "internal")})
                     .value_or(0) >= 1;
        },
        kEnd);
    others_went_on(false);
    outcome_.end = failed ? "refused" : "not refused";
    if (!failed) complain("the run did not fail as a defect");
    accused_nobody_else();
    told_the_truth();
    leave();
  }

  void aborted() {
    outcome_.others = "-";
    if (dies()) outcome_.end = "aborted";
    told_the_truth();
  }

  void stopped() {
    told_the_truth();
    accused_nobody_else();
    outcome_.others = "-";
    poller_->stop();
    stage_.process().signal(SIGTERM);
    auto const code = stage_.process().exit_code(std::chrono::seconds{25});
    outcome_.end = code ? "stopped" : "hangs";
    if (!code) complain("the stop hangs");
  }

  void unharmed() {
    bool shown = row_.shows.empty() || row_.name == "WatchdogStopped";
    if (!shown) {
      std::vector<std::string> const labels(row_.shows.begin() + 1, row_.shows.end());
      shown = wait_until([&] { return poller_->seen().last.sum(row_.shows.front(), labels) > 0; },
                         kEnd);
      if (!shown) complain(row_.shows.front() + " says nothing of it");
    }
    bool const on = bystander_goes_on() && bystander_goes_on();
    outcome_.others = row_.others ? (on ? "yes" : "no") : "-";
    if (!on) complain("the other probe does not run");
    bool const healthy = poller_->seen().health == 200;
    if (!healthy) complain("/-/healthy: " + poller_->seen().unhealthy);
    outcome_.end = on && healthy && stage_.alive() ? "unharmed" : "harmed";
    outcome_.verdict = "none";
    outcome_.culprit = "-";
    accused_nobody_else();
    told_the_truth();
    leave();
  }

  void accused_nobody_else() {
    auto const page = poller_->seen().last;
    for (std::string const subject : {"loop", "run", "scheduler", "disk", "cpu", "server",
                                      "resolver", "main", "log", "emergency"}) {
      bool const allowed = subject == row_.subject || std::ranges::count(row_.also, subject) > 0;
      if (allowed || stalls_of(page, subject) == 0) continue;
      complain("without reason it accused: " + subject + "; the log: " + stage_.process().err());
      if (outcome_.verdict == "none") outcome_.verdict = "accused " + subject;
    }
  }

  void told_the_truth() {
    auto const seen = poller_->seen();
    if (row_.no_metrics) {
      outcome_.metrics = "-";
    } else if (row_.emergency) {
      answered_in_emergency(seen);
    } else if (seen.missing > 0) {
      outcome_.metrics = "no";
      complain(std::to_string(seen.missing) + " times /metrics or /-/healthy did not answer");
    } else {
      outcome_.metrics = "yes, within " + milliseconds(seen.slowest_s);
    }
    if (row_.subject == "loop" && !row_.no_metrics) {
      bool const true_health = seen.stalled_unhealthy > 0 && seen.stalled_healthy == 0;
      outcome_.truth = true_health ? "yes" : "no";
      if (seen.stalled_unhealthy == 0) complain("/-/healthy never told of the stalled loop");
      if (seen.stalled_healthy > 0) complain("/-/healthy was 200 while the loop was stalled");
    } else {
      bool const silent = row_.stands && !row_.no_metrics && seen.stalled_unhealthy == 0;
      bool const lied = (seen.stalled_unhealthy > 0 && !row_.stands) || seen.stalled_healthy > 0;
      outcome_.truth = lied || silent ? "no" : "yes";
      if (lied && row_.subject != "loop") complain("the loop was called stalled and was not");
      if (silent) complain("nobody told that the loop does not turn");
    }
  }

  // Each of the server's threads may take one connection with it; nobody else goes without.
  void answered_in_emergency(Poller::Seen const& seen) {
    outcome_.metrics = "by the watchdog";
    if (seen.emergency == 0) {
      outcome_.metrics = "no";
      complain("the emergency page was not served");
    }
    if (seen.missing > 3) {
      complain(std::to_string(seen.missing) + " times nobody answered: more than can be stuck");
    }
    if (seen.missing_then > 0) {
      outcome_.metrics = "no";
      complain(std::to_string(seen.missing_then) + " times nobody answered in the server's stead");
    }
    if (seen.last.value("canaryd_emergency_page") != 0.0) {
      complain("the emergency page is still served");
    }
    if (seen.last.value("canaryd_emergency_answers_total", {label("handler", "/metrics")})
            .value_or(0) < 1) {
      complain("afterwards nothing tells that the emergency page was served");
    }
  }

  void leave() {
    poller_->stop();
    stage_.process().signal(SIGTERM);
    if (!stage_.process().exit_code(std::chrono::seconds{25})) complain("it does not stop");
    for (char const* const report : {"Sanitizer: ", "runtime error: "}) {
      auto const log = stage_.process().err();
      if (log.find(report) != std::string::npos) complain("a sanitizer reports: " + log);
    }
    // For who looks into a row.
    if (std::getenv("CANARY_FAULTS_LOG") != nullptr) {
      std::fprintf(stderr, "%s", stage_.process().err().c_str());
    }
  }

  Row const& row_;
  Outcome outcome_;
  std::shared_ptr<void> scene_;
  Stage stage_;
  std::unique_ptr<Poller> poller_;
  double before_ = 0;
  bool missed_pings_ = false;
};

}  // namespace

Outcome run_row(Row const& row) {
  Outcome outcome;
  std::thread{[&] { outcome = Play{row}.run(); }}.join();
  return outcome;
}

}  // namespace canary::faults
