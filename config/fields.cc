// SPDX-License-Identifier: Apache-2.0
// The description of every field: name, range, and the rules between fields.
// Thread: none (pure).
#include "config/fields.h"

#include <limits>

#include "config/duration.h"

namespace canary::config {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr milliseconds kLongestWait = 1h;
constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::size_t kMostVantageBytes = 50;

void describe(FieldVisitor& v, WebSettings& web) {
  v.addresses(
      {"listen_addresses",
       "1 to 16 of `IPv4:port`, `[IPv6]:port`, `:port` (every address); port 0 takes a free "
       "one. No host names"},
      web.listen_addresses);
  v.integer({"max_connections",
             "clients per address. A new one makes the one go that has been idle longest, or has "
             "read nothing of its answer for 2 s; while all are being served it is told `503` that "
             "the server is full. Held to less where few descriptors may be open (RLIMIT_NOFILE), "
             "and the log says so"},
            web.max_connections, 1, 10'000);
  v.duration({"timeout", "a client that sends or reads nothing for this long is cut"}, web.timeout,
             1s, kLongestWait);
}

void describe(FieldVisitor& v, LogSettings& log) {
  describe_choice(v, {"level", "`debug`, `info`, `warn`, `error`"}, log.level,
                  {"debug", "info", "warn", "error"});
  describe_choice(v, {"format", "`logfmt`, `json`"}, log.format, {"logfmt", "json"});
}

void describe(FieldVisitor& v, SchedulerSettings& scheduler) {
  v.integer({"max_concurrent_runs", "at once"}, scheduler.max_concurrent_runs, 1, 10'000);
  v.integer({"max_concurrent_runs_per_host", "likewise, of probes that ask the same host"},
            scheduler.max_concurrent_runs_per_host, 1, 10'000);
  v.duration({"start_spread", "first runs are spread over the interval, at most over this"},
             scheduler.start_spread, 0ms, kLongestWait);
  v.duration({"stop_timeout", "how long running probes get to unwind at stop"},
             scheduler.stop_timeout, 100ms, 10min);
}

void describe(FieldVisitor& v, WatchdogSettings& watchdog) {
  v.duration({"loop_suspect", "the loop did not turn for so long: counted"}, watchdog.loop_suspect,
             50ms, kLongestWait);
  v.duration({"loop_stall", "likewise: a dump, and a line in the log"}, watchdog.loop_stall, 100ms,
             kLongestWait);
  v.duration({"loop_hung", "likewise: another dump, not healthy, systemd is not fed any more"},
             watchdog.loop_hung, 100ms, kLongestWait);
  v.duration({"loop_dead", "likewise: the last dump, then `on_dead`"}, watchdog.loop_dead, 100ms,
             kLongestWait);
  v.require(watchdog.loop_suspect <= watchdog.loop_stall, "loop_suspect",
            "expected loop_suspect at most loop_stall (" + to_text(watchdog.loop_stall) +
                "), got " + to_text(watchdog.loop_suspect));
  v.require(watchdog.loop_stall <= watchdog.loop_hung, "loop_stall",
            "expected loop_stall at most loop_hung (" + to_text(watchdog.loop_hung) + "), got " +
                to_text(watchdog.loop_stall));
  v.require(watchdog.loop_hung <= watchdog.loop_dead, "loop_hung",
            "expected loop_hung at most loop_dead (" + to_text(watchdog.loop_dead) + "), got " +
                to_text(watchdog.loop_hung));
  v.duration(
      {"run_stall",
       "a run without any progress: a dump, and the run is cancelled. Longer than what any "
       "probe may wait for: a wait such as `http.idle_timeout` that is as long or longer, in "
       "a run whose `timeout` is, is refused"},
      watchdog.run_stall, 100ms, days{1});
  v.duration({"run_unwind",
              "what a cancelled run gets to end; then it counts as stalled and its probe is not "
              "started again"},
             watchdog.run_unwind, 100ms, kLongestWait);
  v.duration({"worker_stall", "one job of a worker, or one that waits for a worker"},
             watchdog.worker_stall, 100ms, days{1});
  v.duration(
      {"disk_stall",
       "one job of the state directory's thread, one that waits for it, or a file whose disk "
       "does not answer"},
      watchdog.disk_stall, 100ms, days{1});
  v.duration({"server_stall",
              "the HTTP server's answer to the watchdog's own question; after half of it the "
              "emergency page is served"},
             watchdog.server_stall, 1s, kLongestWait);
  v.duration({"scheduler_stall", "a due run that the scheduler did not look at"},
             watchdog.scheduler_stall, 100ms, kLongestWait);
  describe_choice(
      v,
      {"on_dead",
       "`abort`: ends the process with a core, for systemd to start it anew; `exec`: starts "
       "canaryd anew in place; `report`: only says so"},
      watchdog.on_dead, {"abort", "exec", "report"});
  v.integer({"dumps_kept", "dumps in the state directory"}, watchdog.dumps_kept, 1, 10'000);
  v.size({"dumps_bytes", "and their size together"}, watchdog.dumps_bytes, kMebibyte,
         1024 * 1024 * kMebibyte);
  v.integer({"quarantine_after", "so many stalls of the loop in handlers of one probe within ..."},
            watchdog.quarantine_after, 1, 8);
  v.duration(
      {"quarantine_window",
       "... this: the probe is not run any more, until a reload (SIGHUP) or a clean restart"},
      watchdog.quarantine_window, 1s, days{31});
}

void describe(FieldVisitor& v, HistorySettings& history) {
  v.duration(
      {"keep",
       "how long changes, incidents, events and the counts of each day are kept; single runs "
       "are for 7 days, the counts of each hour for 92"},
      history.keep, days{1}, days{3'650});
  v.size({"bytes", "what the database may take; beyond it the oldest runs go first"}, history.bytes,
         4 * kMebibyte, 1024 * 1024 * kMebibyte);
}

void describe(FieldVisitor& v, RemovedProbesSettings& removed) {
  v.duration({"results",
              "how long results of a probe are kept that neither a file nor a list has any longer; "
              "time in which canaryd runs counts"},
             removed.results, days{1}, days{3'650});
  v.duration({"trust",
              "and what was trusted of its repository, by which a rollback is seen should it come "
              "back; not shorter than `results`"},
             removed.trust, days{1}, days{3'650});
  v.require(removed.results <= removed.trust, "trust",
            "expected trust at least as long as results (" + to_text(removed.results) + "), got " +
                to_text(removed.trust));
}

void describe(FieldVisitor& v, MetricsSettings& metrics) {
  describe_choice(v,
                  {"detail",
                   "`standard`: what the alerts and the dashboard need, some 40 series a probe; "
                   "`full`: also durations as a histogram, phases, and counts that are 0"},
                  metrics.detail, {"standard", "full"});
}

void describe(FieldVisitor& v, HttpSettings& http) {
  v.wait({"resolve_timeout", "name lookup"}, http.resolve_timeout, 10ms, kLongestWait);
  v.wait({"connect_timeout", "all addresses of one host together"}, http.connect_timeout, 10ms,
         kLongestWait);
  v.wait({"tls_timeout", "TLS handshake"}, http.tls_timeout, 10ms, kLongestWait);
  v.wait({"first_byte_timeout", "from the request sent to the head of the answer"},
         http.first_byte_timeout, 10ms, kLongestWait);
  v.wait({"idle_timeout", "longest gap between two pieces of a body"}, http.idle_timeout, 10ms,
         kLongestWait);
  v.size({"min_rate", "bytes a second over `min_rate_window`; 0 turns it off"}, http.min_rate, 0,
         1024 * kMebibyte);
  v.duration({"min_rate_window", "over which the rate is measured"}, http.min_rate_window, 1s,
             kLongestWait);
  v.integer({"max_redirects", "followed by one request"}, http.max_redirects, 0, 20);
  v.integer({"max_attempts", "1 means no retry"}, http.max_attempts, 1, 20);
  v.duration({"backoff_first",
              "before the second attempt, then doubled; a longer `Retry-After` wins. At most "
              "`backoff_limit`"},
             http.backoff_first, 1ms, kLongestWait);
  v.wait({"backoff_limit", "the longest wait before an attempt"}, http.backoff_limit, 1ms,
         kLongestWait);
  v.require(http.backoff_first <= http.backoff_limit, "backoff_first",
            "expected backoff_first at most backoff_limit (" + to_text(http.backoff_limit) +
                "), got " + to_text(http.backoff_first));
  describe_choice(v, {"ip_family", "`any`, `ipv4`, `ipv6`"}, http.ip_family,
                  {"any", "ipv4", "ipv6"});
  v.file({"ca_file", "PEM certificates to trust instead", "the system's"}, http.ca_file);
  v.file({"client_cert_file", "PEM chain, together with `client_key_file`"}, http.client_cert_file);
  v.file({"client_key_file", "PEM key, together with `client_cert_file`"}, http.client_key_file);
  v.require(http.client_cert_file || !http.client_key_file, "client_key_file",
            "expected client_cert_file beside it");
  v.require(http.client_key_file || !http.client_cert_file, "client_cert_file",
            "expected client_key_file beside it");
  v.proxy({"proxy",
           "`environment` (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`), `none`, or "
           "`http://host:port`"},
          http);
  v.credentials({"proxy_credentials",
                 "`{file: PATH}` or `{environment: NAME}` that holds `user:password`; sent to the "
                 "proxy and to nobody else, over what the environment's variable may hold"},
                http.proxy_credentials);
  v.headers({"headers",
             "sent with every request, by name: text, `{file: PATH}` or `{environment: NAME}`. Not "
             "those that the client sets itself (`Host`, `Range`, `Accept-Encoding`, ...)"},
            http);
}

void describe(FieldVisitor& v, RemoteWriteSettings& to) {
  v.url({"url",
         "`http(s)://HOST[:PORT]/PATH` of the receiver, `/api/v1/write` of Prometheus; none: "
         "nothing is sent"},
        to.url);
  v.require(!to.url || to.url->scheme() != Scheme::file, "url",
            "expected http:// or https://, got a file");
  v.label({"job", "label of every series; the alerts want `canaryd`", "`canaryd`"}, to.job);
  v.text({"instance", "likewise: which canaryd this is", "the machine's name"}, to.instance, 100,
         [](std::string const&) { return std::string{}; });
  v.duration({"interval", "from one sample to the next; the alerts want 15, 30 or 60 seconds"},
             to.interval, 1s, kLongestWait);
  v.duration({"timeout", "of one request"}, to.timeout, 1s, kLongestWait);
  v.size({"queue", "compressed bytes that may wait; beyond it the oldest are dropped and counted"},
         to.queue, kMebibyte / 4, 1024 * kMebibyte);
  v.section("http", [&] { describe(v, to.http); });
}

// As text of its own, through a visitor that knows optional texts.
void describe_shard(FieldVisitor& v, Shard& shard) {
  auto text = shard.is_all() ? std::nullopt : std::optional{to_text(shard)};
  v.text({"shard",
          "`INDEX/COUNT`, such as `0/3`: of canaryds with the same probes this one watches the "
          "share that falls to it by the probes' names; `--shard` of `canaryd run` wins",
          "all probes"},
         text, 9, [](std::string const& given) {
           auto const parsed = parse_shard(given);
           return parsed ? std::string{} : parsed.error();
         });
  if (text) shard = parse_shard(*text).value();
}

void describe_vantage(FieldVisitor& v, std::string& vantage) {
  auto text = vantage.empty() ? std::nullopt : std::optional{vantage};
  v.text({"vantage",
          "the place that this canaryd looks from: letters, digits, `_` `.` `:` `-`; metric label "
          "of `canaryd_shards`; `--vantage` of `canaryd run` wins"},
         text, kMostVantageBytes, check_vantage);
  if (text) vantage = *text;
}

}  // namespace

void describe_thresholds(FieldVisitor& v, ExpiryThresholds& thresholds, ThresholdTexts texts) {
  v.threshold({"warning", texts.warning}, thresholds.warning);
  v.threshold({"critical", texts.critical}, thresholds.critical);
  v.require(thresholds.critical.span <= thresholds.warning.span, "critical",
            "expected critical at most warning (" + to_text(milliseconds{thresholds.warning.span}) +
                "), got " + to_text(milliseconds{thresholds.critical.span}));
}

void describe_source(FieldVisitor& v, DiscoverySource& source) {
  v.text({"name", "letters, digits, `_` `.` `:` `-`; unique; metric label `source`"}, source.name,
         100, [](std::string const& name) {
           return is_name(name) && name != "." && name != ".."
                      ? std::string{}
                      : "expected letters, digits, '_', '.', ':' and '-', got \"" + name + "\"";
         });
  v.url({"url", "`http(s)://HOST[:PORT]/PATH` of a list", "this or `file`"}, source.url);
  v.require(!source.url || source.url->scheme() != Scheme::file, "url",
            "expected http:// or https://, got a file; the field `file` takes its path");
  v.folder(
      {"file", "path of a list, or a pattern with `*`, `?`, `[...]` of files that are one list",
       "this or `url`"},
      source.file);
  v.require(source.url.has_value() != source.file.has_value(), "url",
            "expected exactly one of url and file");
  v.duration({"refresh", "from one look to the next; 1 minute at most after one that failed"},
             source.refresh, 1s, days{1});
  v.duration({"timeout", "of one look, repeated requests included"}, source.timeout, 100ms,
             kLongestWait);
  v.folder({"files",
            "the folder whose files the probes of the list may name (pinned roots, keys, CAs), by "
            "names inside of it",
            "none: no file"},
           source.files);
  if (!source.file) v.section("http", [&] { describe(v, source.http); });
}

void describe(FieldVisitor& v, Config& config) {
  v.folder({"state_directory", "folder of trusted metadata and history"}, config.state_directory);
  v.integer({"workers", "threads for hashing, parsing and verifying; 0: one per CPU, at most 4"},
            config.workers, 0, 256);
  v.section("web", [&] { describe(v, config.web); });
  v.section("log", [&] { describe(v, config.log); });
  v.section("scheduler", [&] { describe(v, config.scheduler); });
  v.section("watchdog", [&] { describe(v, config.watchdog); });
  v.section("history", [&] { describe(v, config.history); });
  v.section("removed_probes", [&] { describe(v, config.removed_probes); });
  v.section("metrics", [&] { describe(v, config.metrics); });
  v.maintenance({"maintenance"}, config.maintenance);
  v.section("remote_write", [&] { describe(v, config.remote_write); });
  v.discovery({"discovery"}, config.discovery);
  describe_shard(v, config.shard);
  describe_vantage(v, config.vantage);
}

void describe_common(FieldVisitor& v, ProbeSpec& probe, bool fetches,
                     std::function<void()> const& also_in_http) {
  v.duration({"interval", "from start to start"}, probe.interval, 1s, days{31});
  v.duration({"timeout", "of a whole run; may exceed the interval"}, probe.timeout, 100ms, days{1});
  if (fetches) {
    v.section(kHttpSection, [&] {
      if (also_in_http) also_in_http();
      describe(v, probe.http);
    });
  }
  v.accept({"accept"}, probe.accept);
}

void describe_probe(FieldVisitor& v, ProbeSpec& probe) {
  auto const own = [&] { probe.kind.visit(v); };
  if (probe.kind.name() == kHttpSection) return describe_common(v, probe, true, own);
  describe_common(v, probe, probe.kind.fetches());
  v.section(probe.kind.name(), own);
}

}  // namespace canary::config
