// SPDX-License-Identifier: Apache-2.0
// One run over all servers, side by side.
// Thread: loop; answers are read on a worker.
#include "probes/dns/probe.h"

#include <algorithm>
#include <any>
#include <memory>
#include <random>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "probes/collector.h"
#include "probes/dns/declaration.h"
#include "probes/dns/judge.h"
#include "probes/fetch/services.h"
#include "runtime/contract.h"
#include "runtime/dns_query.h"
#include "runtime/task_group.h"

namespace canary::dns {
namespace {

using probes::Finding;
using probes::Reason;
using probes::Severity;
using runtime::Clock;
using runtime::Task;
using runtime::Trace;

// What is kept from run to run: since when the servers' serials differ.
struct Kept {
  std::optional<std::chrono::sys_seconds> differ_since;
};

runtime::AddressFamily family_of(config::IpFamily family) {
  using runtime::AddressFamily;
  return family == config::IpFamily::v4   ? AddressFamily::v4
         : family == config::IpFamily::v6 ? AddressFamily::v6
                                          : AddressFamily::any;
}

Reason reason_of(runtime::ResolveFault const& fault, bool of_server_name) {
  using Kind = runtime::ResolveFault::Kind;
  if (fault.own_error != 0 || fault.kind == Kind::disk) return Reason::internal;
  if (of_server_name) return Reason::dns;
  return fault.kind == Kind::timeout ? Reason::timeout : Reason::connect;
}

// One run. Lives in the frame of probe_servers, which waits for every task it starts.
class Run {
 public:
  Run(Spec const& spec, probes::ProbeContext const& context) : spec_(spec), context_(context) {}
  Task<void> run(Trace trace);

 private:
  Task<void> ask(std::string server, Trace trace);
  Task<std::optional<std::string>> address_of(std::string server, Trace trace);
  void take(std::string const& server, Message const& message, Clock::duration took);
  void compare_serials();
  std::chrono::seconds differ_for();
  void could_not_tell(std::string const& server, Reason reason, std::string message) {
    unreached_ = true;
    add({.check = "reachable",
         .subject = server,
         .severity = Severity::unknown,
         .reason = reason,
         .message = std::move(message)});
  }
  void add(Finding finding) { context_.findings->add(std::move(finding)); }

  Spec const& spec_;
  probes::ProbeContext const& context_;
  std::vector<ServerSerial> serials_;
  bool unreached_ = false;
};

// "192.0.2.1:53"; nothing after a finding.
Task<std::optional<std::string>> Run::address_of(std::string server, Trace trace) {
  auto const name = parse_server(server).value_or(ServerName{});
  auto const before = Clock::now();
  auto const found = co_await context_.http.resolver.resolve(
      name.host, family_of(spec_.ip_family), context_.deadline.within(spec_.resolve_timeout),
      trace);
  context_.report.measurements.phases[probes::Phase::resolve] += Clock::now() - before;
  if (!found) {
    could_not_tell(server, reason_of(found.error(), true), found.error().message);
    co_return std::nullopt;
  }
  auto const& address = found.value().front();
  std::string const text = address.to_string();
  co_return (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(name.port);
}

Task<void> Run::ask(std::string server, Trace trace) {
  runtime::Frame const frame{trace, "dns.server", server};
  auto address = co_await address_of(server, frame.trace());
  if (!address) co_return;
  Question const question = spec_.question();
  auto const id = static_cast<std::uint16_t>(std::random_device{}());
  runtime::DnsServerAsked asked{*address, spec_.transport == Transport::tcp};
  auto const before = Clock::now();
  auto const until = context_.deadline.within(spec_.query_timeout);
  ++context_.report.measurements.requests;
  auto answer =
      co_await runtime::dns_query(std::move(asked), to_bytes(question, id), until, frame.trace());
  auto const took = Clock::now() - before;
  context_.report.measurements.phases[probes::Phase::first_byte] += took;
  if (!answer) {
    could_not_tell(server, reason_of(answer.error(), false), answer.error().message);
    co_return;
  }
  context_.report.measurements.bytes_received += answer.value().size();
  add({.check = "reachable", .subject = server, .message = "an answer came from " + *address});
  auto read = [bytes = std::move(answer).value(), question] { return parse(bytes, question); };
  auto const message = co_await context_.cpu.run(frame.trace(), "dns.parse", std::move(read));
  if (message) take(server, message.value(), took);
  for (Finding& finding : judge(spec_, server, message)) add(std::move(finding));
}

void Run::take(std::string const& server, Message const& message, Clock::duration took) {
  auto& measured = context_.report.measurements;
  measured.sample(kRecords, server) = static_cast<double>(message.records.size());
  measured.sample(kSeconds, server) = std::chrono::duration<double>(took).count();
  if (message.records.empty()) return;
  auto const shortest = std::ranges::min_element(message.records, {}, &Record::ttl);
  measured.sample(kTtl, server) = shortest->ttl;
  if (spec_.type != TypeName::soa) return;
  measured.sample(kSerial, server) = message.records.front().serial;
  serials_.push_back({server, message.records.front().serial});
}

std::chrono::seconds Run::differ_for() {
  if (!context_.memory) return std::chrono::seconds{0};
  auto* kept = std::any_cast<Kept>(context_.memory.get());
  if (kept == nullptr) {
    *context_.memory = Kept{};
    kept = std::any_cast<Kept>(context_.memory.get());
  }
  if (!differ(serials_)) kept->differ_since.reset();
  if (differ(serials_) && !kept->differ_since) kept->differ_since = context_.now;
  return kept->differ_since ? context_.now - *kept->differ_since : std::chrono::seconds{0};
}

void Run::compare_serials() {
  if (serials_.size() < 2) return;
  std::ranges::sort(serials_, {}, &ServerSerial::server);
  add(judge_serials(spec_, serials_, differ_for()));
}

Task<void> Run::run(Trace trace) {
  context_.report.step = "asking the servers";
  context_.report.step_url = spec_.location();
  runtime::TaskGroup group{co_await runtime::asio::this_coro::executor};
  for (auto const& server : spec_.servers) group.start(ask(server, trace));
  co_await group.join(trace);
  compare_serials();
  context_.report.complete = !unreached_;
}

}  // namespace

Task<void> probe_servers(Spec spec, probes::ProbeContext context) {
  runtime::require_loop_thread();
  runtime::Frame const frame{context.trace, "dns", spec.name};
  Run run{spec, context};
  co_await run.run(frame.trace());
}

}  // namespace canary::dns
