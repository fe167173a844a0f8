// SPDX-License-Identifier: Apache-2.0
// Drives the refresh and turns what happens into findings, each as soon as it is known.
// Thread: loop.
#include "probes/tuf/probe.h"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "config/duration.h"
#include "probes/collector.h"
#include "probes/fetch/client.h"
#include "probes/fetch/services.h"
#include "probes/fetched.h"
#include "probes/tuf/delegation_audit.h"
#include "probes/tuf/digest.h"
#include "probes/tuf/expiry_watch.h"
#include "probes/tuf/findings.h"
#include "probes/tuf/kept_store.h"
#include "probes/tuf/pin.h"
#include "probes/tuf/pinned_root.h"
#include "probes/tuf/role_memory.h"
#include "probes/tuf/role_name.h"
#include "probes/tuf/surroundings.h"
#include "probes/tuf/target_audit.h"
#include "probes/tuf/turn_audit.h"
#include "runtime/contract.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::ProbeContext;
using probes::Report;
using probes::Severity;
using runtime::Task;
using runtime::Trace;

// What clients do where there are many roots (python-tuf 7, go-tuf 2, tough 0.21).
constexpr std::string_view kRootLimits =
    "python-tuf and go-tuf take 256 new roots in one refresh and work with the last of them, tough "
    "gives up after 1,024";

Policy policy_of(MetadataLimits const& limits) {
  Policy policy;
  policy.expiry = ExpiryPolicy::record;
  policy.limits.root = limits.root;
  policy.limits.timestamp = limits.timestamp;
  policy.limits.snapshot = limits.snapshot;
  policy.limits.targets = limits.targets;
  policy.limits.root_rotations = static_cast<std::size_t>(std::max(0, limits.root_rotations));
  return policy;
}

RefreshSettings settings_of(Spec const& spec, ProbeContext const& context,
                            std::shared_ptr<VerifiedSignatures> known) {
  Policy policy = policy_of(spec.limits);
  policy.known = std::move(known);
  return {.metadata_url = spec.metadata_url,
          .reference = context.now,
          .policy = std::move(policy),
          .deadline = context.deadline,
          .reuse_stored = false};
}

// What is remembered of the probe: what its earlier runs kept in memory, or anew from the state
// directory; nothing where it has none.
std::shared_ptr<TrustMemory> memory_of(ProbeContext const& context,
                                       runtime::Executor const& executor) {
  using Kept = std::shared_ptr<TrustMemory>;
  if (context.memory) {
    if (auto const* const kept = std::any_cast<Kept>(context.memory.get())) return *kept;
  }
  if (context.state_directory.empty()) return nullptr;
  TrustMemory::Threads const threads{context.disk, context.cpu};
  auto memory = std::make_shared<TrustMemory>(context.state_directory, threads, executor);
  if (context.memory) *context.memory = memory;
  return memory;
}

// Copies the client's totals into the report, however the run ends.
class Meter {
 public:
  Meter(fetch::Client const& client, Refresh& refresh, Report& report)
      : client_(client), refresh_(refresh), report_(report) {}
  ~Meter() {
    fetch::Totals const& totals = client_.totals();
    probes::Measurements& measured = report_.measurements;
    probes::add_totals(measured, totals);
    measured.phases[probes::Phase::verify] = refresh_.work().elapsed();
  }
  Meter(Meter const&) = delete;
  Meter& operator=(Meter const&) = delete;

 private:
  fetch::Client const& client_;
  Refresh& refresh_;
  Report& report_;
};

// One run. Lives in the frame of probe_repository, which waits for every task it starts.
class Run {
 public:
  // A `memory` where anything is to be remembered.
  Run(Spec const& spec, ProbeContext const& context, fetch::Client& client,
      std::shared_ptr<TrustMemory> memory)
      : spec_(spec),
        context_(context),
        client_(client),
        memory_(std::move(memory)),
        verified_(memory_ ? memory_->verified : std::make_shared<VerifiedSignatures>()),
        store_(memory_, context.cpu, context.deadline),
        refresh_(settings_of(spec, context, verified_), client, store_, context.cpu),
        expiry_(spec.expiry, context.now, store_, refresh_),
        meter_(client, refresh_, context.report) {}

  Task<void> run(Trace trace);
  // What mirrors of one repository share: its pinned root's hash; empty where that is unreadable.
  std::string const& pin() const { return pin_; }

 private:
  Task<void> look(Trace trace);
  Task<bool> start(Trace trace);
  Task<std::optional<Trusted>> verify_pinned(Trace trace);
  Task<std::optional<std::string>> stored_root(std::string pinned, Trace trace);
  Task<bool> begin_from_stored(std::string stored, Trace trace);
  Task<bool> walk_roots(Trace trace);
  Task<void> report_roots(Trace trace);
  void report_more_roots(Root const& root);
  Task<bool> timestamp(Trace trace);
  Task<bool> top_level(Trace trace);
  Task<bool> contents(Trace trace);
  void report_role(std::string const& role, Common const& content);
  Task<void> report_notices(std::string role, Trace trace) {
    return add_notices(*context_.findings, refresh_, std::move(role), trace);
  }
  // What is asked for now, for a run that is cut short.
  void at(std::string step, std::string const& file) {
    context_.report.step = std::move(step);
    std::string const url = spec_.metadata_url.child(file).text();
    context_.report.step_url = url.substr(0, url.find('?'));
  }
  void report_rollback();
  void report_store();
  void add(Finding finding) { add_of_role(*context_.findings, refresh_, std::move(finding)); }
  bool good(RefreshResult<void> const& result, Stage stage) {
    if (!result) add(finding_of(result.error(), stage));
    return result.has_value();
  }

  Spec const& spec_;
  ProbeContext const& context_;
  fetch::Client& client_;
  std::shared_ptr<TrustMemory> memory_;
  std::shared_ptr<VerifiedSignatures> verified_;  // of this run alone where nothing is remembered
  KeptStore store_;
  Refresh refresh_;
  ExpiryWatch expiry_;
  Meter meter_;
  std::string pin_;
  std::uint64_t pinned_version_ = 0;
  // Nothing is known against the roots up to the one that the walk begins at; or why not.
  RefreshResult<void> replayed_ = outcome::success();
  bool roots_reported_ = false;
};

Task<void> Run::run(Trace trace) {
  runtime::require_loop_thread();
  co_await look(trace);
  auto said = co_await store_.settle(context_.now, trace);
  for (Finding& finding : said) add(std::move(finding));
}

Task<void> Run::look(Trace trace) {
  if (!co_await start(trace) || !co_await walk_roots(trace)) co_return;
  bool complete = co_await top_level(trace);
  if (complete) complete = co_await contents(trace);
  if (auto refused = co_await expiry_.store(trace)) add(std::move(*refused));
  report_store();
  context_.report.complete = complete;
}

// Delegated roles and targets. False: not all roles were looked at and verified.
Task<bool> Run::contents(Trace trace) {
  AuditParts const parts{spec_, context_, refresh_, expiry_};
  TargetAudit targets{spec_, context_, client_, refresh_};
  if (spec_.visits_all_roles()) {
    DelegationAudit roles{parts};
    co_await roles.run(trace);
    co_await targets.run(roles.take_accepted(), trace);
    co_return roles.complete();
  }
  co_await targets.search(trace);
  RoleMemory known{memory_, store_, pin_};
  TurnAudit roles{parts, known};
  co_await roles.run(trace);
  co_await targets.run({}, trace);
  co_return roles.complete();
}

// The pinned root, verified; its hash is in pin_.
Task<std::optional<Trusted>> Run::verify_pinned(Trace trace) {
  std::optional<std::string> pinned = co_await read_pinned_root(spec_, context_, memory_, trace);
  if (!pinned) co_return std::nullopt;
  auto hash = [bytes = *pinned, verified = verified_] {
    verified->begin_run();
    return sha256_hex(bytes);
  };
  pin_ = co_await refresh_.work().run(trace, "tuf.hash", std::move(hash));
  auto verified = co_await refresh_.verify_root(std::move(*pinned), trace);
  if (verified) {
    pinned_version_ = verified.value()->root().version;
    co_return std::move(verified).value();
  }
  add(pin_finding(spec_.root.string(), verified.error()));
  co_return std::nullopt;
}

// The newest root that was trusted, if it came from this pinned root and is another one.
Task<std::optional<std::string>> Run::stored_root(std::string pinned, Trace trace) {
  auto const stored_pin = co_await store_.read_pin(trace);
  if (!stored_pin || stored_pin.value() != pin_) co_return std::nullopt;
  auto stored = co_await store_.read("root", spec_.limits.root, trace);
  if (!stored || !stored.value() || *stored.value() == pinned) co_return std::nullopt;
  co_return std::move(*stored.value());
}

// False: it can't be used. One beyond the limit of rotations is not: the verdict is to be the same
// in every run.
Task<bool> Run::begin_from_stored(std::string stored, Trace trace) {
  auto verified = co_await refresh_.verify_root(std::move(stored), trace);
  std::string unusable;
  if (!verified) {
    unusable = sentence(verified.error());
  } else {
    std::uint64_t const version = verified.value()->root().version;
    if (version >= pinned_version_) {
      auto const limit = policy_of(spec_.limits).limits.root_rotations;
      if (version - pinned_version_ > limit) co_return false;
      co_await refresh_.begin(std::move(verified).value(), trace);
      co_return true;
    }
    unusable = "older than the pinned root: version " + std::to_string(version) + ", pinned is " +
               std::to_string(pinned_version_);
  }
  Notice const notice{NoticeKind::previous_discarded, "root", std::move(unusable)};
  for (Finding& finding : notice_findings({notice})) add(std::move(finding));
  co_return false;
}

// Trusts a root. False: there is none that could be trusted.
Task<bool> Run::start(Trace trace) {
  context_.report.step = "verifying the pinned root";
  std::optional<Trusted> pinned = co_await verify_pinned(trace);
  if (!pinned) co_return false;
  auto const opened = co_await store_.open(trace);
  if (!opened) add(finding_of(opened.error()));
  std::string bytes{(*pinned)->bytes("root")};
  std::optional<std::string> stored = co_await stored_root(std::move(bytes), trace);
  bool const from_stored = stored && co_await begin_from_stored(std::move(*stored), trace);
  if (!from_stored) co_await refresh_.begin(*pinned, trace);
  auto const kept = co_await store_.write_pin(pin_, trace);
  if (!kept) add(finding_of(kept.error()));
  if (auto unusable = co_await expiry_.load(pin_, trace)) add(std::move(*unusable));
  if (!from_stored) co_return true;
  at("walking from the pinned root to the trusted one", metadata_file("root", pinned_version_ + 1));
  replayed_ = co_await refresh_.replay_roots(std::move(*pinned), trace);
  co_return true;
}

// What a 403 to the first request means can't be said before something was served: then it is kept.
Task<bool> Run::walk_roots(Trace trace) {
  at("walking to the newest root", metadata_file("root", refresh_.trusted().root().version + 1));
  auto const walked = co_await refresh_.update_roots(trace);
  if (!walked) {
    good(replayed_, Stage::root_walk);
    good(walked, Stage::root_walk);
    co_return false;
  }
  if (refresh_.served()) co_await report_roots(trace);
  co_return true;
}

Task<void> Run::report_roots(Trace trace) {
  if (std::exchange(roots_reported_, true)) co_return;
  Root const& root = refresh_.trusted().root();
  if (refresh_.served()) {
    add(ok_finding(kReachable, spec_.metadata_url.text(), "the repository answers"));
  }
  bool const replayed = good(replayed_, Stage::root_walk);
  if (refresh_.more_roots()) {
    report_more_roots(root);
  } else if (replayed && refresh_.served()) {
    std::string way = root.version == pinned_version_
                          ? "the pinned root " + std::to_string(root.version) + " is the newest"
                          : "from the pinned root " + std::to_string(pinned_version_) +
                                " to root " + std::to_string(root.version) +
                                ", each signed by the one before";
    add(ok_finding(kRootChain, "root", std::move(way)));
  }
  co_await expiry_.look_at_root(trace);
  report_role("root", root);
  co_await report_notices("root", trace);
}

void Run::report_more_roots(Root const& root) {
  std::string const limit = std::to_string(root.version - pinned_version_);
  add({.check = std::string(kRootChain),
       .subject = "root",
       .severity = Severity::warning,
       .reason = probes::Reason::size_limit,
       .message = "there are more than " + limit + " roots after the pinned root " +
                  std::to_string(pinned_version_) + "; what follows was judged by root " +
                  std::to_string(root.version) + ". " + std::string(kRootLimits) +
                  ": ship a newer root with them, pin a newer one here, or raise "
                  "limits.root_rotations",
       .evidence = "limits.root_rotations " + limit});
}

Task<bool> Run::timestamp(Trace trace) {
  at("fetching the timestamp", metadata_file("timestamp"));
  auto const updated = co_await refresh_.update_timestamp(trace);
  FetchFault const* fault = updated ? nullptr : updated.error().fault();
  if (!refresh_.served() && fault != nullptr && fault->refused) {
    add(refused_finding(*fault, "all that was asked for"));
    co_return false;
  }
  co_await report_roots(trace);
  if (!good(updated, Stage::metadata)) co_return false;
  report_role("timestamp", *refresh_.trusted().timestamp());
  co_await report_notices("timestamp", trace);
  co_return true;
}

Task<bool> Run::top_level(Trace trace) {
  TrustedMetadata const& trusted = refresh_.trusted();
  if (!co_await timestamp(trace)) co_return false;
  at("fetching the snapshot", metadata_file("snapshot"));
  if (!good(co_await refresh_.update_snapshot(trace), Stage::metadata)) co_return false;
  report_rollback();
  report_role("snapshot", *trusted.snapshot());
  co_await report_notices("snapshot", trace);
  at("fetching the targets role", metadata_file("targets"));
  if (!good(co_await refresh_.update_targets(trace), Stage::metadata)) co_return false;
  report_role("targets", *trusted.targets());
  co_await report_notices("targets", trace);
  add(ok_finding(kConsistency, "", "timestamp, snapshot and targets belong together"));
  co_return true;
}

void Run::report_rollback() {
  TrustedMetadata const& trusted = refresh_.trusted();
  std::string const what = "timestamp " + std::to_string(trusted.timestamp()->version) +
                           " and snapshot " + std::to_string(trusted.snapshot()->version);
  add(ok_finding(kRollback, "",
                 refresh_.had_previous() ? what + " are not older than what was trusted before"
                                         : what + " are the first: nothing to compare them with"));
}

void Run::report_role(std::string const& role, Common const& content) {
  TrustedMetadata const& trusted = refresh_.trusted();
  ThresholdsInForce const thresholds = expiry_.thresholds(role, content);
  add(expiry_finding(role, content.expires, context_.now, thresholds));
  if (auto const tally = trusted.tallies().find(role); tally != trusted.tallies().end()) {
    add(signature_finding(role, tally->second));
  }
  context_.report.measurements.things.push_back(
      role_facts(role, content, thresholds, trusted.bytes(role).size()));
}

void Run::report_store() {
  for (StoreFault const& fault : refresh_.store_faults()) add(finding_of(fault));
  for (Finding& finding : notice_findings(refresh_.notices())) add(std::move(finding));
}

}  // namespace

Task<void> probe_repository(Spec spec, config::HttpSettings http, ProbeContext context) {
  runtime::require_loop_thread();
  runtime::Frame const frame{context.trace, "tuf", spec.metadata_url.host()};
  auto const executor = co_await runtime::asio::this_coro::executor;
  fetch::Client client{executor, std::move(http), context.http};
  std::string pin;
  {
    Run run{spec, context, client, memory_of(context, executor)};
    co_await run.run(frame.trace());
    pin = run.pin();
  }
  fetch::Totals const& totals = client.totals();
  auto const seen_at = runtime::Clock::now();
  auto& clocks = context.http.clocks;
  clocks.add(pin, totals.clocks, seen_at);
  auto const off = clocks.verdict(pin, fetch::kernel_clock(), seen_at);
  add_clocks(context.report, totals, off, context.now);
  add_surroundings(context.report, totals);
}

}  // namespace canary::tuf
