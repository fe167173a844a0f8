// SPDX-License-Identifier: Apache-2.0
// A folder with repositories and a configuration, and the real canaryd at work on them.
// Thread: the test's main thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "probes/tuf/authoring.h"
#include "tests/support/child_process.h"
#include "tests/tuf/folders.h"

namespace canary::e2e {

tuf::Time now();

// `canaryd` with these arguments, run to its end.
support::Ran canaryd(std::vector<std::string> arguments);
std::vector<std::string> command(std::vector<std::string> arguments);

class Site {
 public:
  std::filesystem::path const& path() const { return folder_.path(); }
  std::string write(std::string const& name, std::string const& text) const;
  // NAME/metadata, NAME/targets and the pinned NAME.root.json; replaces what was there.
  void publish(std::string const& name, tuf::Repository const& repository) const;
  std::string metadata_url(std::string const& name) const;
  std::string pinned_root(std::string const& name) const;

  // One entry of `probes`; `fields` are further lines of the probe, indented by four.
  std::string probe(std::string const& name, std::string const& fields = {}) const;
  std::string probe_at(std::string const& name, std::string const& url,
                       std::string const& fields = {}) const;
  // Writes canaryd.yml: metrics at a free port, every probe each second, starting at once.
  std::string configure(std::vector<std::string> const& probes, std::string const& more = {}) const;

 private:
  tuf::TemporaryFolder folder_;
};

// `canaryd run` on a configuration, with its metrics at hand.
class Daemon {
 public:
  explicit Daemon(std::string const& config, std::vector<std::string> const& more = {});
  // `start` is the whole command, for one that wraps canaryd.
  explicit Daemon(std::vector<std::string> start);

  support::ChildProcess& process() { return process_; }
  std::string log() const { return process_.err(); }
  // True once /-/ready says so.
  bool ready();
  int status_of(std::string const& path);
  std::string get(std::string const& path);
  // "127.0.0.1:PORT"; empty where it never came up.
  std::string address() { return find_address() ? address_ : std::string{}; }
  // The value of a series as it is written in /metrics; nothing where there is none.
  std::optional<double> metric(std::string const& series);
  // Waits until the series is at least (or exactly) so much.
  bool reaches(std::string const& series, double value);
  bool becomes(std::string const& series, std::optional<double> value);
  // SIGTERM, and its exit code.
  std::optional<int> stop();

 private:
  bool find_address();

  support::ChildProcess process_;
  std::string address_;
};

std::string runs_of(std::string const& probe);
std::string severity_of(std::string const& probe, std::string const& check);
std::size_t count(std::string const& text, std::string const& piece);

}  // namespace canary::e2e
