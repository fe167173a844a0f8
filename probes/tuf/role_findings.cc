// SPDX-License-Identifier: Apache-2.0
// Thread: loop; oddities are gone through on a worker.
#include "probes/tuf/role_findings.h"

#include <algorithm>
#include <utility>

#include "probes/tuf/client_requests.h"
#include "probes/tuf/role_name.h"
#include "probes/tuf/targets.h"
#include "runtime/contract.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::Severity;

// Facts of more roles would be more series than a monitor wants; the first to expire are kept.
constexpr std::size_t kDelegatedFacts = KnownRoles::kRetoldFacts;

}  // namespace

void RoleFindings::at(std::string const& role, std::size_t done) {
  run_.context.report.step = "the delegated role " + role + ", " + count(done, "role") + " done";
  std::string const url = run_.spec.metadata_url.child(metadata_file(role)).text();
  run_.context.report.step_url = url.substr(0, url.find('?'));
}

// Clients may ask for different files.
std::vector<Finding> RoleFindings::look_at_name(std::string const& role) {
  auto odd = odd_role_name(request_folder(run_.spec.metadata_url), role);
  if (!odd || ++odd_names_ > kRolesNamed) return {};
  return {{.check = std::string(kDelegations),
           .subject = role,
           .severity = Severity::warning,
           .reason = kMetadataMissing,
           .message = std::move(*odd),
           .evidence = metadata_file(role)}};
}

RoleFindings::Told RoleFindings::report(std::string const& role, std::string const& delegator) {
  TrustedMetadata const& trusted = run_.refresh.trusted();
  Targets const& content = *trusted.targets(role);
  ++roles_;
  ThresholdsInForce const thresholds = run_.expiry.thresholds(role, content);
  Told told{.facts = {.seen = run_.context.now,
                      .expires = content.expires,
                      .size = trusted.bytes(role).size(),
                      .fingerprint = content.fingerprint,
                      .validity = thresholds.validity},
            .bad = look_at_name(role)};
  std::vector<Finding> found{expiry_finding(role, content.expires, run_.context.now, thresholds),
                             signature_finding(role, trusted.tallies().find(role)->second)};
  for (Finding& finding : found) {
    if (finding.severity != Severity::ok) {
      told.bad.push_back(std::move(finding));
    } else if (roles_ <= kRolesNamed) {
      good_.push_back(std::move(finding));
    }
  }
  for (Finding const& finding : told.bad) add(finding);
  probes::ThingFacts facts = role_facts(role, content, thresholds, told.facts.size);
  facts.one_of_many = true;
  facts.below = delegator;
  keep_facts(std::move(facts));
  return told;
}

void RoleFindings::report_known(std::string const& role, KnownRole const& known) {
  RoleFacts const& facts = *known.facts;
  Common content;
  content.version = known.listed;
  content.expires = facts.expires;
  content.fingerprint = facts.fingerprint;
  auto const thresholds =
      thresholds_in_force(thresholds_of(run_.spec.expiry, role), facts.validity);
  probes::ThingFacts told = role_facts(role, content, thresholds, facts.size);
  told.one_of_many = true;
  told.below = known.delegators.front();
  told.seen = facts.seen;
  keep_facts(std::move(told));
}

void RoleFindings::keep_facts(probes::ThingFacts facts) {
  auto const later = [](probes::ThingFacts const& a, probes::ThingFacts const& b) {
    return a.expiry->at < b.expiry->at;
  };
  facts_.push_back(std::move(facts));
  std::push_heap(facts_.begin(), facts_.end(), later);
  if (facts_.size() <= kDelegatedFacts) return;
  std::pop_heap(facts_.begin(), facts_.end(), later);
  facts_.pop_back();
}

void RoleFindings::report_good(std::string const& of_many) {
  if (roles_ <= kRolesNamed) {
    for (Finding& finding : good_) add(std::move(finding));
  } else if (!of_many.empty()) {
    add(ok_finding(kExpiry, "", of_many));
    add(ok_finding(kSignatures, "", of_many));
  }
  std::sort(facts_.begin(), facts_.end(),
            [](auto const& a, auto const& b) { return a.expiry->at < b.expiry->at; });
  auto& facts = run_.context.report.measurements.things;
  facts.insert(facts.end(), facts_.begin(), facts_.end());
}

runtime::Task<void> add_notices(probes::Collector& findings, Refresh& refresh, std::string role,
                                runtime::Trace trace) {
  runtime::require_loop_thread();
  auto job = [trusted = refresh.shared(), role = std::move(role)] {
    Notices own;
    for (Notice const& notice : trusted->notices()) {
      bool const wanted = role.empty() ? is_delegated_role_name(notice.role) : notice.role == role;
      if (wanted) own.push_back(notice);
    }
    return notice_findings(own);
  };
  auto found = co_await refresh.work().run(trace, "tuf.notices", std::move(job));
  for (Finding& finding : found) add_of_role(findings, refresh, std::move(finding));
}

}  // namespace canary::tuf
