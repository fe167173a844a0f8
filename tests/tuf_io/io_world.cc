// SPDX-License-Identifier: Apache-2.0
// Builds worlds for tests.
// Thread: the test's.
#include "tests/tuf_io/io_world.h"

#include <algorithm>
#include <any>
#include <chrono>
#include <utility>

#include "probes/tuf/client_requests.h"
#include "probes/tuf/role_name.h"

namespace canary::tuf {

config::HttpSettings quick() {
  config::HttpSettings settings;
  settings.max_attempts = 2;
  settings.backoff_first = std::chrono::milliseconds{1};
  settings.backoff_limit = std::chrono::milliseconds{2};
  settings.proxy_from_environment = false;
  return settings;
}

namespace {
Spec a_spec() {
  Spec spec{.metadata_url = url_of("file:///nowhere"),
            .targets_url = {},
            .root = {},
            .targets = {},
            .expiry = {},
            .limits = {}};
  spec.targets.kind = config::Selection::Kind::all;
  return spec;
}
}  // namespace

config::Url url_of(std::string const& text) { return config::Url::parse(text).value(); }

config::Url file_url(std::filesystem::path const& path) {
  return url_of("file://" + config::percent_encode(path.string(), true));
}

Files as_files(Published const& published) {
  Files files;
  for (auto const& [name, content] : published.metadata) files["metadata/" + name] = content;
  for (auto const& [name, content] : published.targets) {
    files[target_request("/targets", {name}).substr(1)] = content;
  }
  return files;
}

ProbeWorld::ProbeWorld(Published const& published) : spec(a_spec()) {
  serve(published);
  spec.metadata_url = url_of(server.url("metadata"));
  spec.targets_url = url_of(server.url("targets"));
  spec.root = folder.path() / "pinned.json";
  write_folder(folder.path(), {{"pinned.json", published.root(1)}});
}

probes::Report ProbeWorld::run(Time now) {
  probes::Report report;
  config::ProbeSpec whole{
      .name = {"p"}, .repository = "p", .http = http, .accept = accept, .kind = spec};
  auto const kept = memory ? std::make_shared<std::any>(memory) : nullptr;
  probes::ProbeContext context{.http = machine.services,
                               .cpu = machine.cpu,
                               .disk = machine.disk,
                               .state_directory = remember ? folder.path() / "state" : "",
                               .now = now,
                               .deadline = runtime::Deadline::after(timeout),
                               .trace = {},
                               .report = report,
                               .progress = progress,
                               .memory = kept};
  machine.loop.block_on(probes::run_probe(std::move(whole), context));
  return report;
}

testing::AssertionResult is_ok(RefreshResult<void> const& result) {
  if (result) return testing::AssertionSuccess();
  return testing::AssertionFailure() << sentence(result.error());
}

std::vector<probes::Finding> findings(probes::Report const& report, std::string_view check,
                                      std::optional<std::string_view> subject) {
  std::vector<probes::Finding> some;
  std::copy_if(report.findings.begin(), report.findings.end(), std::back_inserter(some),
               [&](probes::Finding const& finding) {
                 return finding.check == check && (!subject || finding.subject == *subject);
               });
  return some;
}

std::string bad(probes::Report const& report) {
  std::string text;
  for (probes::Finding const& finding : report.findings) {
    if (finding.severity == probes::Severity::ok) continue;
    text.append(to_text(finding.severity)).append(" ").append(finding.check).append(" ");
    text.append(finding.subject).append(" (").append(to_text(finding.reason)).append(")\n");
  }
  return text;
}

}  // namespace canary::tuf
