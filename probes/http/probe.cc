// SPDX-License-Identifier: Apache-2.0
// One request, and what it says of the server.
// Thread: loop; the body is looked at on a worker.
#include "probes/http/probe.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "probes/clock_doubt.h"
#include "probes/collector.h"
#include "probes/fetch/client.h"
#include "probes/fetch/services.h"
#include "probes/fetched.h"
#include "probes/http/body_look.h"
#include "probes/http/declaration.h"
#include "probes/http/judge.h"
#include "runtime/contract.h"

namespace canary::http {
namespace {

using probes::Finding;
using runtime::Task;
using runtime::Trace;

constexpr std::size_t kBeginning = 256;  // of a body that is not searched

fetch::Request request_of(Spec const& spec) {
  fetch::Request request{.url = spec.url};
  request.max_bytes = spec.max_size > 0 ? std::min(spec.max_size, spec.max_bytes) : spec.max_bytes;
  request.method = spec.verb();
  request.body = spec.body.value_or("");
  request.wanted = spec.statuses();
  request.any_status = true;
  request.follow_redirects = spec.follow_redirects;
  return request;
}

// Copies the client's totals into the report, however the run ends.
class Meter {
 public:
  Meter(fetch::Client const& client, Spec const& spec, probes::ProbeContext const& context)
      : client_(client), spec_(spec), context_(context) {}
  ~Meter() {
    fetch::Totals const& totals = client_.totals();
    auto& measured = context_.report.measurements;
    probes::add_totals(measured, totals, spec_.expiry);
    auto found = judge_certificates(spec_, totals, context_.now, measured);
    if (auto const off = probes::heard(context_.http.clocks, spec_.location(), totals.clocks)) {
      probes::Measurements not_wanted;
      auto const then = probes::their_time(context_.now, *off);
      probes::doubt(found, judge_certificates(spec_, totals, then, not_wanted), *off);
    }
    for (Finding& finding : found) context_.findings->add(std::move(finding));
  }
  Meter(Meter const&) = delete;
  Meter& operator=(Meter const&) = delete;

 private:
  fetch::Client const& client_;
  Spec const& spec_;
  probes::ProbeContext const& context_;
};

void add_samples(probes::Measurements& measured, fetch::Response const& response) {
  if (response.final_url.scheme() != config::Scheme::file) {
    measured.sample(kStatusSample) = response.status;
    measured.sample(kRedirectsSample) = static_cast<double>(response.redirects.size());
  }
  measured.sample(kBodySample) = static_cast<double>(response.length);
}

Task<void> ask(Spec const& spec, probes::ProbeContext const& context, fetch::Client& client,
               Trace trace) {
  auto const executor = co_await runtime::asio::this_coro::executor;
  std::size_t const kept = spec.searches() ? static_cast<std::size_t>(spec.max_bytes) : kBeginning;
  auto const look = std::make_shared<BodyLook>(spec.sha256.has_value(), kept);
  std::vector<fetch::PipelinedSink::Stage> stages{{context.cpu, look}};
  fetch::PipelinedSink sink{executor, std::move(stages)};
  auto request = request_of(spec);
  auto outcome = co_await client.download(std::move(request), sink, context.deadline, trace);
  if (!outcome) {
    Finding finding = judge(spec, outcome.error());
    auto const& totals = client.totals();
    if (auto const off = probes::heard(context.http.clocks, spec.location(), totals.clocks)) {
      probes::Measurements measured;
      probes::add_totals(measured, totals, spec.expiry);
      probes::doubt_handshake(finding, measured.certificates, context.now, *off);
    }
    context.report.complete = outcome.error().answered;
    context.findings->add(std::move(finding));
    co_return;
  }
  add_samples(context.report.measurements, outcome.value());
  context.findings->add(
      {.check = "reachable", .subject = spec.location(), .message = "an answer came"});
  auto work = [spec, look, response = std::move(outcome).value()]() mutable {
    Answer const answer{std::move(response), look->text(), look->sha256()};
    return judge(spec, answer);
  };
  auto found = co_await context.cpu.run(trace, "http.judge", std::move(work));
  for (Finding& finding : found) context.findings->add(std::move(finding));
  context.report.complete = true;
}

}  // namespace

Task<void> probe_url(Spec spec, config::HttpSettings settings, probes::ProbeContext context) {
  runtime::require_loop_thread();
  runtime::Frame const frame{context.trace, "http", spec.url.host()};
  context.report.step = "asking";
  context.report.step_url = spec.location();
  auto const executor = co_await runtime::asio::this_coro::executor;
  fetch::Client client{executor, std::move(settings), context.http};
  {
    Meter const meter{client, spec, context};
    co_await ask(spec, context, client, frame.trace());
  }
  probes::add_surroundings(context.report, client.totals());
}

}  // namespace canary::http
