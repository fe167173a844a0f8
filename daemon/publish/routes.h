// SPDX-License-Identifier: Apache-2.0
// Which answer belongs to which path of canaryd's own HTTP server.
// Thread: any; respond() may be called by several at once.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/history/recorder.h"
#include "daemon/publish/api.h"
#include "daemon/publish/clients.h"
#include "daemon/publish/dump_answers.h"
#include "daemon/publish/metrics.h"
#include "daemon/publish/orders.h"
#include "daemon/publish/page/overview.h"
#include "daemon/publish/reloads.h"
#include "daemon/publish/web_place.h"
#include "daemon/results/store.h"
#include "daemon/watchdog/sample/answering.h"
#include "daemon/watchdog/sample/self_channels.h"

namespace canary::daemon {

class StoredDumps;
class WebGate;

// Where answers come from. Functions are called on the server's threads and must not wait for the
// loop.
struct Sources {
  ResultStore const& store;  // outlives the server
  // Does the loop turn, by the wall clock? Never whether a repository is healthy.
  std::function<Health()> healthy;
  std::function<Health()> live;  // or does only a restart help, by judgement?
  std::function<std::uint64_t()> log_lines_dropped;
  std::function<SysTime()> wall_clock;

  // What the watchdog knows; each may be null where there is none.
  std::function<void(std::string& page, Snapshot const&, SysTime now)> hang_metrics = {};
  std::function<std::string(SysTime now)> hangs = {};  // JSON
  std::function<page::OwnState(SysTime now)> own_state = {};
  std::function<std::string()> executor_text = {};  // the executor's state now
  std::function<std::string()> executor_json = {};
  DumpAnswers* dumps = nullptr;         // with functions and lines; on the private listener
  StoredDumps* stored_dumps = nullptr;  // those on disk; nullptr: none are shown
  Reloads* reloads = nullptr;
  Orders* orders = nullptr;
  std::function<std::string()> config_text = {};  // in effect, secrets masked; YAML
  // Likewise of one probe; "" where there is none of that name.
  std::function<std::string(std::string const& probe)> probe_config = {};
  // The last run of a probe, for people; it has one.
  std::function<std::string(ProbeRow const&)> run_text = {};
  // The server's clients; set by the server itself.
  std::function<std::vector<ClientCounts>()> clients = {};
  // Hears when an address is full, and when it has room again.
  Clients::ToldFull told_full = {};
  watchdog::Answering* answering = nullptr;  // where it is told that an answer is being made
  history::Recorder* history = nullptr;      // nullptr: there is none
  std::function<std::optional<push::Counts>()> pushed = {};  // nothing where nothing is sent
  watchdog::SelfChannels* asking = nullptr;  // over which the server's threads are asked
  WebPlace place = {};                       // of the pages, for those outside
  WebGate* gate = nullptr;  // nullptr: plain HTTP for everybody; outlives the server
};

struct HttpRequest {
  std::string_view method;
  std::string_view path;  // without a query, percent-decoded
  // A parameter of the query, percent-decoded; nothing where it is not there. May be null.
  std::function<std::optional<std::string>(char const* name)> parameter = {};
  // A header of the request; nothing where it is not there. May be null.
  std::function<std::optional<std::string>(char const* name)> header = {};
  bool has_body = false;
  bool is_private = false;  // came over the private listener, from this machine's canaryd
  bool from_loopback = false;
  bool authenticated = false;  // by a password, or a certificate that was verified
};
// What HttpRequest has of that name; nothing where it has none.
std::optional<std::string> parameter(HttpRequest const& request, char const* name);
std::optional<std::string> header(HttpRequest const& request, char const* name);

struct HttpAnswer {
  int status = 200;
  std::string_view content_type;  // a literal
  std::string body;
  std::string_view allow = {};          // 405: which methods there are, a literal
  std::string location = {};            // 302, 303: where it is
  bool is_page = false;                 // for people: may load the server's own style and script
  std::chrono::seconds retry_after{0};  // 503: worth asking again then; 0: not said
  bool gzip = false;                    // how `body` is encoded
  std::string_view challenge = {};      // 401: how to say who it is, a literal
  std::string_view vary = {};           // headers of the request that it depends on, a literal
};

// An answer that takes its time.
struct Later {
  // The answer once it is there; it is asked again and again, and does not wait.
  std::function<std::optional<HttpAnswer>()> look;
  std::chrono::milliseconds limit{0};
  HttpAnswer too_late;  // after that
};

class Routes {
 public:
  explicit Routes(Sources sources) : sources_(std::move(sources)) {}

  // Counts what it answers. While `overloaded`, answers that may be large are refused (503).
  HttpAnswer respond(HttpRequest const& request, bool overloaded = false);
  // Takes the prefix off the path of a request from outside; the answer where it has none.
  std::optional<HttpAnswer> enter(HttpRequest& request);
  // Of a request that has to wait for something, which is begun here; it ends with finish().
  // Nothing where respond() has the answer.
  std::optional<Later> later(HttpRequest const& request);
  HttpAnswer finish(HttpRequest const& request, HttpAnswer answer);
  // Dumps come later: asked of dumps(), which is not null where asks_for_dump().
  bool asks_for_dump(HttpRequest const& request) const;
  DumpAnswers* dumps() const { return sources_.dumps; }
  HttpAnswer dump_answer(DumpAnswers::Text const& dump);  // nullptr: none came
  HttpAnswer dump_refusal(DumpAnswers::Taken taken);      // but `waits`
  // What was answered so far, only what is above zero.
  std::vector<HttpRequestCount> counts() const;

 private:
  static constexpr std::array<std::string_view, 8> kHandlers{
      "/", "/metrics", "/-/healthy", "/-/ready", "/-/live", "/api/v1", "/debug/executor", "other"};
  static constexpr std::size_t kApiHandler = 5;
  static constexpr std::array<int, 11> kCodes{200, 302, 303, 400, 401, 403,
                                              404, 405, 413, 500, 503};

  HttpAnswer answer(HttpRequest const& request, bool overloaded);
  HttpAnswer counted(std::string_view path, HttpAnswer answer);
  std::string seen_without_dump() const;
  HttpAnswer metrics(HttpRequest const& request) const;
  std::vector<ClientCounts> clients() const;
  std::optional<history::Recorder::Counts> history_counts() const;
  HttpAnswer api(HttpRequest const& request) const;
  HttpAnswer debug(HttpRequest const& request) const;
  HttpAnswer reload(HttpRequest const& request) const;

  Sources sources_;
  std::array<std::array<std::atomic<std::uint64_t>, kCodes.size()>, kHandlers.size()> counts_{};
};

}  // namespace canary::daemon
