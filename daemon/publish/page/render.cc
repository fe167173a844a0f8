// SPDX-License-Identifier: Apache-2.0
// The only file that sees the mustache library, which is slow to compile.
#include "daemon/publish/page/render.h"

#include <kainjow/mustache.hpp>

#include "daemon/publish/page/templates.h"

namespace canary::daemon::page {
namespace {

namespace mustache = kainjow::mustache;

mustache::data data_of(Fields const& fields) {
  mustache::data data;
  // An empty text would be true in a section.
  for (auto const& [name, value] : fields.texts()) {
    if (value.empty()) {
      data.set(name, mustache::data{mustache::data::type::bool_false});
    } else {
      data.set(name, value);
    }
  }
  for (auto const& [name, value] : fields.flags()) data.set(name, value);
  for (auto const& [name, entries] : fields.lists()) {
    mustache::data list{mustache::data::type::list};
    for (auto const& entry : entries) list.push_back(data_of(entry));
    data.set(name, list);
    data.set("has_" + name, !entries.empty());
  }
  return data;
}

}  // namespace

std::string render_page(std::string_view title, std::string_view body, Fields const& fields) {
  mustache::data data = data_of(fields);
  data.set("title", std::string{title});
  data.set("body", mustache::partial{[body] { return std::string{body}; }});
  data.set("hang", mustache::partial{[] { return std::string{templates::kHang}; }});
  data.set("incident_cards",
           mustache::partial{[] { return std::string{templates::kIncidentCards}; }});
  mustache::mustache frame{std::string{templates::kFrame}};
  return frame.render(data);
}

bool is_template(std::string_view text) { return mustache::mustache{std::string{text}}.is_valid(); }

}  // namespace canary::daemon::page
