// SPDX-License-Identifier: Apache-2.0
#include "config/flags.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "config/quiet_visitor.h"
#include "config/reader.h"
#include "config/url.h"

namespace canary::config {
namespace {

std::string joined(std::vector<std::string> const& path) {
  std::string text;
  for (auto const& part : path) text += (text.empty() ? "" : ".") + part;
  return text;
}

std::string flag_name(std::vector<std::string> const& path) {
  std::string name = joined(path);
  std::ranges::replace(name, '_', '-');
  return name;
}

// Collects the fields that a flag can say.
class Flags : public QuietVisitor {
 public:
  // `section`: where the fields stand in a probe.
  Flags(std::string section, bool own) : section_(std::move(section)), own_(own) {}
  std::vector<Flag> take() { return std::move(flags_); }

  void add(Field field, Flag::Form form = Flag::Form::value) {
    Flag& flag = flags_.emplace_back();
    flag.path = path_to(field);
    flag.name = flag_name(flag.path);
    if (!section_.empty()) flag.path.insert(flag.path.begin(), section_);
    flag.text = field.text;
    flag.form = form;
    flag.own = own_;
  }
  void flag(Field field, bool&) override { add(field); }
  void integer(Field field, int&, int, int) override { add(field); }
  void duration(Field field, milliseconds&, milliseconds, milliseconds) override { add(field); }
  void size(Field field, std::uint64_t&, std::uint64_t, std::uint64_t) override { add(field); }
  void choice(Field field, std::size_t&, std::vector<std::string> const&) override { add(field); }
  void text(Field field, std::optional<std::string>&, std::size_t, Wrong const&) override {
    add(field);
  }
  void text(Field field, std::string&, std::size_t, Wrong const&) override { add(field); }
  void texts(Field field, std::vector<std::string>&, Most, Wrong const&) override {
    add(field, Flag::Form::list);
  }
  void url(Field field, Url&) override { add(field, Flag::Form::url); }
  void url(Field field, std::optional<Url>&) override { add(field, Flag::Form::url); }
  void file(Field field, std::filesystem::path&) override { add(field); }
  void file(Field field, std::optional<std::filesystem::path>&) override { add(field); }
  void proxy(Field field, HttpSettings&) override { add(field); }
  void headers(Field field, HttpSettings&) override {
    add(field, Flag::Form::headers);
    flags_.back().name = "header";
    flags_.back().text = "NAME: VALUE, sent with every request; NAME: @FILE for a secret";
  }
  void credentials(Field field, std::optional<Secret>&) override {
    add(field, Flag::Form::secret);
    flags_.back().text = "file of user:password, for the proxy alone";
  }
  void selection(Field field, Selection&, std::string_view) override {
    add(field, Flag::Form::list);
  }
  void threshold(Field field, ExpiryThreshold&) override { add(field); }

 private:
  std::string section_;
  bool own_;
  std::vector<Flag> flags_;
};

using yaml::Item;

Item scalar(std::string text) {
  Item item;
  item.kind = Item::Kind::scalar;
  item.text = std::move(text);
  return item;
}

Item& field_of(Item& mapping, std::string const& name) {
  mapping.kind = Item::Kind::mapping;
  for (std::size_t i = 0; i < mapping.keys.size(); ++i) {
    if (mapping.keys[i].text == name) return mapping.items[i];
  }
  mapping.keys.push_back(scalar(name));
  return mapping.items.emplace_back();
}

// "NAME: VALUE".
void add_header(Item& headers, std::string const& line) {
  auto const colon = line.find(':');
  auto const start = line.find_first_not_of(' ', colon == std::string::npos ? 0 : colon + 1);
  std::string const value = start == std::string::npos ? "" : line.substr(start);
  Item& header = field_of(headers, line.substr(0, colon));
  if (value.starts_with('@')) {
    field_of(header, "file") = scalar(value.substr(1));
  } else {
    header = scalar(value);
  }
}

// "./staging/metadata" as "file:///work/staging/metadata": what is not published yet is looked at
// as the folder that it is.
std::string url_of(std::string const& given) {
  bool const path = given.starts_with('/') || given.starts_with("./") || given.starts_with("../");
  if (!path) return given;
  std::error_code ignored;
  auto const absolute = std::filesystem::absolute(given, ignored).lexically_normal();
  return "file://" + percent_encode(absolute.string(), true);
}

Item value_of(Flag const& flag, std::vector<std::string> const& given) {
  switch (flag.form) {
    case Flag::Form::value:
      return scalar(given.back());
    case Flag::Form::url:
      return scalar(url_of(given.back()));
    case Flag::Form::secret: {
      Item item;
      field_of(item, "file") = scalar(given.back());
      return item;
    }
    case Flag::Form::headers: {
      Item item;
      for (auto const& line : given) add_header(item, line);
      return item;
    }
    case Flag::Form::list:
      break;
  }
  if (given.size() == 1 && (given[0] == "all" || given[0] == "none")) return scalar(given[0]);
  Item list;
  list.kind = Item::Kind::list;
  for (auto const& each : given) list.items.push_back(scalar(each));
  return list;
}

// Is `place` the field of that path, or something in it?
bool is_in(std::string_view place, std::string_view path) {
  if (!place.starts_with(path)) return false;
  return place.size() == path.size() || place[path.size()] == '.' || place[path.size()] == '[';
}

// "tuf.metadata_url" is --metadata-url.
std::string sentence_of(Problem const& problem, std::vector<Flag> const& flags) {
  constexpr std::string_view kMissing = "field missing: expected ";
  std::string field = problem.field;
  std::string message = problem.message;
  if (message.starts_with(kMissing)) {
    message.erase(0, kMissing.size());
    auto const end = message.find(',');
    field += "." + message.substr(0, end);
    message =
        "is missing" + (end == std::string::npos ? "" : ": expected" + message.substr(end + 1));
  }
  if (message.starts_with("a secret is refused in the file itself")) {
    message = "a secret is refused on the command line, which others can see: expected NAME: @FILE";
  }
  std::string place;
  for (Flag const& flag : flags) {
    if (is_in(field, joined(flag.path))) place = "--" + flag.name + ": ";
  }
  std::string text = place + message;
  if (!problem.suggestion.empty()) text += "; " + problem.suggestion;
  return text;
}

class Thresholds : public QuietVisitor {
 public:
  explicit Thresholds(seconds warning) : warning_(warning) {}
  void threshold(Field field, ExpiryThreshold& value) override {
    value = ExpiryThreshold{field.name == "warning" ? warning_ : seconds{0}};
  }

 private:
  seconds warning_;
};

}  // namespace

std::vector<Flag> flags_of(Kind const& kind) {
  KindSpec spec = kind.spec;
  ProbeSpec probe;
  Flags own{std::string{spec.name()}, true};
  spec.visit(own);
  auto flags = own.take();
  Flags common{"", false};
  common.add({"timeout", "of the whole check"});
  describe_common(common, probe, spec.fetches());
  for (Flag& flag : common.take()) {
    if (flag.path[0] == "interval") continue;
    if (flag.path[0] == kHttpSection) flag.name = flag.name.substr(flag.name.find('.') + 1);
    bool const taken =
        std::ranges::any_of(flags, [&](Flag const& other) { return other.name == flag.name; });
    if (!taken) flags.push_back(std::move(flag));
  }
  return flags;
}

Result<ProbeSpec, std::vector<std::string>> probe_of(Kind const& kind, GivenFlags const& given) {
  auto const flags = flags_of(kind);
  Item top;
  field_of(top, std::string{kind.spec.name()}).kind = Item::Kind::mapping;
  for (Flag const& flag : flags) {
    auto const found = given.find(flag.name);
    if (found == given.end()) continue;
    Item* at = &top;
    for (auto const& part : flag.path) at = &field_of(*at, part);
    *at = value_of(flag, found->second);
  }
  Problems problems;
  yaml::Cursor const cursor{top, "", problems};
  yaml::Fields fields{cursor};
  auto const environment = process_environment();
  std::error_code ignored;
  Reader reader{fields, {std::filesystem::current_path(ignored), &environment, nullptr, false}};
  ProbeSpec probe;
  probe.kind = kind.spec;
  describe_probe(reader, probe);
  if (!problems.empty()) {
    std::vector<std::string> wrong;
    wrong.reserve(problems.count());
    for (auto const& problem : problems.take()) wrong.push_back(sentence_of(problem, flags));
    return wrong;
  }
  probe.name.text = probe.repository = probe.kind.location();
  return probe;
}

void set_thresholds(KindSpec& spec, seconds warning) {
  Thresholds thresholds{warning};
  spec.visit(thresholds);
}

}  // namespace canary::config
