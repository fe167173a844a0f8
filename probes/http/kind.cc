// SPDX-License-Identifier: Apache-2.0
// `http` in the table of kinds.
// Thread: any; run() the loop.
#include "probes/kind.h"

#include <utility>

#include "probes/http/declaration.h"
#include "probes/http/explanations.h"
#include "probes/http/probe.h"

namespace canary::http {
namespace {

class HttpKind final : public probes::Kind {
 public:
  probes::Declaration const& declaration() const override { return kDeclaration; }
  std::span<probes::Explanation const> explanations() const override { return kExplanations; }
  std::string_view title() const override {
    return "the answer of a web server to one request: status, redirects, headers, body";
  }
  config::KindSpec spec() const override { return Spec{}; }
  std::string_view positional() const override { return "url"; }

  runtime::Task<void> run(config::ProbeSpec spec, probes::ProbeContext context) const override {
    Spec own = *spec.kind.get<Spec>();
    return probe_url(std::move(own), std::move(spec.http), context);
  }
};

}  // namespace

probes::Kind const& kind() {
  static HttpKind const http;
  return http;
}

}  // namespace canary::http
