// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/show_probe.h"
#include "daemon/app/app.h"
#include "daemon/app/run_text.h"
#include "daemon/app/runs_in_flight.h"
#include "daemon/publish/hang_metrics.h"
#include "daemon/publish/own_state.h"

namespace canary::daemon {

namespace {

page::OwnState own_state_with_runs(watchdog::Record const& record, SysTime now) {
  auto own = own_state(record, *runtime::tables(), now);
  own.runs = runs_in_flight(*runtime::tables());
  return own;
}

// As many as the file may name, with the private one what the emergency thread has room for.
constexpr std::size_t kMostInherited = 15;

}  // namespace

Sources App::sources() {
  auto const& record = watchdog_.record();
  WebPlace place = options_.place;
  if (place.host.empty() && gate_ && gate_->access()->tls) place.https = true;
  return {.store = services_->results(),
          .healthy =
              [&record] {
                auto const health = executor_health(record, *runtime::tables());
                return Health{health.ok, health.reason};
              },
          .live =
              [&record] {
                auto const health = liveness(record);
                return Health{health.ok, health.reason};
              },
          .log_lines_dropped = [this] { return log_.dropped(); },
          .wall_clock = wall_now,
          .hang_metrics =
              [&record](std::string& page, Snapshot const& snapshot, SysTime now) {
                append_hang_metrics(page, record, *runtime::tables(), snapshot, now);
              },
          .hangs = [&record](SysTime now) { return hangs_json(record, *runtime::tables(), now); },
          .own_state = [&record](SysTime now) { return own_state_with_runs(record, now); },
          .executor_text = [this] { return dumps_.text_now(watchdog_.record()); },
          .executor_json = [this] { return dumps_.json_now(watchdog_.record()); },
          .dumps = &dumps_.answers(),
          .stored_dumps = &dumps_.stored(),
          .reloads = &reloads_,
          .orders = &orders_,
          .config_text = [this] { return config_text(); },
          .probe_config = [this](std::string const& probe) { return probe_config(probe); },
          .run_text = run_text,
          .told_full = [this](std::string_view address, std::size_t most,
                              bool full) { tell_of_full(address, most, full); },
          .answering = &watchdog_.answering(),
          .history = &services_->history(),
          .pushed = [this] { return services_->pushed(); },
          .asking = &watchdog_.asking(),
          .place = std::move(place),
          .gate = gate_ ? &*gate_ : nullptr};
}

void App::tell_of_full(std::string_view address, std::size_t most, bool full) {
  LogFields const where{{"address", address}, {"max_connections", most}};
  if (full) {
    log_.warn("the HTTP server is full: clients that are idle are cut to make room", where);
  } else {
    log_.info("the HTTP server has room again", where);
  }
}

void App::show_config() {
  std::lock_guard const lock{shown_mutex_};
  shown_ = config_;
  shown_text_ = nullptr;
}

std::string App::config_text() const {
  std::shared_ptr<config::Config const> shown;
  std::shared_ptr<std::string const> text;
  {
    std::lock_guard const lock{shown_mutex_};
    shown = shown_;
    text = shown_text_;
  }
  if (text) return *text;
  text = std::make_shared<std::string const>(config::show(*shown));
  std::lock_guard const lock{shown_mutex_};
  if (shown_ == shown) shown_text_ = text;  // else a reload was faster
  return *text;
}

std::string App::probe_config(std::string const& probe) const {
  std::shared_ptr<config::Config const> shown;
  {
    std::lock_guard const lock{shown_mutex_};
    shown = shown_;
  }
  auto const found =
      std::ranges::find(shown->probes, probe, [](auto const& each) { return each.name.text; });
  return found == shown->probes.end() ? std::string{} : config::show_probe(*found);
}

void App::watch_server(std::size_t inherited) {
  outside_listeners_.store(server_->addresses().size());
  guard_listeners();
  watchdog_.answer_for_server_on(server_->sockets(), unchanging_metrics(own_page()), inherited);
}

std::optional<std::vector<int>> App::inherited_listeners() {
  auto const& all = dumps_.listeners();
  if (options_.systemd_sockets) {
    if (!all.empty() && all.size() <= kMostInherited) return all;
    log_.error("cannot serve metrics",
               {{"detail", all.empty() ? "--web.systemd-socket, and no socket was handed over: is "
                                         "canaryd.socket active?"
                                       : "more sockets were handed over than can be served"},
                {"sockets", all.size()}});
    return std::nullopt;
  }
  if (!all.empty()) {
    log_.warn("sockets were handed over and are closed: --web.systemd-socket would serve on them",
              {{"sockets", all.size()}});
  }
  for (int const each : all) ::close(each);
  return std::vector<int>{};
}

// The private one is the last.
void App::guard_listeners() {
  bool const open = !gate_ || gate_->access()->is_open();
  watchdog_.guard_listeners(open ? 0 : outside_listeners_.load());
}

bool App::take_access(WebAccessPointer const& access) {
  if ((access->tls != nullptr) != (gate_->access()->tls != nullptr)) {
    std::lock_guard const lock{access_mutex_};
    if (std::exchange(access_waits_for_restart_, access->identity) != access->identity) {
      log_.warn("TLS is switched on or off by a restart alone; what was read is not in force",
                {{"file", options_.web_config_file}});
    }
    return false;
  }
  gate_->replace(access);
  guard_listeners();
  log_.info("the HTTP server's certificate, users and headers were read again",
            {{"file", options_.web_config_file}, {"users", access->users.size()}});
  return true;
}

void App::refuse_access(std::vector<config::Problem> const& problems) {
  for (auto const& problem : problems) {
    log_.error("TLS and users of the HTTP server refused, those in force stay",
               {{"problem", to_text(problem)}});
  }
}

// The metrics as the server has them.
std::string App::own_page() {
  HttpRequest const request{.method = "GET", .path = "/metrics"};
  return Routes{sources()}.respond(request).body;
}

// Where `canaryd dump` and `status` ask; "" where there can be none.
std::string App::private_socket() {
  std::string path = places_.socket().string();
  auto const in_use = Server::private_socket_trouble(path);
  if (in_use.empty()) return path;
  log_.warn("no private listener: canaryd dump and status will not find this process",
            {{"detail", in_use}});
  return {};
}
}  // namespace canary::daemon
