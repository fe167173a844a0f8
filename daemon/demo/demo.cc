// SPDX-License-Identifier: Apache-2.0
// Puts the demo together: directory, child, configuration, and what it tells a person.
// Thread: main.
#include "daemon/demo/demo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "config/duration.h"
#include "probes/openpgp/spec.h"
#include "probes/tuf/spec.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;

constexpr config::milliseconds kInterval{10s};
constexpr config::milliseconds kTimeout{8s};  // a run ends before the next is due

config::HttpSettings demo_http() {
  config::HttpSettings http;
  http.resolve_timeout = http.connect_timeout = http.tls_timeout = 2s;
  http.first_byte_timeout = 3s;
  http.idle_timeout = 3s;
  http.min_rate = 1024;
  http.min_rate_window = 3s;
  http.max_attempts = 2;
  http.backoff_first = 200ms;
  http.backoff_limit = 1s;
  http.proxy_from_environment = false;  // loopback is nobody else's business
  return http;
}

config::Url repository_url(DemoRepository const& repository, DemoPorts ports) {
  auto const port = repository.serving == DemoServing::refused ? ports.refusing : ports.serving;
  // Never fails: the names are ours.
  return config::Url::parse("http://127.0.0.1:" + std::to_string(port) + "/" + repository.name)
      .value();
}

std::string padded(std::string_view text, std::size_t width) {
  std::string result(text);
  result.resize(std::max(width, result.size()), ' ');
  return result;
}

// How a state reads in a sentence; `unknown` is a word for metrics.
std::string_view state(probes::Severity severity) {
  return severity == probes::Severity::unknown ? "could not tell" : probes::to_text(severity);
}

// Where a person can ask what listens on every address.
std::string reachable(std::string_view address) {
  auto const colon = address.rfind(':');
  std::string_view const host = address.substr(0, colon);
  if (colon == std::string_view::npos) return std::string(address);
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1" + std::string(address.substr(colon));
  if (host == "[::]") return "[::1]" + std::string(address.substr(colon));
  return std::string(address);
}

}  // namespace

config::Config demo_config(std::vector<DemoRepository> const& repositories, DemoPorts ports,
                           std::filesystem::path const& directory) {
  config::Config result;
  result.state_directory = directory / "state";
  result.web.listen_addresses = {std::string(kDemoListenAddress)};
  result.scheduler.start_spread = 2s;  // something to see at once
  result.scheduler.stop_timeout = 2s;
  for (DemoRepository const& repository : repositories) {
    config::Url const url = repository_url(repository, ports);
    tuf::Spec spec{};
    spec.metadata_url = url.child("metadata");
    spec.targets_url = url.child("targets");
    spec.root = pinned_root(directory, repository.name);
    spec.expiry = repository.expiry;
    spec.targets.kind = config::Selection::Kind::all;
    result.probes.push_back({.name = {repository.name},
                             .repository = repository.name,
                             .interval = kInterval,
                             .timeout = kTimeout,
                             .http = demo_http(),
                             .kind = std::move(spec)});
  }
  openpgp::Spec key{};
  key.keys = {demo_key(directory).string()};
  result.probes.push_back({.name = {std::string(kDemoKeyName)},
                           .repository = std::string(kDemoKeyName),
                           .interval = kInterval,
                           .timeout = kTimeout,
                           .http = demo_http(),
                           .kind = std::move(key)});
  return result;
}

std::string demo_banner(std::vector<DemoRepository> const& repositories,
                        std::filesystem::path const& directory,
                        std::vector<std::string> const& addresses) {
  std::string text = "canaryd watches " + std::to_string(repositories.size()) +
                     " repositories that it has just signed itself and a key, each every " +
                     config::to_text(kInterval) + ":\n\n";
  std::size_t name_width = 0, state_width = 0;
  for (DemoRepository const& repository : repositories) {
    name_width = std::max(name_width, repository.name.size());
    state_width = std::max(state_width, state(repository.severity).size());
  }
  for (DemoRepository const& repository : repositories) {
    text += "  " + padded(repository.name, name_width) + "  " +
            padded(state(repository.severity), state_width) + "  " + repository.story + "\n";
  }
  text += "  " + padded(kDemoKeyName, name_width) + "  " +
          padded(state(probes::Severity::warning), state_width) + "  " +
          std::string(kDemoKeyStory) + "\n";
  text += "\nLook at it from another terminal:\n\n";
  for (std::string const& address : addresses) {
    std::string const base = "http://" + reachable(address);
    text.append("  curl -s ").append(base).append("/api/v1/probes   # what each probe found\n");
    text.append("  curl -s ").append(base).append("/metrics         # the same for Prometheus\n");
  }
  std::string const folder = (served_directory(directory) / "healthy" / "metadata").string();
  text += "\nBreak the healthy one, and mend it again:\n\n  cd " + folder +
          "\n  mv timestamp.json gone.json\n  mv gone.json timestamp.json\n" +
          "\nCtrl-C ends the demo and removes " + directory.string() + "\n";
  return text;
}

std::string free_listen_address(std::string_view wanted) {
  auto const colon = wanted.rfind(':');
  std::string const host(wanted.substr(0, colon));
  std::string any = host + ":0";
  if (colon == std::string_view::npos) return std::string(wanted);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::uint16_t port = 0;
  std::from_chars(wanted.data() + colon + 1, wanted.data() + wanted.size(), port);
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::string(wanted);
  int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return any;
  int const on = 1;  // what a just ended server leaves behind is no hindrance
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  bool const free =
      ::bind(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0 &&
      ::listen(socket, 1) == 0;
  ::close(socket);
  return free ? std::string(wanted) : any;
}

Result<Demo, std::string> Demo::start(tuf::Time now, DemoCommand const& server) {
  BOOST_OUTCOME_TRY(DemoDirectory directory, DemoDirectory::create());
  std::vector<DemoRepository> repositories = sign_demo_repositories(now);
  BOOST_OUTCOME_TRYV(write_demo_repositories(directory.path(), repositories));
  BOOST_OUTCOME_TRYV(write_demo_key(directory.path(), now));
  BOOST_OUTCOME_TRY(DemoServer child,
                    DemoServer::start(server, served_directory(directory.path())));
  return Demo(std::move(directory), std::move(repositories), std::move(child));
}

config::Config Demo::config(std::string listen_address) const {
  config::Config result = demo_config(repositories_, ports(), directory());
  result.web.listen_addresses = {std::move(listen_address)};
  return result;
}

std::string Demo::banner(std::vector<std::string> const& addresses) const {
  return demo_banner(repositories_, directory(), addresses);
}

}  // namespace canary::daemon
