// SPDX-License-Identifier: Apache-2.0
// Reading of what goes by the names of things: which of them, and what holds for each.
// Thread: any but the loop's.
#include <set>
#include <utility>

#include "config/reader.h"

namespace canary::config {

void Reader::selection(Field field, Selection& value, std::string_view what) {
  auto const at = fields_->find(field.name);
  if (!at) return;
  std::string const thing{what};
  std::string const expected = "none, all or a list of " + thing + " names";
  if (at->kind() != yaml::Item::Kind::list) {
    auto const text = at->text(expected);
    if (!text) return;
    if (*text != "none" && *text != "all") {
      at->fail("expected " + expected + ", got " + at->got(),
               "a single name is a list too: [name]");
      return;
    }
    value = {*text == "all" ? Selection::Kind::all : Selection::Kind::none, {}};
    return;
  }
  Selection chosen{Selection::Kind::names, {}};
  auto const list = at->list(expected);
  if (!list) return;
  if (list->empty()) at->fail("expected " + expected + ", got an empty list");
  std::set<std::string> seen;
  for (auto const& element : *list) {
    auto const text = element.text("a " + thing + "'s name");
    if (!text) continue;
    if (text->empty()) element.fail("expected a " + thing + "'s name, got \"\"");
    if (!seen.insert(*text).second) {
      element.fail("the same " + thing + " twice, got " + element.got());
    }
    chosen.names.push_back(*text);
  }
  value = std::move(chosen);
}

void Reader::thresholds_by_name(Field field, std::map<std::string, ExpiryThresholds>& value,
                                ExpiryThresholds const& otherwise, std::string_view what) {
  auto const at = fields_->find(field.name);
  if (!at) return;
  inside(*at, [&] {
    for (auto const& [name, cursor] : fields_->all()) {
      if (name.empty()) cursor.fail("expected the name of a " + std::string{what} + ", got \"\"");
      auto& thresholds = value.try_emplace(name, otherwise).first->second;
      inside(cursor, [&] { describe_thresholds(*this, thresholds, {}); });
    }
  });
}

}  // namespace canary::config
