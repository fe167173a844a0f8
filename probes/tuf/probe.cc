// SPDX-License-Identifier: Apache-2.0
// Drives the refresh and turns what happens into findings, each as soon as it is known.
// Thread: loop.
#include "probes/tuf/probe.h"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "config/duration.h"
#include "probes/collector.h"
#include "probes/http/client.h"
#include "probes/http/fault.h"
#include "probes/http/services.h"
#include "probes/tuf/digest.h"
#include "probes/tuf/expiry_watch.h"
#include "probes/tuf/findings.h"
#include "probes/tuf/pin.h"
#include "probes/tuf/prefetch.h"
#include "probes/tuf/role_name.h"
#include "probes/tuf/surroundings.h"
#include "probes/tuf/target_audit.h"
#include "runtime/task_group.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::ProbeContext;
using probes::Report;
using probes::Severity;
using runtime::Task;
using runtime::Trace;

// Facts of more roles would be more series than a monitor wants; the first to expire are kept.
constexpr std::size_t kDelegatedFacts = 64;
// Files of delegated roles that are fetched while one before them is verified.
constexpr std::size_t kRolesAhead = 4;

Policy policy_of(config::MetadataLimits const& limits) {
  Policy policy;
  policy.expiry = ExpiryPolicy::record;
  policy.limits.root = limits.root;
  policy.limits.timestamp = limits.timestamp;
  policy.limits.snapshot = limits.snapshot;
  policy.limits.targets = limits.targets;
  policy.limits.root_rotations = static_cast<std::size_t>(std::max(0, limits.root_rotations));
  return policy;
}

RefreshSettings settings_of(config::TufSpec const& spec, ProbeContext const& context) {
  return {.metadata_url = spec.metadata_url,
          .reference = context.now,
          .policy = policy_of(spec.limits),
          .deadline = context.deadline,
          .reuse_stored = false};
}

// Copies the client's totals into the report, however the run ends.
class Meter {
 public:
  Meter(http::Client const& client, Refresh const& refresh, Report& report)
      : client_(client), refresh_(refresh), report_(report) {}
  ~Meter() {
    http::Totals const& totals = client_.totals();
    probes::Measurements& measured = report_.measurements;
    measured.requests = totals.requests;
    measured.retries = totals.retries;
    measured.bytes_received = totals.bytes;
    measured.tls_not_after = totals.tls_not_after;
    auto const& times = totals.times;
    measured.phases = {.queue = times[http::Phase::queue] + times[http::Phase::backoff],
                       .resolve = times[http::Phase::resolve],
                       .connect = times[http::Phase::connect] + times[http::Phase::proxy],
                       .tls = times[http::Phase::tls],
                       .request = times[http::Phase::request],
                       .first_byte = times[http::Phase::first_byte],
                       .body = times[http::Phase::body],
                       .verify = refresh_.verify_time()};
  }
  Meter(Meter const&) = delete;
  Meter& operator=(Meter const&) = delete;

 private:
  http::Client const& client_;
  Refresh const& refresh_;
  Report& report_;
};

// One run. Lives in the frame of probe_repository, which waits for every task it starts.
class Run {
 public:
  Run(config::TufSpec const& spec, ProbeContext const& context, http::Client& client)
      : spec_(spec),
        context_(context),
        client_(client),
        store_(context.state_directory, context.disk),
        refresh_(settings_of(spec, context), client, store_, context.cpu),
        expiry_(spec.expiry, context.now, store_, refresh_),
        meter_(client, refresh_, context.report) {}

  Task<void> run(Trace trace);
  // What mirrors of one repository share: its pinned root's hash; empty where that is unreadable.
  std::string const& pin() const { return pin_; }

 private:
  Task<bool> start(Trace trace);
  Task<std::optional<std::string>> read_pinned(Trace trace);
  Task<std::optional<std::string>> stored_root(std::string pin, std::string pinned, Trace trace);
  Task<bool> walk_roots(bool replayed, Trace trace);
  Task<bool> top_level(Trace trace);
  Task<void> delegations(Trace trace);
  Task<void> follow(DelegationWalk& walk, Prefetch& prefetch, Trace trace);
  void conclude_delegations(DelegationWalk const& walk);
  void report_role(std::string const& role, Common const& content);
  void report_delegated(std::string const& role);
  void report_rollback();
  void report_store();
  void add(Finding finding) { context_.findings->add(std::move(finding)); }
  bool good(RefreshResult<void> const& result, Stage stage) {
    if (!result) add(finding_of(result.error(), stage));
    return result.has_value();
  }

  config::TufSpec const& spec_;
  ProbeContext const& context_;
  http::Client& client_;
  LocalStore store_;
  Refresh refresh_;
  ExpiryWatch expiry_;
  Meter meter_;
  std::string pin_;
  std::uint64_t pinned_version_ = 0;
  bool from_stored_ = false;
  bool roles_missing_ = false;  // a delegated role could not be looked at
  std::vector<std::string> accepted_;    // targets roles, in the order of the walk
  std::vector<Finding> good_delegated_;  // ok findings, named singly or summed up
  std::vector<probes::RoleFacts> delegated_facts_;
};

Task<void> Run::run(Trace trace) {
  if (!co_await start(trace)) co_return;
  bool const complete = co_await top_level(trace);
  if (complete) {
    co_await delegations(trace);
    TargetAudit audit{spec_, context_, client_, refresh_};
    co_await audit.run(accepted_, trace);
  }
  if (auto refused = co_await expiry_.store(trace)) add(std::move(*refused));
  report_store();
  context_.report.complete = complete && !roles_missing_;
}

Task<std::optional<std::string>> Run::read_pinned(Trace trace) {
  auto job = [path = spec_.root, limit = std::size_t{spec_.limits.root}] {
    return read_whole_file(path, limit);
  };
  auto read = co_await context_.disk.run(trace, "tuf.read_pinned_root", std::move(job));
  if (read && read.value()) co_return std::move(*read.value());
  std::string why = "there is no such file: " + spec_.root.string();
  auto reason = probes::Reason::configuration;
  if (!read) {
    why = sentence(read.error());
    // The file may be as good as ever.
    if (http::is_exhaustion(read.error().error)) reason = probes::Reason::internal;
  }
  add({.check = std::string(kRootChain),
       .subject = "root",
       .severity = Severity::unknown,
       .reason = reason,
       .message = "the pinned root is not readable: " + why,
       .evidence = spec_.root.string()});
  co_return std::nullopt;
}

// The newest root that was trusted, if it came from this pinned root.
Task<std::optional<std::string>> Run::stored_root(std::string pin, std::string pinned,
                                                  Trace trace) {
  auto const stored_pin = co_await store_.read_pin(trace);
  if (!stored_pin || stored_pin.value() != pin) co_return std::nullopt;
  auto stored = co_await store_.read("root", spec_.limits.root, trace);
  if (!stored || !stored.value() || *stored.value() == pinned) co_return std::nullopt;
  co_return std::move(*stored.value());
}

// Trusts a root. False: there is none that could be trusted.
Task<bool> Run::start(Trace trace) {
  std::optional<std::string> const pinned = co_await read_pinned(trace);
  if (!pinned) co_return false;
  auto const opened = co_await store_.open(trace);
  if (!opened) add(finding_of(opened.error()));
  auto const checked = TrustedMetadata::create(*pinned, context_.now, policy_of(spec_.limits));
  if (!checked) {
    add(pin_finding(spec_.root.string(), checked.error()));
    co_return false;
  }
  pinned_version_ = checked.value().root().version;
  pin_ = sha256_hex(*pinned);
  std::optional<std::string> stored = co_await stored_root(pin_, *pinned, trace);
  if (stored) {
    auto const begun = co_await refresh_.begin(std::move(*stored), trace);
    from_stored_ = begun && refresh_.trusted().root().version >= pinned_version_;
    if (!from_stored_) {
      Notice const notice{NoticeKind::previous_discarded, "root",
                          begun ? "older than the pinned root" : sentence(begun.error())};
      for (Finding& finding : notice_findings({notice})) add(std::move(finding));
    }
  }
  if (!from_stored_ && !good(co_await refresh_.begin(*pinned, trace), Stage::metadata)) {
    co_return false;
  }
  auto const kept = co_await store_.write_pin(pin_, trace);
  if (!kept) add(finding_of(kept.error()));
  if (auto unusable = co_await expiry_.load(pin_, trace)) add(std::move(*unusable));
  bool replayed = true;
  if (from_stored_) {
    replayed = good(co_await refresh_.replay_roots(*pinned, trace), Stage::root_walk);
  }
  co_return co_await walk_roots(replayed, trace);
}

// `replayed`: nothing is known against the roots up to the one that the walk begins at.
Task<bool> Run::walk_roots(bool replayed, Trace trace) {
  auto const walked = co_await refresh_.update_roots(trace);
  if (!good(walked, Stage::root_walk)) co_return false;
  Root const& root = refresh_.trusted().root();
  add(ok_finding(kReachable, spec_.metadata_url.text(), "the repository answers"));
  if (replayed) {
    std::string way = root.version == pinned_version_
                          ? "the pinned root " + std::to_string(root.version) + " is the newest"
                          : "from the pinned root " + std::to_string(pinned_version_) +
                                " to root " + std::to_string(root.version) +
                                ", each signed by the one before";
    add(ok_finding(kRootChain, "root", std::move(way)));
  }
  co_await expiry_.look_at_root(trace);
  report_role("root", root);
  co_return true;
}

Task<bool> Run::top_level(Trace trace) {
  TrustedMetadata const& trusted = refresh_.trusted();
  if (!good(co_await refresh_.update_timestamp(trace), Stage::metadata)) co_return false;
  report_role("timestamp", *trusted.timestamp());
  if (!good(co_await refresh_.update_snapshot(trace), Stage::metadata)) co_return false;
  report_rollback();
  report_role("snapshot", *trusted.snapshot());
  if (!good(co_await refresh_.update_targets(trace), Stage::metadata)) co_return false;
  report_role("targets", *trusted.targets());
  add(ok_finding(kConsistency, "", "timestamp, snapshot and targets belong together"));
  accepted_.push_back("targets");
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
  Notices own;
  std::copy_if(trusted.notices().begin(), trusted.notices().end(), std::back_inserter(own),
               [&](Notice const& notice) { return notice.role == role; });
  for (Finding& finding : notice_findings(own)) add(std::move(finding));
  context_.report.measurements.roles.push_back({.role = role,
                                                .version = std::int64_t(content.version),
                                                .expires = content.expires,
                                                .warning = thresholds.warning,
                                                .critical = thresholds.critical,
                                                .size = trusted.bytes(role).size()});
}

// Every role that can be reached, verified by each delegator that leads to it.
Task<void> Run::delegations(Trace trace) {
  runtime::Frame const frame{trace, "tuf.delegations"};
  auto const limit = static_cast<std::size_t>(std::max(0, spec_.limits.delegated_roles));
  DelegationWalk walk{refresh_.trusted(), limit};
  runtime::TaskGroup group{co_await runtime::asio::this_coro::executor};
  Prefetch prefetch{refresh_, group, kRolesAhead};
  // In the group as well: whatever ends the walk, join() sees the downloads out.
  group.start(follow(walk, prefetch, frame.trace()));
  co_await group.join(frame.trace());
  conclude_delegations(walk);
}

// Both live in the frame of delegations().
Task<void> Run::follow(DelegationWalk& walk, Prefetch& prefetch, Trace trace) {
  while (std::optional<NeedRole> need = walk.next()) {
    bool const known = refresh_.trusted().targets(need->role) != nullptr;
    std::string const role = need->role;
    Refresh::Answer answer = co_await prefetch.take(*need, trace);
    RefreshResult<void> const updated =
        co_await refresh_.update_delegated(std::move(*need), std::move(answer), trace);
    if (!good(updated, Stage::metadata)) {
      roles_missing_ = true;
    } else if (!known) {
      report_delegated(role);
    }
  }
}

void Run::report_delegated(std::string const& role) {
  TrustedMetadata const& trusted = refresh_.trusted();
  Targets const& content = *trusted.targets(role);
  accepted_.push_back(role);
  ThresholdsInForce const thresholds = expiry_.thresholds(role, content);
  std::vector<Finding> found{expiry_finding(role, content.expires, context_.now, thresholds),
                             signature_finding(role, trusted.tallies().find(role)->second)};
  for (Finding& finding : found) {
    if (finding.severity != Severity::ok) {
      add(std::move(finding));
    } else if (accepted_.size() <= kRolesNamed + 1) {
      good_delegated_.push_back(std::move(finding));
    }
  }
  auto const later = [](probes::RoleFacts const& a, probes::RoleFacts const& b) {
    return a.expires < b.expires;
  };
  delegated_facts_.push_back({.role = role,
                              .version = std::int64_t(content.version),
                              .expires = content.expires,
                              .warning = thresholds.warning,
                              .critical = thresholds.critical,
                              .size = trusted.bytes(role).size()});
  std::push_heap(delegated_facts_.begin(), delegated_facts_.end(), later);
  if (delegated_facts_.size() <= kDelegatedFacts) return;
  std::pop_heap(delegated_facts_.begin(), delegated_facts_.end(), later);
  delegated_facts_.pop_back();
}

void Run::conclude_delegations(DelegationWalk const& walk) {
  std::size_t const roles = accepted_.size() - 1;  // without "targets"
  if (roles <= kRolesNamed) {
    for (Finding& finding : good_delegated_) add(std::move(finding));
  } else {
    std::string const all =
        "no finding of its own for a delegated role means that it is ok: " + count(roles, "role") +
        " looked at";
    add(ok_finding(kExpiry, "", all));
    add(ok_finding(kSignatures, "", all));
  }
  Notices notices;
  for (Notice const& notice : refresh_.trusted().notices()) {
    if (is_delegated_role_name(notice.role)) notices.push_back(notice);
  }
  for (Finding& finding : notice_findings(notices)) add(std::move(finding));
  std::sort(delegated_facts_.begin(), delegated_facts_.end(),
            [](auto const& a, auto const& b) { return a.expires < b.expires; });
  auto& facts = context_.report.measurements.roles;
  facts.insert(facts.end(), delegated_facts_.begin(), delegated_facts_.end());
  for (NeedRole const& cycle : walk.cycles()) {
    add({.check = std::string(kDelegations),
         .subject = cycle.role,
         .severity = Severity::warning,
         .reason = probes::Reason::parse,
         .message = "the delegation leads back to a role on the way to it: some clients go round "
                    "for ever",
         .evidence = cycle.delegator + " delegates to " + cycle.role});
  }
  if (walk.truncated()) {
    roles_missing_ = true;
    add({.check = std::string(kDelegations),
         .subject = "",
         .severity = Severity::unknown,
         .reason = probes::Reason::size_limit,
         .message = "there are more delegations than the limit of " + std::to_string(walk.pairs()) +
                    "; the rest was not looked at",
         .evidence = "limits.delegated_roles"});
  } else if (walk.pairs() > 0) {
    add(ok_finding(kDelegations, "", count(roles, "delegated role") + " verified"));
  }
}

void Run::report_store() {
  for (StoreFault const& fault : refresh_.store_faults()) add(finding_of(fault));
  for (Finding& finding : notice_findings(refresh_.notices())) add(std::move(finding));
}

}  // namespace

Task<void> probe_repository(config::TufSpec spec, config::HttpSettings http, ProbeContext context) {
  runtime::Frame const frame{context.trace, "tuf", spec.metadata_url.host()};
  http::Client client{co_await runtime::asio::this_coro::executor, std::move(http), context.http};
  Run run{spec, context, client};
  co_await run.run(frame.trace());
  http::Totals const& totals = client.totals();
  auto const seen_at = runtime::Clock::now();
  auto& clocks = context.http.clocks;
  clocks.add(run.pin(), totals.clocks, seen_at);
  auto const off = clocks.verdict(run.pin(), http::kernel_clock(), seen_at);
  context.report.measurements.tls_not_after = totals.tls_not_after;
  add_clocks(context.report, totals, off, context.now);
  add_surroundings(context.report, totals);
}

}  // namespace canary::tuf
