// SPDX-License-Identifier: Apache-2.0
#include "daemon/check/explained.h"

#include <algorithm>

#include "probes/explanation.h"

namespace canary::daemon {
namespace {

// "timestamp.json" of the URL; else the subject itself.
std::string file_of(probes::Finding const& finding) {
  std::string_view url = finding.url;
  url = url.substr(0, url.find_first_of("?#"));
  auto const slash = url.rfind('/');
  bool const named = slash != std::string_view::npos && slash + 1 < url.size() && slash > 0 &&
                     url[slash - 1] != '/';
  return named ? std::string{url.substr(slash + 1)} : finding.subject.text();
}

std::string received(probes::Finding const& finding) {
  if (!finding.received.empty()) return finding.received.text();
  std::string text = finding.message.text();
  auto const more = evidence_beside(finding);
  if (!more.empty()) text.append(" [").append(more).append("]");
  return text;
}

}  // namespace

std::vector<ExplainedLine> explained(std::string_view kind, probes::Finding const& finding) {
  if (finding.severity == probes::Severity::ok) return {};
  auto const known = probes::explain(kind, finding);
  return {{"step", known.step},
          {"file", file_of(finding)},
          {"url", finding.url.text()},
          {"expected",
           finding.expected.empty() ? std::string{known.expected} : finding.expected.text()},
          {"received", received(finding)},
          {"clients", std::string{known.clients}},
          {"advice", std::string{known.advice}},
          {"alert", std::string{known.alert}}};
}

std::string explained_text(std::string_view kind, probes::Finding const& finding,
                           std::string_view indent) {
  constexpr std::size_t kWidth = 10;
  std::string out;
  for (auto const& [name, text] : explained(kind, finding)) {
    if (text.empty()) continue;
    out.append(indent).append(name);
    out.append(name.size() < kWidth ? kWidth - name.size() : 1, ' ').append(text).append("\n");
  }
  return out;
}

}  // namespace canary::daemon
