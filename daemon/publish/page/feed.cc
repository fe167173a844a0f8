// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/feed.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "config/url.h"
#include "daemon/history/when.h"
#include "daemon/text/escape.h"
#include "daemon/text/rfc3339.h"

namespace canary::daemon::page {
namespace {

// Escaped. Harmless text has none of what XML forbids but these two, which are no characters.
std::string xml(std::string_view text) {
  std::string out = html(text);
  for (std::string_view const none : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    for (auto at = out.find(none); at != std::string::npos; at = out.find(none, at)) {
      out.replace(at, none.size(), "\xef\xbf\xbd");
    }
  }
  return out;
}

history::Time updated(history::Incident const& incident) {
  auto latest = incident.closed.value_or(incident.opened);
  for (auto const& cause : incident.causes) latest = std::max(latest, cause.first);
  return latest;
}

std::string title(history::Incident const& incident) {
  bool const bad = incident.worst == probes::Severity::critical;
  if (incident.closed) {
    return incident.probe + ": over after " +
           history::span_text(*incident.closed - incident.opened);
  }
  return incident.probe + (bad ? ": failing" : ": could not tell");
}

std::string causes_text(history::Incident const& incident) {
  std::string text;
  for (auto const& cause : incident.causes) {
    auto const& words = cause.finding;
    text += words.check;
    if (words.message.find(words.subject) == std::string::npos) text += " " + words.subject;
    text += ": " + words.message + "\n";
  }
  return text;
}

void add_entry(std::string& out, history::Incident const& incident, std::string const& home) {
  std::string const probe = config::percent_encode(incident.probe);
  std::string const opened = rfc3339(incident.opened);
  out += "<entry><id>urn:canaryd:incident:" + xml(probe) + ":" + xml(opened) + "</id><title>" +
         xml(title(incident)) + "</title><published>" + opened + "</published><updated>" +
         rfc3339(updated(incident)) + "</updated><link href=\"" + xml(home + "/probe/" + probe) +
         "\"/><content type=\"text\">" + xml(causes_text(incident)) + "</content></entry>\n";
}

}  // namespace

std::string incidents_feed(history::Found<history::Incident> const& found, std::string const& home,
                           std::string const& probe, history::Time empty_since) {
  std::vector<history::Incident const*> order;
  order.reserve(found.entries.size());
  for (auto const& incident : found.entries) order.push_back(&incident);
  std::ranges::sort(order, [](auto const* one, auto const* other) {
    return std::pair{updated(*one), one->id} > std::pair{updated(*other), other->id};
  });
  std::string const query = probe.empty() ? "" : "?probe=" + config::percent_encode(probe);
  std::string const own = home + "/incidents.atom" + query;
  std::string out =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
      "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>" +
      xml(own) + "</id><title>canaryd: incidents" + (probe.empty() ? "" : " of " + xml(probe)) +
      "</title><author><name>canaryd</name></author>" + "<updated>" +
      rfc3339(order.empty() ? empty_since : updated(*order.front())) +
      "</updated><link rel=\"self\" href=\"" + xml(own) + "\"/><link href=\"" +
      xml(home + "/incidents" + query) + "\"/>\n";
  for (auto const* const incident : order) add_entry(out, *incident, home);
  return out + "</feed>\n";
}

}  // namespace canary::daemon::page
