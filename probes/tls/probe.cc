// SPDX-License-Identifier: Apache-2.0
// One handshake, and what it says of the server.
// Thread: loop; certificates are read on a worker.
#include "probes/tls/probe.h"

#include <optional>
#include <string>
#include <utility>

#include "config/duration.h"
#include "probes/collector.h"
#include "probes/fetch/dial.h"
#include "probes/fetch/services.h"
#include "probes/fetched.h"
#include "probes/tls/examine.h"
#include "runtime/contract.h"

namespace canary::tls {
namespace {

using fetch::Due;
using fetch::Phase;
using probes::Finding;
using probes::Reason;
using probes::Severity;
using runtime::Task;
using runtime::Trace;

config::HttpSettings settings_of(Spec const& spec) {
  config::HttpSettings settings;
  settings.resolve_timeout = spec.resolve_timeout;
  settings.connect_timeout = spec.connect_timeout;
  settings.tls_timeout = spec.tls_timeout;
  settings.ip_family = spec.ip_family;
  settings.ca_file = spec.ca_file;
  return settings;
}

// One run. Lives in the frame of probe_server.
class Look {
 public:
  Look(Spec const& spec, probes::ProbeContext const& context)
      : spec_(spec),
        context_(context),
        settings_(settings_of(spec)),
        body_(context.cpu),
        transfer_(request_for(spec), body_, settings_, context.deadline) {}
  // Whatever ends it: where the time went is told.
  ~Look() {
    context_.report.measurements.phases = probes::phase_times(transfer_.clock.times());
    context_.report.measurements.requests = 1;
  }
  Look(Look const&) = delete;
  Look& operator=(Look const&) = delete;

  Task<void> run(Trace trace);

 private:
  // A plain connection; the handshake is this probe's own.
  static fetch::Request request_for(Spec const& spec) {
    return fetch::Request{.url = config::Url::parse("http://" + spec.address).value()};
  }
  Task<std::optional<fetch::TlsContexts::Context>> certificates_of_ours(Trace trace);
  Task<void> shake(fetch::Connection& connection, Trace trace);
  void could_not_tell(Reason reason, std::string message) {
    add({.check = "reachable",
         .subject = spec_.location(),
         .severity = Severity::unknown,
         .reason = reason,
         .message = std::move(message)});
  }
  void step(std::string text) {
    context_.report.step = std::move(text);
    context_.report.step_url = spec_.location();
  }
  void add(Finding finding) { context_.findings->add(std::move(finding)); }

  Spec const& spec_;
  probes::ProbeContext const& context_;
  config::HttpSettings settings_;
  fetch::MemorySink body_;  // stays empty
  fetch::Transfer transfer_;
};

Task<void> Look::run(Trace trace) {
  step("connecting");
  auto dialled = co_await fetch::dial(transfer_, std::nullopt, context_.http, trace);
  for (auto const& kept : transfer_.secrets.kept) add(probes::kept_finding(kept));
  if (!dialled) {
    could_not_tell(probes::reason_of(dialled.error()), dialled.error().message);
    co_return;
  }
  co_await shake(*dialled.value(), trace);
}

// The CAs to verify by; nothing, after a finding, where they can't be had.
Task<std::optional<fetch::TlsContexts::Context>> Look::certificates_of_ours(Trace trace) {
  auto made = co_await context_.http.tls.get(settings_, context_.deadline, trace);
  if (!made) {
    could_not_tell(made.error().waits ? Reason::internal : Reason::configuration, made.error().why);
    co_return std::nullopt;
  }
  if (made.value().kept) add(probes::kept_finding(*made.value().kept));
  co_return made.value().context;
}

Task<void> Look::shake(fetch::Connection& connection, Trace trace) {
  auto const context = co_await certificates_of_ours(trace);
  if (!context) co_return;
  step("shaking hands");
  transfer_.clock.enter(Phase::tls);
  auto const due = Due::of(context_.deadline, spec_.tls_timeout);
  auto shown = co_await connection.look(*context, spec_.expected_name(), due, trace);
  if (!shown) {
    bool const late = shown.error().kind == fetch::FaultKind::timeout;
    could_not_tell(late ? Reason::timeout : Reason::tls,
                   late ? "the TLS handshake with " + connection.peer() + " did not end within " +
                              config::to_text(spec_.tls_timeout)
                        : shown.error().message);
    co_return;
  }
  transfer_.clock.enter(Phase::queue);
  add({.check = "reachable",
       .subject = spec_.location(),
       .message =
           shown.value().protocol + " with " + connection.peer() + ", " + shown.value().cipher});
  auto read = [seen = shown.value(), name = spec_.expected_name()] { return examine(seen, name); };
  auto const examined = co_await context_.cpu.run(trace, "tls.examine", std::move(read));
  auto& measured = context_.report.measurements;
  auto found = judge(examined, shown.value(), spec_, context_.now, measured.things);
  for (Finding& finding : found) add(std::move(finding));
  context_.report.complete = true;
}

}  // namespace

Task<void> probe_server(Spec spec, probes::ProbeContext context) {
  runtime::require_loop_thread();
  runtime::Frame const frame{context.trace, "tls", spec.address};
  Look look{spec, context};
  co_await look.run(frame.trace());
}

}  // namespace canary::tls
