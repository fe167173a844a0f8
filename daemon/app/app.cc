// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/app.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "config/duration.h"
#include "config/touched_files.h"
#include "daemon/app/descriptor_shares.h"
#include "daemon/app/last_run.h"
#include "daemon/app/writable.h"
#include "daemon/publish/first_steps.h"
#include "runtime/block_on.h"
#include "runtime/deadline.h"
#include "runtime/limits.h"
#include "runtime/refusal.h"

namespace canary::daemon {
namespace {

using runtime::Deadline;
using runtime::Task;
using namespace std::chrono_literals;

constexpr auto kLoopAnswers = 10s;  // for what the loop is asked to do
constexpr auto kStopMargin = 5s;    // beyond that the watchdog ends a stop that hangs

}  // namespace

App::App(Setup setup)
    : options_(std::move(setup.options)),
      base_(std::make_shared<config::Config const>(std::move(setup.config))),
      lists_(std::make_shared<TakenLists const>(std::move(setup.lists))),
      config_(std::make_shared<config::Config const>(merged(*base_, *lists_))),
      descriptors_(setup.descriptors),
      stop_(std::move(setup.stop)),
      places_(places(config_->state_directory)),
      lock_(std::move(setup.lock)),
      dumps_(*config_, places_),
      log_(setup.log),
      steps_(setup.steps),
      reloads_(setup.reloads),
      watchdog_(setup.watchdog),
      services_(std::make_unique<Services>(*config_, options_.config_file, loop_.executor(), log_,
                                           watchdog_)),
      orders_([this](Order order, std::shared_ptr<Orders::Ticket> ticket) {
        loop_.post([this, order = std::move(order), ticket = std::move(ticket)] {
          services_->carry_out(order, ticket);
        });
      }),
      lists_came_(std::move(setup.lists_came)) {
  if (setup.access) gate_.emplace(std::move(setup.access));
  show_config();
  if (options_.around_runs) services_->put_around_runs(options_.around_runs, loop_, log_);
  dumps_.read_log(log_);
  dumps_.ask(watchdog_);
  tell_longest_lookup(*config_);
  // Last: from now on it uses what is here, until it is ended.
  watchdog_.adopt({.settings = config_->watchdog,
                   .memory_directory = places_.runtime,
                   .dumper = dumps_.dumper(),
                   .dump_writer = dumps_.dump_writer(),
                   .crash = dumps_.black_box().words});
}

App::~App() {
  server_.reset();
  services_.reset();
  loop_.stop();
  loop_.join();
  watchdog_.end();
  bool const cared = dumps_.end_care();
  if (!left_behind_ && cared) return;
  // Whatever else there is to be closed may be on the same disk.
  log_.flush(1s);
  ::_exit(kExitClean);
}

bool App::start() {
  try {
    return start_all();
  } catch (std::exception const& failed) {
    if (!stop_.stop_requested()) {
      log_.error("cannot start", {{"detail", runtime::explain(failed)}});
    }
    return false;
  }
}

void App::look_after_dumps() {
  watchdog_.dump_helper(dumps_.helper_is_up(), dumps_.helper_restarts());
  dumps_.look_after(log_);
}

// Where it has come to, for whoever waits. False once the daemon is to stop.
bool App::step(std::string const& what) {
  steps_.enter(what);
  watchdog_.progressed(what);
  return !stop_.stop_requested();
}

bool App::start_all() {
  if (!step("preparing " + config_->state_directory.string())) return false;
  tell_of_folders();
  tell_of_the_last_run(log_, watchdog_, dumps_, *config_);
  if (!step("starting the loop")) return false;
  loop_.start();
  if (!step("reading " + saved_directory(*config_).string())) return false;
  auto saved = [this] {
    config::OnEachFile const tell{[](auto const&) {}, [this] { steps_.goes_on(); }};
    return load_saved_states(saved_directory(*config_), config_->probes, log_);
  }();
  if (!step("scheduling " + std::to_string(config_->probes.size()) + " probes")) return false;
  auto const inherited = inherited_listeners();
  if (!inherited) return false;
  config::Config wanted = *config_;
  if (!inherited->empty()) wanted.web.listen_addresses.resize(inherited->size());  // their shares
  auto const fitted = fit(std::move(wanted));
  if (gate_) {
    services_->watch({.file = options_.web_config_file,
                      .in_force = [this] { return gate_->access(); },
                      .taken =
                          [this](WebAccessPointer const& access) {
                            if (take_access(access)) services_->web_files_accepted();
                          },
                      .refused =
                          [this](auto const& problems) {
                            refuse_access(problems);
                            services_->web_files_refused(to_text(problems.front()));
                          }});
  }
  if (fitted.remote_write.url) {
    services_->send_metrics(fitted.remote_write, [this] { return own_page(); });
  }
  services_->discover(
      [this](std::vector<FetchedListPointer> lists) { offer_lists(std::move(lists)); });
  ask(services_->start(fitted, std::move(saved), in_force(*lists_)));
  if (!step("opening the listeners")) return false;
  std::string const private_path = private_socket();
  auto server = Server::start(fitted.web, sources(), private_path, *inherited);
  if (!server) {
    log_.error("cannot serve metrics", {{"detail", server.error()}});
    return false;
  }
  server_ = std::move(server).value();
  for (auto const& address : server_->addresses()) {
    if (gate_ && gate_->access()->tls) {
      log_.info("listening", {{"address", address}, {"scheme", "https"}});
    } else {
      log_.info("listening", {{"address", address}});
    }
  }
  log_.info("monitoring", {{"version", CANARY_VERSION},
                           {"probes", config_->probes.size()},
                           {"config", options_.config_file}});
  tell_of_share();
  watch_server(inherited->size());
  if (!dumps_.trouble().empty()) {
    log_.warn("dumps will be poorer than they could be", {{"detail", dumps_.trouble()}});
  }
  watchdog_.dump_helper(dumps_.helper_is_up(), dumps_.helper_restarts());
  step("waiting for the loop's first beat");
  watchdog_.ready();
  if (options_.started) options_.started(server_->addresses());
  return true;
}

int App::stop() {
  log_.info("stopping");
  auto const limit = config_->scheduler.stop_timeout + kLoopAnswers;
  step("waiting for the runs that go on");
  watchdog_.stopping(limit + kStopMargin);
  bool clean = false;
  watchdog_.leave_server_alone();
  if (!loop_.running()) return kExitClean;  // it was never started
  try {
    clean = runtime::block_on(loop_, services_->stop(), Deadline::after(limit));
  } catch (std::exception const& failed) {
    log_.error("the loop did not stop in time; ending the process", {{"detail", failed.what()}});
    log_.flush(1s);
    ::_exit(kExitFailure);
  }
  step("closing the listeners");
  if (server_) server_->stop();
  log_.info("stopped", {{"clean", clean}});
  // A run that did not unwind still uses what would be destroyed here.
  if (!clean) {
    log_.flush(1s);
    ::_exit(kExitFailure);
  }
  step("ending the loop");
  loop_.stop();
  loop_.join();
  step("finishing what is to be written to the disk");
  for (auto const& job : services_->standing()) {
    log_.warn("a disk does not answer; what waits for it is left behind", {{"detail", job}});
    left_behind_ = true;
  }
  return kExitClean;
}

void App::tell_longest_lookup(config::Config const& config) {
  std::chrono::milliseconds longest{1'000};
  for (auto const& probe : config.probes) {
    longest = std::max(longest, probe.http.resolve_timeout);
  }
  watchdog_.set_resolve_limit(longest);
}

void App::ask(Task<void> work) {
  try {
    runtime::block_on(loop_, std::move(work), Deadline::after(kLoopAnswers), stop_);
  } catch (runtime::DeadlinePassed const&) {
    throw std::runtime_error("canaryd's loop did not do it within " +
                             config::to_text(kLoopAnswers) +
                             ": it hangs, or is late; canaryd status says more");
  }
}

void App::ask_for_whole(
    std::function<runtime::Task<void>(Services::Decided decided)> const& change) {
  auto const decided = std::make_shared<std::atomic<bool>>(false);
  try {
    ask(change(decided));
  } catch (std::exception const& failed) {
    // A loop that turns again later does not take it over after all, unless it is at it.
    if (!decided->exchange(true)) throw;
    log_.warn("the loop is slow to take over what changed", {{"detail", runtime::explain(failed)}});
  }
}

// With as many clients and probes as there are descriptors for.
config::Config App::fit(config::Config config) {
  auto const shares = share_descriptors(descriptors_, config);
  if (!shares.cut.empty()) {
    log_.warn("few descriptors may be open", {{"detail", shares.cut}});
  }
  services_->allow_spare_connections(shares.spare_connections);
  config.web.max_connections = shares.max_connections;
  config.scheduler.max_concurrent_runs = shares.max_concurrent_runs;
  return config;
}

// Without its folders the daemon watches all the same.
void App::tell_of_folders() {
  for (auto const& each : lock_.troubles()) {
    log_.warn("a folder of canaryd's own is not to be had", {{"detail", each}});
  }
  for (auto const& each : find_unwritable(places_, *config_)) {
    log_.warn("cannot write what is to be kept: " + each.consequence,
              {{"directory", each.folder.string()}, {"detail", each.why}});
  }
}

void App::tell_of_share() {
  if (!config_->shard.is_all()) {
    log_.info("watches a share of the probes", {{"shard", to_text(config_->shard)},
                                                {"probes", config_->probes.size()},
                                                {"elsewhere", config_->elsewhere}});
  }
  if (!config_->discovery.empty()) {
    log_.info("follows lists of probes",
              {{"sources", config_->discovery.size()}, {"kept", lists_->size()}});
    return;
  }
  if (std::ranges::any_of(config_->probes, &config::ProbeSpec::enabled)) return;
  if (config_->elsewhere > 0) {
    log_.warn("nothing is watched by this shard: all probes fall to others",
              {{"shard", to_text(config_->shard)}});
    return;
  }
  log_.warn("nothing is watched yet: no probe is enabled",
            {{"do", first_steps(options_.config_file)}});
}

}  // namespace canary::daemon
