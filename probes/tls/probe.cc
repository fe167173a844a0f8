// SPDX-License-Identifier: Apache-2.0
// One handshake, and what it says of the server.
// Thread: loop; certificates are read on a worker.
#include "probes/tls/probe.h"

#include <optional>
#include <string>
#include <utility>

#include "config/duration.h"
#include "probes/clock_doubt.h"
#include "probes/dialled.h"
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
        dialled_(spec.address, spec.location(), settings_of(spec), context) {}
  Look(Look const&) = delete;
  Look& operator=(Look const&) = delete;

  Task<void> run(Trace trace);

 private:
  Task<std::optional<fetch::TlsContexts::Context>> certificates_of_ours(Trace trace);
  Task<void> shake(fetch::Connection& connection, Trace trace);

  Spec const& spec_;
  probes::ProbeContext const& context_;
  probes::Dialled dialled_;
};

Task<void> Look::run(Trace trace) {
  auto const connected = co_await dialled_.connect(trace);
  if (connected) co_await shake(*connected, trace);
}

// The CAs to verify by; nothing, after a finding, where they can't be had.
Task<std::optional<fetch::TlsContexts::Context>> Look::certificates_of_ours(Trace trace) {
  auto made = co_await context_.http.tls.get(dialled_.settings(), context_.deadline, trace);
  if (!made) {
    dialled_.could_not_tell(made.error().waits ? Reason::internal : Reason::configuration,
                            made.error().why);
    co_return std::nullopt;
  }
  if (made.value().kept) dialled_.add(probes::kept_finding(*made.value().kept));
  co_return made.value().context;
}

Task<void> Look::shake(fetch::Connection& connection, Trace trace) {
  auto const context = co_await certificates_of_ours(trace);
  if (!context) co_return;
  dialled_.step("shaking hands");
  dialled_.enter(Phase::tls);
  auto const due = Due::of(context_.deadline, spec_.tls_timeout);
  auto shown = co_await connection.look(*context, spec_.expected_name(), context_.cpu, due, trace);
  if (!shown) {
    bool const late = shown.error().kind == fetch::FaultKind::timeout;
    bool const costly = shown.error().kind == fetch::FaultKind::tls_costly;
    dialled_.could_not_tell(late     ? Reason::timeout
                            : costly ? Reason::size_limit
                                     : Reason::tls,
                            late ? "the TLS handshake with " + connection.peer() +
                                       " did not end within " + config::to_text(spec_.tls_timeout)
                                 : shown.error().message);
    co_return;
  }
  dialled_.enter(Phase::queue);
  dialled_.reached(shown.value().protocol + " with " + connection.peer() + ", " +
                   shown.value().cipher);
  auto read = [seen = shown.value(), name = spec_.expected_name()] { return examine(seen, name); };
  auto const examined = co_await context_.cpu.run(trace, "tls.examine", std::move(read));
  auto& measured = context_.report.measurements;
  auto found = judge(examined, shown.value(), spec_, context_.now, measured);
  // No Date is heard here: others' clocks bear witness, or the kernel.
  if (auto const off = probes::heard(context_.http.clocks, spec_.location(), {})) {
    probes::Measurements not_wanted;
    auto const then = probes::their_time(context_.now, *off);
    probes::doubt(found, judge(examined, shown.value(), spec_, then, not_wanted), *off);
  }
  for (Finding& finding : found) dialled_.add(std::move(finding));
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
