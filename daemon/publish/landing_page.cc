// SPDX-License-Identifier: Apache-2.0
// A short HTML page built from the snapshot.
#include "daemon/publish/landing_page.h"

#include <algorithm>

#include "daemon/publish/api.h"
#include "daemon/text/escape.h"

namespace canary::daemon {

namespace {

// "expired: timestamp: expired 2026-11-21T21:05:11Z, 3 days ago, https://…".
std::string last_failure(ProbeRow const& row) {
  if (!row.last_failure_finding) return {};
  auto const& finding = *row.last_failure_finding;
  std::string text{to_text(row.last_failure_reason)};
  text += ": " + sentence(finding);
  std::string const& url = finding.url.empty() ? row.facts.url : finding.url;
  return text.find(url) == std::string::npos ? text + ", " + url : text;
}

}  // namespace

std::string first_steps(std::string_view config_file) {
  return "put a repository's pinned root and a probe into " + std::string{config_file} +
         " or a file that it includes, look at it with `canaryd config check " +
         std::string{config_file} +
         "`, then `canaryd reload`; canaryd.yml(5) has every field, tutorial.md the whole way";
}

std::string landing_page(Snapshot const& snapshot) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>canaryd</title></head>\n"
      "<body>\n<h1>canaryd</h1>\n<p>Version " +
      html(snapshot.daemon->version) + ", watching software-update repositories.</p>\n";
  if (!snapshot.daemon->reload_successful) {
    page += "<p><strong>The last reload of the configuration failed:</strong> " +
            html(snapshot.daemon->reload_error) + "</p>\n";
  }
  bool const any_enabled =
      std::ranges::any_of(snapshot.probes, [](auto const* row) { return row->facts.enabled; });
  if (!any_enabled) {
    page += "<p><strong>Nothing is watched yet.</strong> To begin: " +
            html(first_steps(snapshot.daemon->config_file)) + ".</p>\n";
  }
  page +=
      "<ul>\n"
      "<li><a href=\"/metrics\">/metrics</a>: for Prometheus</li>\n"
      "<li><a href=\"/api/v1/status\">/api/v1/status</a>: the daemon and a count of states</li>\n"
      "<li><a href=\"/api/v1/probes\">/api/v1/probes</a>: every probe in short</li>\n"
      "<li><a href=\"/-/healthy\">/-/healthy</a>: does canaryd itself work?</li>\n"
      "<li><a href=\"/-/live\">/-/live</a>: or does only a restart help?</li>\n"
      "<li><a href=\"/-/ready\">/-/ready</a>: has every probe begun?</li>\n"
      "</ul>\n<h2>Probes</h2>\n<table>\n"
      "<tr><th align=\"left\">Probe</th><th align=\"left\">State</th>"
      "<th align=\"left\">Last failure</th></tr>\n";
  for (ProbeRow const* row : snapshot.probes) {
    std::string const name = html(row->facts.name);
    page.append("<tr><td><a href=\"/api/v1/probes/").append(name).append("\">");
    page.append(name).append("</a></td><td>");
    page += state_text(*row);
    page += "</td><td>" + html(last_failure(*row)) + "</td></tr>\n";
  }
  page += "</table>\n</body>\n</html>\n";
  return page;
}

}  // namespace canary::daemon
