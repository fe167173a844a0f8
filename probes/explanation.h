// SPDX-License-Identifier: Apache-2.0
// What a finding means beyond what it says, and what to do about it: one source for `check
// --explain`, the pages and the runbook. A kind declares its own beside its checks
// (Kind::explanations()); what all kinds share stands in explanation.cc.
// Thread: any (constants, for as long as the process lives).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "probes/report.h"

namespace canary::probes {

// Texts are plain sentences or parts of one, without Markdown.
struct Explanation {
  std::string_view check{}, reason{};  // of which findings; "": of any
  // Of these alone; stands before the row for the rest.
  std::optional<Severity> severity{};
  std::string_view step{};      // of a specification: "RFC 9110, 15"
  std::string_view expected{};  // what a good one has
  std::string_view clients{};   // whom it breaks, as far as that is known
  std::string_view advice{};    // what to do
  // A rule of canaryd.rules.yml and section of docs/runbook.md; "": that of the severity.
  std::string_view alert{};
  std::string_view alert_critical{};  // where it is another one
};

// What all kinds share, in the order in which it is looked through.
std::span<Explanation const> common_explanations();

struct Explained {
  std::string step;  // as the finding itself has it, where it does
  std::string_view expected, clients, advice, alert;
};
// `kind`: a kind's name; "" or another one: what all share. REQUIRES: the finding is not ok.
Explained explain(std::string_view kind, Finding const& finding);

}  // namespace canary::probes
