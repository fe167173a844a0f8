// SPDX-License-Identifier: Apache-2.0
// One canaryd-faults with a folder of its own, two probes on a good repository ("bystander" and
// "victim"), small limits, and everything that can be seen of it from outside.
// Thread: the one that made it; child processes end with it. The poller has its own.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/shim.h"
#include "tests/support/child_process.h"

namespace canary::faults {

using Clock = std::chrono::steady_clock;

// A page of metrics.
struct Metrics {
  std::string text;
  // The first series of that name which has all of these labels ("level=\"stalled\"").
  std::optional<double> value(std::string const& name, std::vector<std::string> labels = {}) const;
  // All of them together.
  double sum(std::string const& name, std::vector<std::string> labels = {}) const;
};

struct HttpReply {
  int status = 0;  // 0: no answer
  std::string body;
};
HttpReply http_get(std::string const& address, std::string const& path,
                   std::chrono::milliseconds limit);

// Asks for /metrics and /-/healthy again and again.
class Poller {
 public:
  // `process` is the one that is asked: what it does not answer any more once it has ended is no
  // miss.
  Poller(std::string address, int process);
  ~Poller();
  Poller(Poller const&) = delete;
  Poller& operator=(Poller const&) = delete;

  struct Seen {
    Metrics last;          // of the last answer
    int answers = 0;       // to /metrics
    int missing = 0;       // /metrics or /-/healthy did not answer within two seconds
    int emergency = 0;     // of the answers: the watchdog's own page
    int missing_then = 0;  // of the missing: after the first of those
    double slowest_s = 0;
    int stalled_unhealthy = 0;  // the loop is called stalled, and canaryd not healthy
    int stalled_healthy = 0;    // the loop is called stalled, and canaryd healthy
    std::string unhealthy;      // the last reason that /-/healthy gave
    int health = 0;             // last status
  };
  Seen seen() const;
  // No more questions: the process is about to end or to be started anew.
  void stop();

 private:
  void run();
  bool ended() const;

  std::string address_;
  int process_;
  mutable std::mutex mutex_;
  Seen seen_;
  bool stop_ = false;
  std::thread thread_;
};

// What systemd would be told.
class NotifySocket {
 public:
  explicit NotifySocket(std::filesystem::path const& file);
  ~NotifySocket();
  NotifySocket(NotifySocket const&) = delete;
  NotifySocket& operator=(NotifySocket const&) = delete;
  int pings();  // WATCHDOG=1 so far
  std::string status() { return pings(), status_; }

 private:
  int socket_ = -1;
  int pings_ = 0;
  std::string status_;
};

class Stage {
 public:
  // `watchdog` and `more` are lines of YAML: fields of `watchdog:` and of the top level; `victim`
  // of the probe.
  struct Settings {
    std::string fault;
    int ms = 0;
    std::string watchdog, more, victim;
    std::vector<std::string> environment;
    int bystanders = 0;  // more of them: "bystander-1", …
    // The program as it is shipped, with a shim preloaded, instead of the one with faults built in.
    bool shipped = false;
    bool default_limits = false;  // the watchdog's, where `watchdog` says nothing else
    std::string listen = "127.0.0.1:0";
    std::vector<std::string> arguments = {};  // of `canaryd run`
  };
  explicit Stage(Settings settings);
  ~Stage();
  Stage(Stage const&) = delete;
  Stage& operator=(Stage const&) = delete;

  std::filesystem::path const& folder() const { return folder_; }
  std::filesystem::path state() const { return folder_ / "state"; }
  void add_environment(std::string variable) { settings_.environment.push_back(variable); }
  // Before it starts: one more probe, of the repository at that URL; `more` are lines of YAML.
  void add_probe(std::string const& name, std::string const& metadata_url,
                 std::string const& more = "");
  // Gives the probes another timeout than the file had before, for a reload to take over.
  void change_timeouts();
  // What the program is started by, instead of directly.
  void start_through(std::vector<std::string> wrapper) { wrapper_ = std::move(wrapper); }

  void start(bool with_fault = true);
  // Both probes have run; false, after long, where not.
  bool ready();
  support::ChildProcess& process() { return *process_; }
  bool alive() { return !process_->exit_code(std::chrono::seconds{0}).has_value(); }
  std::string const& address() const { return address_; }
  Metrics metrics() { return {http_get(address_, "/metrics", std::chrono::seconds{3}).body}; }
  NotifySocket& notify() { return notify_; }
  // Calls `what` after `span`, on a thread of its own that ends with this.
  void later(std::chrono::milliseconds span, std::function<void()> what);
  // REQUIRES: shipped.
  Shim& shim() { return *shim_; }
  // Does `canaryd dump` get a whole dump of it?
  bool dump() const;

  // Lets the fault begin; CLOCK_MONOTONIC nanoseconds when it did.
  std::optional<std::int64_t> trigger();
  void untrigger() const;
  // The child's threads whose name begins so, and what that name is.
  std::vector<int> threads_called(std::string const& prefix) const;
  std::string name_of(int thread) const;

 private:
  std::string configuration() const;
  std::vector<std::string> own_environment() const;
  std::optional<std::string> find_address() const;

  Settings settings_;
  std::filesystem::path folder_;
  NotifySocket notify_;
  std::unique_ptr<Shim> shim_;
  std::string more_probes_;
  int timeout_s_ = 30;
  std::vector<std::string> wrapper_;
  std::string address_;
  std::unique_ptr<support::ChildProcess> process_;
  std::vector<std::jthread> later_;
};

double runs_of(Metrics const& metrics, std::string const& probe);
std::int64_t monotonic_ns();
// Waits for something, for so long; false where it does not come.
bool wait_until(std::function<bool()> const& condition, std::chrono::milliseconds limit);

}  // namespace canary::faults
