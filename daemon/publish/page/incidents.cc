// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/incidents.h"

#include <algorithm>

#include "config/url.h"
#include "daemon/history/when.h"
#include "daemon/publish/api.h"
#include "daemon/publish/page/humane.h"
#include "daemon/publish/page/render.h"
#include "daemon/publish/page/templates.h"

namespace canary::daemon::page {
namespace {

void add_cause(Fields& card, history::Incident::Cause const& cause,
               history::Incident const& incident, history::Time now) {
  auto const& words = cause.finding;
  bool const whole = cause.first == incident.opened && cause.ended == incident.closed;
  std::string when;
  if (!whole) {
    when = "from " + clock(cause.first, now);
    if (cause.ended) when += " to " + clock(*cause.ended, now);
  }
  card.entry("causes")
      .text("check", words.check)
      .text("subject", words.message.find(words.subject) == std::string::npos ? words.subject : "")
      .text("message", words.message)
      .text("evidence", words.evidence)
      .text("url", words.url)
      .text("when", std::move(when));
}

void add_incident(Fields& page, history::Incident const& incident, history::Time now) {
  bool const bad = incident.worst == probes::Severity::critical;
  Fields& card = page.entry("incidents");
  card.text("state", bad ? "failing" : "unknown")
      .text("label", bad ? "failing" : "could not tell")
      .text("name", incident.probe)
      .text("href", "/probe/" + config::percent_encode(incident.probe))
      .text("opened", clock(incident.opened, now))
      .text("opened_at", rfc3339(incident.opened))
      .text("closed", incident.closed ? clock(*incident.closed, now) : "")
      .text("closed_at", incident.closed ? rfc3339(*incident.closed) : "")
      .text("lasted", history::span_text(incident.closed.value_or(now) - incident.opened))
      .text("runs", count(static_cast<std::size_t>(incident.runs), "failed run"));
  card.list("causes");
  for (auto const& cause : incident.causes) add_cause(card, cause, incident, now);
  card.flag("more_causes", incident.causes.size() >= history::kMostCauses);
}

}  // namespace

void add_incidents(Fields& page, history::Found<history::Incident> const& found,
                   history::Time now) {
  page.list("incidents");
  for (bool const over : {false, true}) {
    for (auto incident = found.entries.rbegin(); incident != found.entries.rend(); ++incident) {
      if (incident->closed.has_value() == over) add_incident(page, *incident, now);
    }
  }
}

std::string incidents_page(history::Found<history::Incident> const& found,
                           history::Query const& query, std::string const& trouble,
                           history::Time now) {
  auto const open = static_cast<std::size_t>(
      std::ranges::count_if(found.entries, [](auto const& each) { return !each.closed; }));
  Fields page;
  std::string verdict =
      found.entries.empty() ? "No incident" : count(found.entries.size(), "incident");
  if (open > 0) verdict += ", " + std::to_string(open) + " not over";
  if (!trouble.empty()) verdict = "The history cannot be read";
  page.text("verdict", std::move(verdict))
      .text("worst", !trouble.empty() ? "unknown"
                     : open > 0       ? "failing"
                                      : "ok")
      .text("since", clock(query.since, now))
      .text("probe", query.probe)
      .text("trouble", trouble)
      .flag("more", found.more);
  add_incidents(page, found, now);
  return render_page("canaryd: incidents", templates::kIncidents, page);
}

}  // namespace canary::daemon::page
