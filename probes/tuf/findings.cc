// SPDX-License-Identifier: Apache-2.0
// The tables from rules, faults and notices to checks, severities and reasons.
// Thread: none (pure).
#include "probes/tuf/findings.h"

#include <array>
#include <iterator>
#include <map>
#include <utility>

#include "config/duration.h"
#include "probes/tuf/budget.h"
#include "probes/tuf/notice_meaning.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::Severity;

std::string_view check_of(Rule rule) {
  switch (rule) {
    case Rule::size_limit:
    case Rule::json_syntax:
    case Rule::json_bom:
    case Rule::json_utf8:
    case Rule::json_depth:
    case Rule::json_duplicate_key:
    case Rule::json_trailing_bytes:
    case Rule::number_not_integer:
    case Rule::field_missing:
    case Rule::field_invalid:
    case Rule::wrong_type:
    case Rule::spec_version:
    case Rule::duplicate_signature:
    case Rule::other_dialect:
    case Rule::budget:
    case Rule::keys_rotated:
    case Rule::out_of_order:
      return kMetadata;
    case Rule::signature_invalid:
    case Rule::threshold:
    case Rule::unsupported:
      return kSignatures;
    case Rule::root_version_gap:
    case Rule::root_rotation_limit:
      return kRootChain;
    case Rule::timestamp_rollback:
    case Rule::snapshot_rollback:
    case Rule::targets_rollback:
    case Rule::snapshot_entry_removed:
      return kRollback;
    case Rule::snapshot_mix_and_match:
    case Rule::targets_mix_and_match:
    case Rule::role_not_in_snapshot:
    case Rule::equivocation:
    case Rule::length_mismatch:
    case Rule::hash_mismatch:
    case Rule::hash_unsupported:
      return kConsistency;
    case Rule::expired:
      return kExpiry;
    case Rule::role_not_delegated:
      return kDelegations;
    case Rule::lookup_limit:
    case Rule::target_not_found:
    case Rule::target_length_mismatch:
    case Rule::target_hash_mismatch:
      return kTargets;
  }
  return kMetadata;
}

probes::Reason reason_of(Rule rule) {
  switch (reason(rule)) {
    case Reason::parse:
      return probes::Reason::parse;
    case Reason::signature:
      return probes::Reason::signature;
    case Reason::threshold:
      return probes::Reason::threshold;
    case Reason::expired:
      return probes::Reason::expired;
    case Reason::rollback:
      return probes::Reason::rollback;
    case Reason::freeze:
      return probes::Reason::freeze;
    case Reason::equivocation:
      return probes::Reason::equivocation;
    case Reason::hash_mismatch:
      return probes::Reason::hash_mismatch;
    case Reason::size_limit:
      return probes::Reason::size_limit;
    case Reason::target_missing:
      return kTargetMissing;
    case Reason::unsupported:
      return probes::Reason::unsupported;
    case Reason::internal:
      return probes::Reason::internal;
  }
  return probes::Reason::internal;
}

std::string_view check_at(Stage stage, std::string_view otherwise) {
  switch (stage) {
    case Stage::root_walk:
      return kRootChain;
    case Stage::target:
      return kTargets;
    case Stage::metadata:
      return otherwise;
  }
  return otherwise;
}

Finding of_rejection(Rejection const& why, std::string const& url, Stage stage) {
  bool const expired = why.rule == Rule::expired;
  std::string evidence = "tuf ";
  evidence.append(spec_section(why.rule, why.role)).append(" ").append(name(why.rule));
  return {.check = std::string(expired ? kExpiry : check_at(stage, check_of(why.rule))),
          .subject = why.role,
          .severity = could_not_tell(why.rule) ? Severity::unknown : Severity::critical,
          .reason = reason_of(why.rule),
          .message = why.detail,
          .evidence = evidence + ": " + why.detail,
          .url = url,
          .expected = why.expected,
          .received = why.received};
}

Finding of_fault(std::string const& role, FetchFault const& fault, Stage stage) {
  bool const unanswered = fault.kind == FetchFault::Kind::unanswered;
  bool const no_connection = fault.reason == probes::Reason::tls_expired ||
                             fault.reason == probes::Reason::tls_not_yet_valid ||
                             fault.reason == probes::Reason::tls_wrong_name;
  bool const about_url = (unanswered || no_connection) && stage != Stage::target;
  bool const missing = fault.kind == FetchFault::Kind::missing;
  bool const ours = fault.own_limit || fault.waits_for_disk;
  std::string message = ours            ? "could not be looked at: " + fault.detail
                        : missing       ? "a listed file is missing: " + fault.detail
                        : no_connection ? "no client can connect: " + fault.detail
                        : fault.reason == probes::Reason::credentials ? fault.detail
                        : unanswered                                  ? "no answer: " + fault.detail
                                     : "a wrong answer: " + fault.detail;
  if (missing && stage == Stage::root_walk) {
    message = "a root that clients need on their way is missing: " + fault.detail;
  } else if (missing && role == "timestamp") {
    message = "the timestamp is missing: " + fault.detail;
  }
  return {.check = std::string(about_url ? kReachable : check_at(stage, kMetadata)),
          .subject = about_url ? fault.url : role,
          .severity = unanswered || fault.own_limit ? Severity::unknown : Severity::critical,
          .reason = fault.reason,
          .message = std::move(message),
          .evidence = fault.url,
          .url = fault.url};
}

struct NoticeGroup {
  std::uint64_t times = 0;
  std::string first;
};

Finding notice_finding(NoticeMeaning const& meaning, std::string subject, std::string_view extra,
                       NoticeGroup const& group) {
  std::string message{meaning.means};
  message.append(extra);
  if (group.times > 1) message += " (" + count(group.times, "time") + ")";
  return {.check = std::string(meaning.check),
          .subject = std::move(subject),
          .severity = Severity::warning,
          .reason = meaning.reason,
          .message = std::move(message),
          .evidence = std::string(name(meaning.kind)) + ": " + group.first};
}

}  // namespace

Finding ok_finding(std::string_view check, std::string subject, std::string message,
                   std::string evidence) {
  return {.check = std::string(check),
          .subject = std::move(subject),
          .message = std::move(message),
          .evidence = std::move(evidence)};
}

Finding finding_of(RefreshFailure const& failure, Stage stage) {
  if (Rejection const* why = failure.rejection()) return of_rejection(*why, failure.url, stage);
  return of_fault(failure.role, *failure.fault(), stage);
}

Finding long_name_finding(std::string_view check, std::string_view name) {
  constexpr std::size_t kShown = 80;
  return {.check = std::string(check),
          .subject = std::string(name.substr(0, kShown)) + "…",
          .severity = Severity::unknown,
          .reason = probes::Reason::size_limit,
          .message = "not asked for: its name is " + std::to_string(name.size()) +
                     " bytes long, more than the " + std::to_string(RunBudget{}.name) +
                     " that are looked at",
          .evidence = "budget of a name's length"};
}

Finding refused_finding(FetchFault const& fault, std::string_view what) {
  std::string message = "refused or missing: " + fault.detail + " for ";
  message.append(what).append(
      ", and served no file at all, so nothing was learnt about the repository: look at the URL "
      "and "
      "at the credentials that it wants");
  return {.check = std::string(kReachable),
          .subject = fault.url,
          .severity = Severity::unknown,
          .reason = probes::Reason::http_status,
          .message = std::move(message),
          .evidence = fault.url};
}

Finding finding_of(StoreFault const& fault) {
  return {.check = std::string(kStore),
          .subject = fault.path.string(),
          .severity = Severity::warning,
          .reason = probes::Reason::internal,
          .message =
              "what was verified is not remembered, so a rollback before the next run "
              "could go unseen: " +
              sentence(fault),
          .evidence = sentence(fault)};
}

Finding silent_store_finding(SilentStore const& store) {
  std::string const folder = store.folder.string();
  std::string message =
      store.behind ? "what was verified is not written down since " +
                         config::to_text(*store.behind) + ": " + folder + " does not answer; "
                   : folder + " does not answer; what was verified so far is written down, and ";
  message += store.blind ? "what was trusted before this start is not known, so a rollback against "
                           "that could not be judged"
                         : "a rollback is still noticed, by the copy in memory";
  return {.check = std::string(kStore),
          .subject = folder,
          .severity = Severity::warning,
          .reason = probes::Reason::internal,
          .message = std::move(message),
          .evidence = {}};
}

void add_of_role(probes::Collector& findings, Refresh const& refresh, Finding finding) {
  if (finding.severity != Severity::ok && finding.url.empty()) {
    finding.url = refresh.url_of(finding.subject.text());
  }
  findings.add(std::move(finding));
}

config::ExpiryThresholds const& thresholds_of(ExpirySpec const& policy, std::string_view role) {
  if (role == "root") return policy.root;
  if (role == "timestamp") return policy.timestamp;
  if (role == "snapshot") return policy.snapshot;
  if (role == "targets") return policy.targets;
  auto const own = policy.roles.find(std::string(role));
  return own != policy.roles.end() ? own->second : policy.delegated;
}

Finding expiry_finding(std::string role, Time expires, Time now,
                       ThresholdsInForce const& thresholds) {
  std::string const date = config::to_text(expires);
  Finding finding = ok_finding(
      kExpiry, std::move(role), {},
      "expires " + date + ", now " + config::to_text(now) + "; " + sentence(thresholds.validity));
  std::chrono::seconds const left = expires - now;
  if (left <= std::chrono::seconds{0}) {  // §5.1: expired from that very second on
    finding.severity = Severity::critical;
    finding.reason = probes::Reason::expired;
    finding.message = "expired " + date + ", " + words(-left) + " ago";
    finding.expected = "an end that is after now";
    finding.received = date;
    return finding;
  }
  std::string message = "expires " + date + ", in " + words(left);
  std::string const validity = " of the " + words(thresholds.validity.span) + " it is valid for";
  if (left < thresholds.critical) {
    finding.severity = Severity::critical;
    message += ": less than " + words(thresholds.critical);
    if (thresholds.critical_shortened) message += ", a sixth" + validity;
  } else if (left < thresholds.warning) {
    finding.severity = Severity::warning;
    message += ": less than " + words(thresholds.warning);
    if (thresholds.warning_shortened) message += ", a third" + validity;
  }
  if (finding.severity != Severity::ok) finding.reason = probes::Reason::expiring;
  finding.message = std::move(message);
  return finding;
}

probes::ThingFacts role_facts(std::string const& role, Common const& content,
                              ThresholdsInForce const& thresholds, std::size_t size) {
  probes::ThingFacts facts{.type = &kRole, .name = role};
  facts.expiry = {
      .at = content.expires, .warning = thresholds.warning, .critical = thresholds.critical};
  facts.numbers[kVersion] = static_cast<std::int64_t>(content.version);
  facts.numbers[kSize] = static_cast<std::int64_t>(size);
  facts.numbers[kFingerprint] = static_cast<std::int64_t>(content.fingerprint);
  return facts;
}

Finding signature_finding(std::string role, SignatureTally const& tally) {
  Finding finding = ok_finding(kSignatures, std::move(role), {});
  finding.message = std::to_string(tally.valid) + " of " + count(tally.keys, "key") + " signed, " +
                    std::to_string(tally.threshold) + " needed";
  finding.evidence = "margin " + std::to_string(tally.margin());
  if (tally.invalid > 0) finding.evidence += ", " + std::to_string(tally.invalid) + " invalid";
  if (tally.met()) return finding;
  if (tally.undecided()) {
    finding.severity = Severity::unknown;
    finding.reason =
        tally.unsupported > 0 ? probes::Reason::unsupported : probes::Reason::size_limit;
    return finding;
  }
  finding.severity = Severity::critical;
  finding.reason = tally.invalid > 0 ? probes::Reason::signature : probes::Reason::threshold;
  finding.expected = count(tally.threshold, "good signature");
  finding.received = count(tally.valid, "good signature");
  return finding;
}

std::vector<Finding> notice_findings(Notices const& notices) {
  std::map<NoticeKind, std::map<std::string, NoticeGroup>> groups;
  for (Notice const& notice : notices) {
    if (meaning_of(notice.kind) == nullptr) continue;
    NoticeGroup& group = groups[notice.kind][notice.role];
    if (group.times == 0) group.first = notice.detail;
    group.times += notice.times;
  }
  std::vector<Finding> findings;
  for (auto const& [kind, roles] : groups) {
    NoticeMeaning const& meaning = *meaning_of(kind);
    if (roles.size() <= kRolesNamed) {
      for (auto const& [role, group] : roles) {
        findings.push_back(notice_finding(meaning, role, "", group));
      }
      continue;
    }
    NoticeGroup const first{1, roles.begin()->first + ": " + roles.begin()->second.first};
    std::string const extra = ", in " + count(roles.size(), "role");
    std::string const some = roles.begin()->first + ", " + std::next(roles.begin())->first;
    std::string const subject = some + " and " + std::to_string(roles.size() - 2) + " more";
    findings.push_back(notice_finding(meaning, subject, extra, first));
  }
  return findings;
}

}  // namespace canary::tuf
