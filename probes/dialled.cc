// SPDX-License-Identifier: Apache-2.0
#include "probes/dialled.h"

#include <optional>
#include <utility>

#include "probes/collector.h"
#include "probes/fetch/dial.h"
#include "probes/fetch/services.h"
#include "probes/fetched.h"
#include "runtime/contract.h"

namespace canary::probes {
namespace {

// Of a plain connection; whatever is spoken on it is the probe's own affair.
fetch::Request request_for(std::string const& address) {
  return fetch::Request{.url = config::Url::parse("http://" + address).value()};
}

}  // namespace

// What may hold credentials or a token is not repeated.
std::string wrong_address(std::string const& text) {
  auto const url = config::Url::parse("http://" + text);
  auto const colon = text.rfind(':');
  bool const port = colon != std::string::npos && colon + 1 < text.size() &&
                    text.find(']', colon) == std::string::npos;
  bool const whole = text.find_first_of("/?@") == std::string::npos;
  if (url && port && whole) return {};
  std::string const wrong = "expected HOST:PORT or [IPv6]:PORT";
  if (!url) return wrong + ": " + url.error();
  return whole ? wrong + ", got \"" + text + "\"" : wrong + " and nothing more";
}

Dialled::Dialled(std::string const& address, std::string location, config::HttpSettings settings,
                 ProbeContext const& context)
    : context_(context),
      location_(std::move(location)),
      settings_(std::move(settings)),
      body_(context.cpu),
      transfer_(request_for(address), body_, settings_, context.deadline) {}

Dialled::~Dialled() {
  auto& measured = context_.report.measurements;
  measured.phases = transfer_.clock.times();
  measured.requests = 1;
}

runtime::Task<std::unique_ptr<fetch::Connection>> Dialled::connect(runtime::Trace trace) {
  runtime::require_loop_thread();
  step("connecting");
  auto dialled = co_await fetch::dial(transfer_, std::nullopt, context_.http, trace);
  for (auto const& kept : transfer_.secrets.kept) add(kept_finding(kept));
  if (dialled) co_return std::move(dialled).value();
  could_not_tell(reason_of(dialled.error()), dialled.error().message);
  co_return nullptr;
}

void Dialled::could_not_tell(Reason reason, std::string message) {
  add({.check = "reachable",
       .subject = location_,
       .severity = Severity::unknown,
       .reason = reason,
       .message = std::move(message)});
}

void Dialled::reached(std::string message) {
  add({.check = "reachable", .subject = location_, .message = std::move(message)});
}

void Dialled::add(Finding finding) { context_.findings->add(std::move(finding)); }

void Dialled::step(std::string text) {
  context_.report.step = std::move(text);
  context_.report.step_url = location_;
}

}  // namespace canary::probes
