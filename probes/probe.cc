// SPDX-License-Identifier: Apache-2.0
// The only dispatch from a spec to its probe.
// Thread: loop.
#include "probes/probe.h"

#include <type_traits>
#include <utility>
#include <variant>

#include "probes/collector.h"
#include "probes/tuf/probe.h"

namespace canary::probes {

runtime::Task<void> run_probe(config::ProbeSpec spec, ProbeContext context) {
  Collector findings{context.report, spec.accept, context.now};
  context.findings = &findings;
  // A task for each alternative; one without a probe does not compile.
  auto const start = [&](auto&& kind) {
    using Kind = std::remove_cvref_t<decltype(kind)>;
    static_assert(std::is_same_v<Kind, config::TufSpec>);
    return tuf::probe_repository(std::forward<decltype(kind)>(kind), std::move(spec.http), context);
  };
  runtime::Task<void> task = std::visit(start, std::move(spec.kind));
  co_await std::move(task);
  findings.complete();
}

std::string_view kind_name(config::ProbeSpec const& spec) {
  struct Name {
    std::string_view operator()(config::TufSpec const&) const { return "tuf"; }
  };
  return std::visit(Name{}, spec.kind);
}

}  // namespace canary::probes
