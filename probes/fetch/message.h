// SPDX-License-Identifier: Apache-2.0
// What is asked for and what came back.
// Thread: none (values).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/url.h"
#include "probes/fetch/fault.h"
#include "probes/fetch/oddity.h"
#include "probes/fetch/server_clock.h"
#include "probes/fetch/validity.h"

namespace canary::fetch {

// From 100 to 599, both ends included.
struct StatusRange {
  int first = 0, last = 0;
  bool contains(int status) const { return first <= status && status <= last; }
  friend bool operator==(StatusRange const&, StatusRange const&) = default;
};

// URLs are sent as given ("%5B" stays "%5B").
struct Request {
  config::Url url;
  std::uint64_t max_bytes = 0;                     // of the body; more is too_large
  std::optional<std::uint64_t> exact_length = {};  // anything else is wrong_length
  // A method that is not idempotent (POST, PATCH) is not sent again once it may have been received.
  std::string method = "GET";
  std::string body = {};              // sent along, its length always where the method has a body
  std::vector<StatusRange> wanted{};  // statuses that are a Response, with their bodies; empty: 2xx
  // Others are, too, those that may pass (503) once trying again did not help. But 401, and 407 of
  // a proxy, stay faults: they speak of our credentials.
  bool any_status = false;
  bool follow_redirects = true;  // false: a redirect has a status like any other answer

  bool wants(int status) const;
};

// An answer that led elsewhere.
struct Redirect {
  int status = 0;
  config::Url to;
};

struct Response {
  int status = 0;
  std::string body;          // of get(); empty for download()
  std::uint64_t length = 0;  // bytes of the body
  // Of the answer's head, names in lower case, in their order.
  std::vector<std::pair<std::string, std::string>> headers;
  config::Url final_url;   // after redirects
  std::string peer;        // "192.0.2.1:443" or "[2001:db8::1]:443"; the proxy's where one is used
  std::string proxy = {};  // "host:port" of the proxy that the answer came through; empty: none
  std::optional<std::chrono::sys_seconds> last_modified;  // as the server says; a file's own time
  std::uint32_t attempts = 1;
  std::vector<Redirect> redirects = {};  // those that were followed
  bool reused_connection = false;
  PhaseTimes times;  // of all attempts together

  // The first header of that (lower case) name.
  std::optional<std::string_view> header(std::string_view name) const;
};

// A secret, certificate or other file of ours that cannot be used any more; what it was before had
// to do.
struct KeptCredential {
  std::string file;
  std::string why;     // a sentence without a final stop
  bool waits = false;  // nothing is known against it: its disk does not answer
  friend bool operator==(KeptCredential const&, KeptCredential const&) = default;
};

// Of everything a Client did.
struct Totals {
  std::uint64_t requests = 0;  // attempts and redirects each count
  std::uint64_t retries = 0;
  std::uint64_t bytes = 0;        // of bodies, as received
  std::uint64_t connections = 0;  // opened
  PhaseTimes times;
  std::vector<KeptCredential> kept_credentials;  // each once, the latest of each that waits
  ClockDifferences clocks;                       // of servers that sent a Date; the surest of each
  // By "host:port", the first to end of those it showed, refused ones too; of 64 servers at most.
  std::map<std::string, Validity> certificates;
  std::string proxy;  // "host:port" of the one that requests went through; empty: none did
  std::map<Oddity, config::Url> oddities;  // and the URL that had it first
};

}  // namespace canary::fetch
