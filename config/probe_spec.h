// SPDX-License-Identifier: Apache-2.0
// What one probe is: a validated value, made by config/ (or a command line) and read by probes/.
// Thread: none (immutable once built).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/kind_spec.h"
#include "config/secret.h"
#include "config/thresholds.h"
#include "config/url.h"

namespace canary::config {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Unique within one configuration; [A-Za-z0-9_.:-]+, at most 100 bytes; the metric label `probe`.
struct ProbeName {
  std::string text;
  friend auto operator<=>(ProbeName const&, ProbeName const&) = default;
};

enum class IpFamily { any, v4, v6 };

// How the HTTP client behaves for one probe. Every duration is a deadline of its phase; `total` of
// a request is what is left of the run's timeout.
struct HttpSettings {
  milliseconds resolve_timeout{5'000};
  milliseconds connect_timeout{10'000};  // all addresses of one host together
  milliseconds tls_timeout{10'000};
  milliseconds first_byte_timeout{30'000};  // request sent until the head of the answer is read
  milliseconds idle_timeout{30'000};        // longest gap between two pieces of a body
  std::uint64_t min_rate = 1024;            // bytes a second, over min_rate_window; 0 turns it off
  milliseconds min_rate_window{30'000};
  int max_redirects = 5;
  int max_attempts = 3;             // 1 means no retry
  milliseconds backoff_first{500};  // doubled per attempt, Retry-After wins when longer
  milliseconds backoff_limit{30'000};
  IpFamily ip_family = IpFamily::any;
  std::optional<std::filesystem::path> ca_file;           // PEM; instead of the system's
  std::optional<std::filesystem::path> client_cert_file;  // PEM chain, with client_key_file
  std::optional<std::filesystem::path> client_key_file;
  // A proxy as "http://host:port"; unset: HTTP_PROXY, HTTPS_PROXY, NO_PROXY of the environment.
  std::optional<std::string> proxy;
  bool proxy_from_environment = true;
  std::optional<Secret> proxy_credentials;       // "user:password", for the proxy alone
  std::map<std::string, std::string> headers;    // sent with every request
  std::map<std::string, Secret> secret_headers;  // likewise, but never shown
  friend bool operator==(HttpSettings const&, HttpSettings const&) = default;
};

// Which of many named things.
struct Selection {
  enum class Kind { none, all, names } kind = Kind::none;
  std::vector<std::string> names;  // kind == names
  friend bool operator==(Selection const&, Selection const&) = default;
};

// A known oddity: findings that it matches are shown as accepted, and left out of the severity of
// their run, until it ends.
struct AcceptSpec {
  std::string check, subject, reason;  // `*` in the subject stands for any text, none included
  std::string because;                 // for people: who knows of it, and when it is mended
  std::chrono::sys_seconds until{};
  enum class Worst { warning, unknown, critical } worst = Worst::warning;  // worse is not accepted
  // "signatures/root/signature".
  std::string finding() const { return check + "/" + subject + "/" + reason; }
  friend bool operator==(AcceptSpec const&, AcceptSpec const&) = default;
};

struct ProbeSpec {
  ProbeName name;
  std::string repository;  // metric label `repo`; the probe's name where not given
  bool enabled = true;
  milliseconds interval{300'000};
  milliseconds timeout{120'000};  // of a whole run; may exceed the interval
  HttpSettings http;
  std::vector<AcceptSpec> accept{};
  KindSpec kind;         // what it checks
  std::string source{};  // of `discovery`, whose list has it; "": a file has it
  friend bool operator==(ProbeSpec const&, ProbeSpec const&) = default;
};

}  // namespace canary::config
