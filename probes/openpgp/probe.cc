// SPDX-License-Identifier: Apache-2.0
// Fetches, and hands over.
// Thread: loop; what comes from outside is read on a worker.
#include "probes/openpgp/probe.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "probes/clock_doubt.h"
#include "probes/collector.h"
#include "probes/fetch/client.h"
#include "probes/fetch/services.h"
#include "probes/fetched.h"
#include "probes/openpgp/declaration.h"
#include "probes/openpgp/judge.h"
#include "runtime/contract.h"

namespace canary::openpgp {
namespace {

using probes::Reason;
using probes::Severity;
using runtime::Task;
using runtime::Trace;

// A file as it came.
struct Fetched {
  std::string name, bytes;
};
struct FetchedSigned {
  std::string name, data;
  std::optional<std::string> signature;
};

Finding fault_finding(std::string_view check, std::string const& name, bool ours,
                      fetch::Fault const& fault) {
  Finding finding{.check = fault.answered ? std::string{check} : "reachable",
                  .subject = name,
                  .severity = fault.answered ? Severity::critical : Severity::unknown,
                  .reason = probes::reason_of(fault),
                  .message = fault.message,
                  .url = fault.url};
  if (finding.url.text() == finding.subject.text()) finding.url = {};
  if (fault.kind == fetch::FaultKind::too_large) {  // that limit is ours
    finding.check = std::string{check};
    finding.severity = Severity::unknown;
    finding.message += " (max_bytes)";
  } else if (ours && fault.kind == fetch::FaultKind::status) {
    finding.check = std::string{check};
    finding.severity = Severity::unknown;
    finding.reason = Reason::configuration;
  }
  return finding;
}

// Copies the client's totals into the report, however the run ends.
class Meter {
 public:
  Meter(fetch::Client const& client, probes::Measurements& measured)
      : client_(client), measured_(measured) {}
  ~Meter() { probes::add_totals(measured_, client_.totals()); }
  Meter(Meter const&) = delete;
  Meter& operator=(Meter const&) = delete;

 private:
  fetch::Client const& client_;
  probes::Measurements& measured_;
};

using SharedFiles = std::shared_ptr<std::vector<Fetched> const>;

// One run. Lives in the frame of probe_keys.
class Look {
 public:
  Look(Spec const& spec, fetch::Client& client, probes::ProbeContext const& context)
      : spec_(spec), client_(client), context_(context) {}
  Look(Look const&) = delete;
  Look& operator=(Look const&) = delete;

  Task<void> run(Trace trace);

 private:
  Task<std::optional<std::string>> get(std::string source, std::string_view check, Trace trace);
  Task<std::vector<Fetched>> get_all(std::vector<std::string> sources, std::string_view check,
                                     Trace trace);
  Task<std::vector<FetchedSigned>> get_signed(Trace trace);
  Task<std::vector<KeySource>> read_all(SharedFiles files, Trace trace);
  Task<std::vector<SignedFileSource>> verify_all(std::vector<FetchedSigned> files, SharedFiles keys,
                                                 Trace trace);

  Spec const& spec_;
  fetch::Client& client_;
  probes::ProbeContext const& context_;
  bool complete_ = true;
};

Task<std::optional<std::string>> Look::get(std::string source, std::string_view check,
                                           Trace trace) {
  std::string const name = Spec::shown(source);
  auto url = source_url(source);
  if (!url) {
    complete_ = false;
    context_.findings->add({.check = std::string{check},
                            .subject = name,
                            .severity = Severity::unknown,
                            .reason = Reason::configuration,
                            .message = "there is no working directory"});
    co_return std::nullopt;
  }
  context_.report.step = "fetching " + name;
  context_.report.step_url = url->text();
  bool const ours = check == kKeys && url->scheme() == config::Scheme::file;
  fetch::Request request{.url = std::move(*url), .max_bytes = spec_.max_bytes};
  auto got = co_await client_.get(std::move(request), context_.deadline, trace);
  if (!got) {
    complete_ = false;
    context_.findings->add(fault_finding(check, name, ours, got.error()));
    co_return std::nullopt;
  }
  co_return std::move(got.value().body);
}

Task<std::vector<Fetched>> Look::get_all(std::vector<std::string> sources, std::string_view check,
                                         Trace trace) {
  std::vector<Fetched> all;
  for (std::string const& source : sources) {
    auto bytes = co_await get(source, check, trace);
    if (bytes) all.push_back({Spec::shown(source), std::move(*bytes)});
  }
  co_return all;
}

Task<std::vector<FetchedSigned>> Look::get_signed(Trace trace) {
  std::vector<FetchedSigned> all;
  for (std::string const& text : spec_.signed_files) {
    auto const [data, signature] = split_signed(text);
    auto bytes = co_await get(data, kSignatures, trace);
    if (!bytes) continue;
    FetchedSigned one{Spec::shown(data), std::move(*bytes), std::nullopt};
    if (!signature.empty()) {
      one.signature = co_await get(signature, kSignatures, trace);
      if (!one.signature) continue;
    }
    all.push_back(std::move(one));
  }
  co_return all;
}

struct Times {
  sys_seconds now{};
  std::optional<fetch::ClockVerdict> off{};  // our clock, by the word of others
};

Judged judge_at(Looked const& looked, Spec const& spec, Times const& times) {
  Judged judged = judge(looked, spec, times.now);
  if (times.off) {
    auto const then = probes::their_time(times.now, *times.off);
    probes::doubt(judged.findings, judge(looked, spec, then).findings, *times.off);
  }
  return judged;
}

// A job for each file: each has a bound of its own, and a worker is held by one at a time.
Task<std::vector<KeySource>> Look::read_all(SharedFiles files, Trace trace) {
  std::vector<KeySource> all;
  for (std::size_t i = 0; i < files->size(); ++i) {
    auto work = [files, i] { return KeySource{(*files)[i].name, read_keys((*files)[i].bytes)}; };
    all.push_back(co_await context_.cpu.run(trace, "openpgp.read", std::move(work)));
  }
  co_return all;
}

Task<std::vector<SignedFileSource>> Look::verify_all(std::vector<FetchedSigned> files,
                                                     SharedFiles keys, Trace trace) {
  std::vector<SignedFileSource> all;
  for (FetchedSigned& file : files) {
    auto work = [file = std::move(file), keys] {
      ToVerify what{file.data, std::nullopt, {}};
      if (file.signature) what.signature = *file.signature;
      for (Fetched const& each : *keys) what.keys.push_back(each.bytes);
      return SignedFileSource{file.name, verify(what)};
    };
    all.push_back(co_await context_.cpu.run(trace, "openpgp.verify", std::move(work)));
  }
  co_return all;
}

Task<void> Look::run(Trace trace) {
  auto keys = co_await get_all(spec_.keys, kKeys, trace);
  auto served = co_await get_all(spec_.served, kServed, trace);
  auto files = co_await get_signed(trace);
  if (keys.empty()) co_return;  // there is nothing to judge by; it is told of
  context_.report.step = "reading keys";
  context_.report.step_url = {};
  auto const ours = std::make_shared<std::vector<Fetched> const>(std::move(keys));
  auto const theirs = std::make_shared<std::vector<Fetched> const>(std::move(served));
  Looked looked;
  looked.keys = co_await read_all(ours, trace);
  looked.served = co_await read_all(theirs, trace);
  looked.signed_files = co_await verify_all(std::move(files), ours, trace);
  // The clocks of these servers and of others bear witness, or the kernel.
  Times const times{context_.now,
                    probes::heard(context_.http.clocks, spec_.location(), client_.totals().clocks)};
  auto work = [spec = spec_, looked = std::move(looked), times] {
    return judge_at(looked, spec, times);
  };
  auto judged = co_await context_.cpu.run(trace, "openpgp.judge", std::move(work));
  for (Finding& finding : judged.findings) context_.findings->add(std::move(finding));
  context_.report.measurements.things = std::move(judged.things);
  context_.report.complete = complete_;
}

}  // namespace

Task<void> probe_keys(Spec spec, config::HttpSettings settings, probes::ProbeContext context) {
  runtime::require_loop_thread();
  runtime::Frame const frame{context.trace, "openpgp", spec.location()};
  auto const executor = co_await runtime::asio::this_coro::executor;
  fetch::Client client{executor, std::move(settings), context.http};
  {
    Meter const meter{client, context.report.measurements};
    Look look{spec, client, context};
    co_await look.run(frame.trace());
  }
  probes::add_surroundings(context.report, client.totals());
}

}  // namespace canary::openpgp
