// SPDX-License-Identifier: Apache-2.0
// What a template is filled with: texts, flags and lists by name. Texts are escaped where they are
// put into the page.
// Thread: none (plain values).
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace canary::daemon::page {

class Fields {
 public:
  // An empty text is a section that is left out: {{#url}}<a href="{{url}}">…{{/url}}.
  Fields& text(std::string_view name, std::string value) {
    texts_[std::string{name}] = std::move(value);
    return *this;
  }
  Fields& flag(std::string_view name, bool value) {
    flags_[std::string{name}] = value;
    return *this;
  }
  // A further entry of the list; good until the next one is added.
  Fields& entry(std::string_view list) { return lists_[std::string{list}].emplace_back(); }
  void list(std::string_view name) { lists_[std::string{name}]; }  // which may stay empty

  std::map<std::string, std::string> const& texts() const { return texts_; }
  std::map<std::string, bool> const& flags() const { return flags_; }
  std::map<std::string, std::deque<Fields>> const& lists() const { return lists_; }

 private:
  std::map<std::string, std::string> texts_;
  std::map<std::string, bool> flags_;
  std::map<std::string, std::deque<Fields>> lists_;
};

}  // namespace canary::daemon::page
