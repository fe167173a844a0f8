// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/allocations.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "tests/faults/scenes.h"
#include "tests/support/hostile_server.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;

constexpr auto kOperation = 8s;  // for one, at most
constexpr auto kSettles = 20s;   // then it must be as before, or have ended
constexpr int kLookDeeper = 16;  // a reload and a dump after so many

// Whose allocations fail. What observes is not among them.
std::string threads_of(Operation operation) {
  switch (operation) {
    case Operation::run:
      return ",loop,cpu,disk,files,log,";
    case Operation::reload:
      return ",control,reload,loop,disk,log,canaryd,dump care,";
    case Operation::scrape:
      return ",http,MHD,";
    case Operation::dump:
      return ",http,MHD,control,log,dump care,";
  }
  return {};
}

class Sweep {
 public:
  explicit Sweep(AllocationPlan const& plan) : plan_(plan) {
    server_.on_any([](auto&, auto&) {});
  }

  AllocationOutcomes run() {
    std::int64_t done = 0;
    for (std::int64_t n = plan_.first;; n += plan_.stride) {
      if (plan_.most != 0 && done == plan_.most) break;
      if (!stage_ && !begin()) break;
      number_ = n;
      if (!fail_one(n)) {
        result_.allocations = n;
        break;
      }
      ++done;
      if (stage_ && done % kLookDeeper == 0) look_deeper();
    }
    if (stage_) {
      look_deeper();
      end();
    }
    return std::move(result_);
  }

 private:
  void wrong(std::string const& what) {
    std::string const log = stage_ ? stage_->process().err() : "";
    constexpr std::size_t kTail = 1'500;
    result_.wrong.push_back(to_text(plan_.operation) + ", allocation " + std::to_string(number_) +
                            ": " + what + "\n" +
                            log.substr(log.size() > kTail ? log.size() - kTail : 0));
  }

  bool begin() {
    stage_ = std::make_unique<Stage>(Stage::Settings{
        .watchdog = "on_dead: abort", .victim = "    http: {max_attempts: 1}\n", .shipped = true});
    server_.on_any(files_of(stage_->folder() / "repository"));
    stage_->add_probe("remote", server_.url("/metadata", "localhost"));
    stage_->start();
    if (!stage_->ready()) {
      wrong("it does not start");
      stage_.reset();
      return false;
    }
    settled();
    wait_until([this] { return names().size() == names().size() && has_run_all(); }, 10s);
    names_ = names();
    return true;
  }

  void end() {
    stage_->process().signal(SIGTERM);
    auto const code = stage_->process().exit_code(std::chrono::seconds{25});
    if (code != 0) wrong("it does not stop in order: " + (code ? std::to_string(*code) : "hangs"));
    stage_.reset();
  }

  // The names of its threads that last.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (int const thread : stage_->threads_called("")) {
      std::ifstream file{"/proc/" + std::to_string(stage_->process().pid()) + "/task/" +
                         std::to_string(thread) + "/comm"};
      std::string name;
      std::getline(file, name);
      if (name != "dump care" && name != "reload" && !name.empty()) all.push_back(name);
    }
    std::ranges::sort(all);
    return all;
  }

  bool has_run_all() const { return runs_of(stage_->metrics(), "remote") >= 1; }

  static std::vector<double> runs(Metrics const& page) {
    std::vector<double> all;
    for (char const* const probe : {"bystander", "victim", "remote"}) {
      all.push_back(runs_of(page, probe));
    }
    return all;
  }

  static bool each_more(std::vector<double> const& before, std::vector<double> const& now) {
    return std::ranges::equal(before, now, [](double a, double b) { return a < b; });
  }

  // All probes run, and well; everybody is there.
  bool well(std::vector<double> const& runs_before) const {
    auto const page = stage_->metrics();
    if (!each_more(runs_before, runs(page))) return false;
    for (char const* const probe : {"bystander", "victim", "remote"}) {
      std::string const label = std::string{"probe=\""} + probe + "\"";
      if (page.value("canaryd_probe_success", {label}) != 1.0) return false;
    }
    auto const now = names();
    return std::ranges::includes(now, names_) &&
           http_get(stage_->address(), "/-/healthy", 3s).status == 200;
  }

  bool settled() {
    auto const before = runs(stage_->metrics());
    return wait_until([&] { return well(before) || !stage_->alive(); }, kSettles);
  }

  std::string what_is_not_well() const {
    auto const page = stage_->metrics();
    std::string text = "half-dead: /-/healthy " +
                       std::to_string(http_get(stage_->address(), "/-/healthy", 3s).status) +
                       ", runs";
    for (double const each : runs(page)) text += " " + std::to_string(static_cast<int>(each));
    auto const now = names();
    std::vector<std::string> missing;
    std::ranges::set_difference(names_, now, std::back_inserter(missing));
    for (auto const& each : missing) text += ", no thread " + each;
    return text;
  }

  // False once no allocation was left to fail.
  bool fail_one(std::int64_t n) {
    failures_ = stage_->metrics().sum("canaryd_probe_failures_total");
    said_ = stage_->process().err().size();
    if (plan_.operation == Operation::run) wait_for_a_pause();
    stage_->shim().arm_allocations(threads_of(plan_.operation), n, plan_.count);
    std::string const told = perform();
    bool const failed = stage_->shim().allocations_failed() > 0;
    bool const alive = stage_->alive();
    stage_->shim().disarm_allocations();
    if (!failed && alive) return false;
    ++result_.failed;
    // What ends by a failure ends soon.
    bool const well = settled();
    if (!stage_->alive()) {
      ended();
    } else if (!well) {
      wrong(what_is_not_well());
      stage_.reset();
    } else {
      ++result_.ends[told.empty() ? ended_well() : told];
    }
    return true;
  }

  std::string ended_well() const {
    bool const finding = stage_->metrics().sum("canaryd_probe_failures_total") > failures_;
    return finding ? "finding" : "unnoticed";
  }

  void ended() {
    auto const code = stage_->process().exit_code(std::chrono::seconds{20});
    std::string const log = stage_->process().err();
    bool const dumped = std::ranges::any_of(
        std::filesystem::recursive_directory_iterator{stage_->folder()}, [](auto const& entry) {
          auto const name = entry.path().filename().string();
          return name.find("-ended") != std::string::npos;
        });
    if (code != 128 + SIGABRT) wrong("it ended with " + (code ? std::to_string(*code) : "nothing"));
    if (!dumped) wrong("it ended without a dump");
    ++result_.ends["restarted"];
    ++result_.restarts[last_word(log)];
    stage_.reset();
  }

  // The log's last line of why, without its time.
  static std::string last_word(std::string const& log) {
    auto at = log.rfind("canaryd: ");
    if (auto const told = log.rfind("ending the process"); at == std::string::npos) at = told;
    if (at == std::string::npos) return "nothing";
    return log.substr(at, std::min<std::size_t>(log.find('\n', at) - at, 150));
  }

  // The runs of this second are over.
  void wait_for_a_pause() {
    auto const before = runs(stage_->metrics());
    wait_until([&] { return each_more(before, runs(stage_->metrics())) || !stage_->alive(); }, 5s);
  }

  // What was told of the failure; empty where the runs tell.
  std::string perform() {
    switch (plan_.operation) {
      case Operation::run:
        return perform_run();
      case Operation::reload:
        return perform_reload();
      case Operation::scrape:
        return perform_scrape();
      case Operation::dump:
        return stage_->dump() ? "dumped all the same" : "no dump, and told";
    }
    return {};
  }

  std::string perform_run() {
    auto const before = runs(stage_->metrics());
    wait_until(
        [&] {
          return each_more(before, runs(stage_->metrics())) || !stage_->alive() ||
                 stage_->shim().allocations_failed() >= plan_.count;
        },
        kOperation);
    return {};
  }

  std::string perform_reload() {
    stage_->change_timeouts();
    stage_->process().signal(SIGHUP);
    std::string told = "no word of the reload";
    wait_until(
        [&] {
          std::string const log = stage_->process().err().substr(said_);
          if (log.find("configuration reloaded") != std::string::npos) told = "reloaded";
          for (char const* const refusal :
               {"the reload failed", "configuration refused", "reload refused"}) {
            if (log.find(refusal) != std::string::npos) told = "refused, and told";
          }
          return told != "no word of the reload" || !stage_->alive();
        },
        kOperation);
    if (told == "no word of the reload" && stage_->alive()) wrong("nothing tells of the reload");
    return told;
  }

  std::string perform_scrape() {
    bool all = true;
    for (char const* const path :
         {"/metrics", "/", "/api/v1/probes", "/api/v1/status", "/api/v1/executor"}) {
      all = http_get(stage_->address(), path, 3s).status == 200 && all;
    }
    return all ? "answered all the same" : "503, or the connection closed";
  }

  // Reloads and dumps go on.
  void look_deeper() {
    said_ = stage_->process().err().size();
    if (perform_reload() != "reloaded") wrong("it does not reload any more");
    if (!stage_->dump()) wrong("it does not dump any more");
    if (!settled() || !stage_->alive()) wrong(what_is_not_well());
  }

  AllocationPlan const plan_;
  AllocationOutcomes result_;
  support::HostileServer server_;
  std::unique_ptr<Stage> stage_;
  std::vector<std::string> names_;
  double failures_ = 0;
  std::size_t said_ = 0;  // of the log, before the operation
  std::int64_t number_ = 0;
};

}  // namespace

std::string to_text(Operation operation) {
  constexpr char const* kNames[] = {"run", "reload", "scrape", "dump"};
  return kNames[static_cast<int>(operation)];
}

AllocationOutcomes fail_allocations(AllocationPlan const& plan) { return Sweep{plan}.run(); }

}  // namespace canary::faults
