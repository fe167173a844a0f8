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
#include <variant>
#include <vector>

#include "config/secret.h"
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

// A remaining validity. A fitted one ("up to 7d") is shortened for roles that are valid for so
// short a time that it would be a large share of it; one that is not holds as it stands.
struct ExpiryThreshold {
  constexpr ExpiryThreshold() = default;
  template <class Rep, class Period>
  constexpr ExpiryThreshold(std::chrono::duration<Rep, Period> value) : span(value) {}
  static constexpr ExpiryThreshold up_to(seconds most) {
    ExpiryThreshold threshold{most};
    threshold.fitted = true;
    return threshold;
  }
  seconds span{0};
  bool fitted = false;
  friend bool operator==(ExpiryThreshold const&, ExpiryThreshold const&) = default;
};

// Remaining validity below which an expiry is a warning, or critical. critical <= warning.
struct ExpiryThresholds {
  ExpiryThreshold warning;
  ExpiryThreshold critical;  // 0: critical only once expired
  friend bool operator==(ExpiryThresholds const&, ExpiryThresholds const&) = default;
};

struct ExpiryPolicy {
  static constexpr ExpiryThresholds days(int warning, int critical) {
    return {ExpiryThreshold::up_to(std::chrono::days{warning}),
            ExpiryThreshold::up_to(std::chrono::days{critical})};
  }
  ExpiryThresholds root = days(30, 7);
  ExpiryThresholds timestamp = days(2, 1);
  ExpiryThresholds snapshot = days(7, 2);
  ExpiryThresholds targets = days(14, 3);
  ExpiryThresholds delegated = days(14, 3);
  std::map<std::string, ExpiryThresholds> roles;  // by name of a delegated role, over `delegated`
  friend bool operator==(ExpiryPolicy const&, ExpiryPolicy const&) = default;
};

// Longest metadata file accepted, in bytes.
struct MetadataLimits {
  std::uint64_t root = std::uint64_t{1} << 20;
  std::uint64_t timestamp = std::uint64_t{1} << 20;
  std::uint64_t snapshot = std::uint64_t{16} << 20;
  std::uint64_t targets = std::uint64_t{64} << 20;  // delegated roles too
  int root_rotations = 256;
  int delegated_roles = 32'768;  // visited in one run
  friend bool operator==(MetadataLimits const&, MetadataLimits const&) = default;
};

struct TargetSelection {
  enum class Kind { none, all, names } kind = Kind::none;
  std::vector<std::string> names;  // kind == names
  friend bool operator==(TargetSelection const&, TargetSelection const&) = default;
};

// A TUF repository, checked as a client sees it from a pinned root.
struct TufSpec {
  Url metadata_url;
  std::optional<Url> targets_url;  // default: "targets" beside the metadata's folder
  std::filesystem::path root;      // the pinned root.json
  TargetSelection targets;
  int parallel_targets = 4;
  std::uint64_t max_target_bytes = std::uint64_t{16} << 30;
  ExpiryPolicy expiry;
  MetadataLimits limits;
  friend bool operator==(TufSpec const&, TufSpec const&) = default;
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
  std::variant<TufSpec> kind;
  friend bool operator==(ProbeSpec const&, ProbeSpec const&) = default;
};

}  // namespace canary::config
