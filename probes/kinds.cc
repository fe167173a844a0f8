// SPDX-License-Identifier: Apache-2.0
// The table of kinds, made from kinds.def.
// Thread: any.
#include <algorithm>
#include <array>
#include <utility>

#include "probes/collector.h"
#include "probes/kind.h"

// Each is defined in its own folder.
#define KIND(name)            \
  namespace canary::name {    \
  probes::Kind const& kind(); \
  }
#include "probes/kinds.def"
#undef KIND

namespace canary::probes {

std::span<Kind const* const> kinds() {
#define KIND(name) &canary::name::kind(),
  static std::array const table = std::to_array<Kind const*>({
#include "probes/kinds.def"
  });
#undef KIND
  return table;
}

Kind const* find_kind(std::string_view name) {
  auto const all = kinds();
  auto const found =
      std::ranges::find(all, name, [](Kind const* kind) { return kind->declaration().kind; });
  return found == all.end() ? nullptr : *found;
}

Declaration const& declaration_of(std::string_view name) {
  Kind const* const kind = find_kind(name);
  return kind == nullptr ? kNothingDeclared : kind->declaration();
}

config::Kinds const& configured_kinds() {
  static config::Kinds const all = [] {
    config::Kinds result;
    for (Kind const* const kind : kinds()) {
      auto const& declared = kind->declaration();
      config::Kind& entry = result.emplace_back();
      entry.spec = kind->spec();
      entry.title = kind->title();
      entry.checks.assign(declared.checks.begin(), declared.checks.end());
      for (Reason const& reason : declared.reasons) entry.reasons.push_back(reason.word());
    }
    return result;
  }();
  return all;
}

runtime::Task<void> run_probe(config::ProbeSpec spec, ProbeContext context) {
  Collector findings{context.report, spec.accept, context.now};
  context.findings = &findings;
  Kind const* const kind = find_kind(spec.kind.name());
  if (kind == nullptr) {
    context.report.findings.push_back({.check = "run",
                                       .severity = Severity::unknown,
                                       .reason = Reason::internal,
                                       .message = "a probe of no kind"});
    co_return;
  }
  runtime::Task<void> task = kind->run(spec, context);  // named: see docs/design.md, Compilers
  co_await std::move(task);
  findings.complete();
}

}  // namespace canary::probes
