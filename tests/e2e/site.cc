// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/site.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "tests/daemon/publish/plain_client.h"

namespace canary::e2e {

using support::eventually;

tuf::Time now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::vector<std::string> command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), CANARYD);
  return arguments;
}

support::Ran canaryd(std::vector<std::string> arguments) {
  return support::run(command(std::move(arguments)));
}

std::string Site::write(std::string const& name, std::string const& text) const {
  tuf::write_folder(path(), {{name, text}});
  return (path() / name).string();
}

void Site::publish(std::string const& name, tuf::Repository const& repository) const {
  auto const published = tuf::publish(repository);
  std::filesystem::remove_all(path() / name);
  tuf::write_folder(path() / name / "metadata", published.metadata);
  tuf::write_folder(path() / name / "targets", published.targets);
  write(name + ".root.json", published.root(repository.roots.front().version));
}

std::string Site::metadata_url(std::string const& name) const {
  return "file://" + (path() / name / "metadata").string();
}

std::string Site::pinned_root(std::string const& name) const {
  return (path() / (name + ".root.json")).string();
}

std::string Site::probe(std::string const& name, std::string const& fields) const {
  return probe_at(name, metadata_url(name), fields);
}

std::string Site::probe_at(std::string const& name, std::string const& url,
                           std::string const& fields) const {
  return "  - name: " + name + "\n" + fields + "    tuf:\n      metadata_url: " + url +
         "\n      root: " + pinned_root(name) + "\n";
}

std::string Site::configure(std::vector<std::string> const& probes, std::string const& more) const {
  std::string text = "state_directory: " + (path() / "state").string() +
                     "\nweb: {listen_addresses: [\"127.0.0.1:0\"]}\n"
                     "scheduler: {start_spread: 0s, stop_timeout: 5s}\n"
                     "defaults: {interval: 1s, timeout: 30s}\n" +
                     more + "probes:\n";
  for (auto const& probe : probes) text += probe;
  return write("canaryd.yml", text);
}

Daemon::Daemon(std::string const& config, std::vector<std::string> const& more)
    : Daemon([&] {
        auto start = command({"run", "--config", config});
        start.insert(start.end(), more.begin(), more.end());
        return start;
      }()) {}

Daemon::Daemon(std::vector<std::string> start) : process_(std::move(start)) {}

bool Daemon::find_address() {
  if (!address_.empty()) return true;
  if (!process_.says("monitoring")) return false;
  std::string const log = process_.err();
  for (std::string const before : {" address=", "\"address\":\""}) {
    auto const found = log.find(before);
    if (found == std::string::npos) continue;
    auto const from = found + before.size();
    address_ = log.substr(from, log.find_first_of("\" \n", from) - from);
  }
  return !address_.empty();
}

bool Daemon::ready() {
  return find_address() && eventually([this] { return status_of("/-/ready") == 200; });
}

int Daemon::status_of(std::string const& path) {
  if (!find_address()) return 0;
  tests::Client client{address_};
  return client.connected() ? client.request("GET", path).status : 0;
}

std::string Daemon::get(std::string const& path) {
  if (!find_address()) return {};
  tests::Client client{address_};
  return client.connected() ? client.request("GET", path).body : std::string{};
}

std::optional<double> Daemon::metric(std::string const& series) {
  std::string const text = "\n" + get("/metrics");
  auto const found = text.find("\n" + series + " ");
  if (found == std::string::npos) return std::nullopt;
  return std::strtod(text.c_str() + found + series.size() + 2, nullptr);
}

bool Daemon::reaches(std::string const& series, double value) {
  return eventually([&] { return metric(series).value_or(value - 1) >= value; });
}

bool Daemon::becomes(std::string const& series, std::optional<double> value) {
  return eventually([&] { return metric(series) == value; });
}

std::optional<int> Daemon::stop() {
  process_.signal(SIGTERM);
  return process_.exit_code();
}

std::string runs_of(std::string const& probe) {
  return "canaryd_probe_runs_total{probe=\"" + probe + "\"}";
}

std::string severity_of(std::string const& probe, std::string const& check) {
  return "canaryd_probe_finding_severity{probe=\"" + probe + "\",check=\"" + check + "\"}";
}

std::size_t count(std::string const& text, std::string const& piece) {
  std::size_t times = 0;
  for (auto at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++times;
  return times;
}

}  // namespace canary::e2e
