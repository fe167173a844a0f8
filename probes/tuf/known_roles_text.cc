// SPDX-License-Identifier: Apache-2.0
// KnownRoles as a file. After the head a line a role:
//     role NAME TURN JUDGED AGAIN LISTED WORST [EXPIRES SEEN SIZE SOURCE SPAN SINCE] DELEGATOR...
// then a line for each of its findings:
//     finding CHECK SEVERITY REASON SUBJECT MESSAGE EVIDENCE EXPECTED RECEIVED
// and "end" with the number of lines, so that a file cut short is told from a whole one. Texts are
// percent-encoded, times seconds since 1970; what stands in brackets is "-" where nothing is known.
// Thread: none (pure).
#include <cstdint>
#include <utility>

#include "probes/tuf/known_roles.h"
#include "probes/tuf/lines.h"
#include "probes/tuf/role_name.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::Severity;

constexpr std::string_view kHead = "canaryd roles 1 ";
constexpr std::string_view kRole = "role ";
constexpr std::string_view kFinding = "finding ";
constexpr std::string_view kNothing = "-";

std::optional<std::string> text_of(std::optional<std::string_view> quoted) {
  return quoted ? unquote_role(*quoted) : std::nullopt;
}

template <class Enum>
std::optional<Enum> one_of(std::optional<std::string_view> text, Enum last) {
  auto const value = number<unsigned>(text);
  if (!value || *value > static_cast<unsigned>(last)) return std::nullopt;
  return static_cast<Enum>(*value);
}

template <class Enum>
std::string number_of(Enum value) {
  return std::to_string(static_cast<unsigned>(value));
}

std::string facts_text(RoleFacts const& facts) {
  Validity const& validity = facts.validity;
  return seconds_text(facts.expires) + " " + seconds_text(facts.seen) + " " +
         std::to_string(facts.size) + " " + number_of(validity.source) + " " +
         std::to_string(validity.span.count()) + " " + seconds_text(validity.since);
}

std::optional<RoleFacts> parse_facts(std::string_view& line, std::string_view expires) {
  auto const ends = time_of(expires);
  auto const seen = time_of(take_until(line, ' '));
  auto const size = number<std::uint64_t>(take_until(line, ' '));
  auto const source = one_of(take_until(line, ' '), Validity::Source::last_modified);
  auto const span = number<std::int64_t>(take_until(line, ' '));
  auto const since = time_of(take_until(line, ' '));
  if (!ends || !seen || !size || !source || !span || !since) return std::nullopt;
  constexpr std::int64_t kLongest = 253'402'300'800;  // as of times
  if (*span < -kLongest || *span > kLongest) return std::nullopt;
  return RoleFacts{.seen = *seen,
                   .expires = *ends,
                   .size = *size,
                   .validity = {*source, std::chrono::seconds{*span}, *since}};
}

// `line` ends in a blank.
std::optional<KnownRole> parse_role(std::string_view line) {
  auto const turn = number<std::uint64_t>(take_until(line, ' '));
  auto const judged = number<std::uint64_t>(take_until(line, ' '));
  auto const again = number<unsigned>(take_until(line, ' '));
  auto const listed = number<std::uint64_t>(take_until(line, ' '));
  auto const worst = one_of(take_until(line, ' '), Severity::critical);
  auto const expires = take_until(line, ' ');
  if (!turn || !judged || !again || !listed || !worst || !expires) return std::nullopt;
  KnownRole role{
      .turn = *turn, .judged = *judged, .again = *again != 0, .listed = *listed, .worst = *worst};
  if (*expires != kNothing) {
    role.facts = parse_facts(line, *expires);
    if (!role.facts) return std::nullopt;
  }
  while (auto const quoted = take_until(line, ' ')) {
    auto delegator = unquote_role(*quoted);
    if (!delegator) return std::nullopt;
    role.delegators.push_back(std::move(*delegator));
  }
  if (role.delegators.empty() || !line.empty()) return std::nullopt;
  return role;
}

std::optional<Finding> parse_finding(std::string_view line) {
  auto check = text_of(take_until(line, ' '));
  auto const severity = one_of(take_until(line, ' '), Severity::critical);
  auto const reason = take_until(line, ' ');
  auto subject = text_of(take_until(line, ' '));
  auto message = text_of(take_until(line, ' '));
  auto evidence = text_of(take_until(line, ' '));
  auto expected = text_of(take_until(line, ' '));
  auto received = text_of(line);
  bool const whole =
      check && severity && reason && subject && message && evidence && expected && received;
  if (!whole || *severity == Severity::ok) return std::nullopt;
  return Finding{.check = std::move(*check),
                 .subject = std::move(*subject),
                 .severity = *severity,
                 .reason = probes::Reason::read(*reason),
                 .message = std::move(*message),
                 .evidence = std::move(*evidence),
                 .expected = std::move(*expected),
                 .received = std::move(*received)};
}

void append(std::string& text, Finding const& finding) {
  text.append(kFinding).append(quote_role(finding.check.text())).append(" ");
  text.append(number_of(finding.severity)).append(" ").append(finding.reason.word());
  for (std::string const& part :
       {finding.subject.text(), finding.message.text(), finding.evidence.text(),
        finding.expected.text(), finding.received.text()}) {
    text.append(" ").append(quote_role(part));
  }
  text.append("\n");
}

}  // namespace

std::string KnownRoles::text() const {
  std::string text{kHead};
  text.append(pin_).append(" ").append(std::to_string(run_)).append("\n");
  std::size_t lines = 0;
  for (auto const& [name, role] : roles_) {
    text.append(kRole).append(quote_role(name));
    for (std::uint64_t const value :
         {role.turn, role.judged, std::uint64_t{role.again}, role.listed}) {
      text.append(" ").append(std::to_string(value));
    }
    text.append(" ").append(number_of(role.worst)).append(" ");
    text.append(role.facts ? facts_text(*role.facts) : kNothing);
    for (std::string const& delegator : role.delegators) {
      text.append(" ").append(quote_role(delegator));
    }
    text.append("\n");
    lines += 1 + role.findings.size();
    for (Finding const& finding : role.findings) append(text, finding);
  }
  return text + "end " + std::to_string(lines) + "\n";
}

std::optional<KnownRoles> KnownRoles::parse(std::string_view text, std::string const& pin) {
  if (!text.starts_with(kHead)) return std::nullopt;
  text.remove_prefix(kHead.size());
  auto const of = take_until(text, ' ');
  auto const run = number<std::uint64_t>(take_until(text, '\n'));
  if (!of || !run) return std::nullopt;
  KnownRoles known{pin};
  if (*of != pin) return known;
  known.run_ = *run;
  KnownRole* last = nullptr;
  std::size_t lines = 0;
  while (auto line = take_until(text, '\n')) {
    if (line->starts_with("end ")) {
      if (number<std::size_t>(line->substr(4)) != lines || !text.empty()) return std::nullopt;
      known.forget_unreachable();
      return known;
    }
    ++lines;
    if (line->starts_with(kFinding)) {
      auto finding = parse_finding(line->substr(kFinding.size()));
      if (!finding || last == nullptr || ++known.kept_ > kFindingsKept) return std::nullopt;
      last->findings.push_back(std::move(*finding));
      continue;
    }
    if (!line->starts_with(kRole)) return std::nullopt;
    line->remove_prefix(kRole.size());
    auto name = text_of(take_until(*line, ' '));
    auto role = parse_role(std::string(*line) + " ");
    if (!name || !role) return std::nullopt;
    auto const [at, fresh] = known.roles_.try_emplace(std::move(*name), std::move(*role));
    if (!fresh) return std::nullopt;
    last = &at->second;
  }
  return std::nullopt;
}

}  // namespace canary::tuf
