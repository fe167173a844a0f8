// SPDX-License-Identifier: Apache-2.0
// The only file that includes yaml-cpp: its events become plain items, within limits.
// Thread: none (one load at a time).
#include "config/yaml.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "config/harmless.h"
#include "config/nearest.h"
#include "config/read_file.h"
#include "config/touched_files.h"

namespace canary::config::yaml {
namespace {

constexpr std::size_t kItemsAStep = 1'000;  // of parsing, for who waits
constexpr int kLinesAStep = 1'000;          // likewise, of what comes before it
constexpr std::size_t kShown = 80;          // bytes of a value in a message

// Other spellings of true and false, which YAML 1.1 had.
std::map<std::string, std::string> const& other_flags() {
  static std::map<std::string, std::string> const spellings{
      {"yes", "true"},  {"on", "true"},   {"no", "false"},    {"off", "false"},
      {"True", "true"}, {"TRUE", "true"}, {"False", "false"}, {"FALSE", "false"}};
  return spellings;
}

// Ends parsing at once; the problem has been noted.
struct LimitReached {};

// Builds the tree. Nothing is expanded, so a file can't be larger in memory than its text allows.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string const& file, Problems& problems) : file_(file), problems_(problems) {}

  Item take() { return std::move(root_); }
  bool has_document() const { return documents_ > 0; }

  void OnDocumentStart(YAML::Mark const& mark) override {
    if (++documents_ == 2) fail(mark, "expected one YAML document, got a second one");
  }
  void OnDocumentEnd() override {}
  void OnAnchor(YAML::Mark const& mark, std::string const& name) override {
    fail(mark, "anchors and aliases are not supported, got &" + name + ": use defaults");
  }
  void OnNull(YAML::Mark const& mark, YAML::anchor_t) override {
    add(item(Item::Kind::nothing, mark));
  }
  void OnAlias(YAML::Mark const& mark, YAML::anchor_t) override {
    fail(mark, "anchors and aliases are not supported: use defaults");
    add(item(Item::Kind::nothing, mark));
  }
  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t,
                std::string const& value) override {
    auto scalar = item(Item::Kind::scalar, mark);
    scalar.text = value;
    scalar.quoted = tag == "!";
    if (tag != "!" && tag != "?" && !tag.empty()) refuse_tag(mark, tag);
    add(std::move(scalar));
  }
  void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(Item::Kind::list, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(Item::Kind::mapping, mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  void fail(YAML::Mark const& mark, std::string message) {
    problems_.add({file_, mark.line + 1, mark.column + 1, "", std::move(message), ""});
  }
  void refuse_tag(YAML::Mark const& mark, std::string const& tag) {
    fail(mark, "tags are not supported, got " + tag);
  }
  Item item(Item::Kind kind, YAML::Mark const& mark) {
    if (count_ % kItemsAStep == 0) reading_goes_on();
    if (++count_ > kMaxItems) {
      fail(mark, "more than " + std::to_string(kMaxItems) + " values in one file");
      throw LimitReached{};
    }
    Item result;
    result.kind = kind;
    result.line = mark.line + 1;
    result.column = mark.column + 1;
    return result;
  }
  void open(Item::Kind kind, YAML::Mark const& mark, std::string const& tag) {
    if (tag != "!" && tag != "?" && !tag.empty()) refuse_tag(mark, tag);
    if (open_.size() == kMaxDepth) {
      fail(mark, "lists and mappings nested deeper than " + std::to_string(kMaxDepth));
      throw LimitReached{};
    }
    open_.push_back(item(kind, mark));
  }
  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done));
  }
  void add(Item done) {
    if (open_.empty()) {
      if (documents_ <= 1) root_ = std::move(done);
      return;
    }
    auto& parent = open_.back();
    bool const is_key =
        parent.kind == Item::Kind::mapping && parent.keys.size() == parent.items.size();
    if (parent.kind == Item::Kind::mapping && !is_key && done.kind == Item::Kind::nothing) {
      // yaml-cpp places a missing value at the next token; people look at its key.
      done.line = parent.keys.back().line;
      done.column = parent.keys.back().column;
    }
    (is_key ? parent.keys : parent.items).push_back(std::move(done));
  }

  std::string const& file_;
  Problems& problems_;
  Item root_;
  std::vector<Item> open_;
  std::size_t count_ = 0;
  int documents_ = 0;
};

// yaml-cpp guesses encodings and replaces what it can't read; we take UTF-8 text only.
std::optional<Problem> check_text(std::string const& bytes, std::string const& file) {
  int line = 1, column = 1;
  for (std::size_t at = 0; at < bytes.size(); ++column) {
    CodePoint const character = decode_utf8(std::string_view{bytes}.substr(at));
    auto const byte = static_cast<unsigned char>(bytes[at]);
    bool const control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    if (!character.valid) return Problem{file, line, column, "", "expected UTF-8 text", ""};
    if (control || byte == 0x7f) {
      return Problem{file, line, column, "", "expected text, got a control character", ""};
    }
    at += character.bytes;
    if (byte == '\n') {
      if (line % kLinesAStep == 0) reading_goes_on();
      ++line;
      column = 0;
    }
  }
  return std::nullopt;
}

// Whether the 0-based `line` of the text is indented by a tab, which yaml-cpp reports as something
// else.
bool indented_by_tab(std::string const& bytes, int line) {
  std::istringstream lines(bytes);
  std::string text;
  for (int i = 0; i <= line; ++i) std::getline(lines, text);
  return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string::npos;
}

}  // namespace

std::optional<Item> parse(std::string const& bytes, std::string const& file, Problems& problems) {
  auto const before = problems.count();
  if (auto problem = check_text(bytes, file)) {
    problems.add(*std::move(problem));
    return std::nullopt;
  }
  Builder builder(file, problems);
  try {
    std::istringstream stream(bytes);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (LimitReached const&) {
    return std::nullopt;
  } catch (YAML::Exception const& error) {
    problems.add({file, error.mark.line + 1, error.mark.column + 1, "",
                  "not YAML: " + std::string(error.msg),
                  indented_by_tab(bytes, error.mark.line) ? "indent with blanks, not tabs" : ""});
  }
  if (problems.count() != before) return std::nullopt;
  return builder.take();
}

std::optional<Item> parse_file(std::filesystem::path const& file, Problems& problems) {
  auto const bytes = read_file(file, kMaxFileBytes);
  if (bytes) return parse(bytes.value(), file.string(), problems);
  problems.add({file.string(), 0, 0, "", bytes.error().text, ""});
  return std::nullopt;
}

Cursor::Cursor(Item const& item, std::string file, Problems& problems)
    : item_(&item),
      file_(std::move(file)),
      problems_(&problems),
      line_(item.line),
      column_(item.column) {}

Cursor Cursor::below(Item const& item, std::string path) const {
  Cursor cursor(item, file_, *problems_);
  cursor.path_ = std::move(path);
  return cursor;
}

void Cursor::fail(std::string message, std::string suggestion) const {
  problems_->add({file_, line_, column_, path_, std::move(message), std::move(suggestion)});
}

std::string Cursor::got() const {
  switch (kind()) {
    case Item::Kind::nothing:
      return "nothing";
    case Item::Kind::list:
      return "a list";
    case Item::Kind::mapping:
      return "a mapping";
    case Item::Kind::scalar:
      break;
  }
  if (item_->text.size() <= kShown) return '"' + item_->text + '"';
  return '"' + item_->text.substr(0, kShown) + "...\"";
}

std::optional<std::string> Cursor::text(std::string_view expected) const {
  if (is_scalar()) return item_->text;
  fail("expected " + std::string(expected) + ", got " + got());
  return std::nullopt;
}

std::optional<long long> Cursor::integer() const {
  long long value = 0;
  auto const& text = item_->text;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (is_scalar() && !item_->quoted && error == std::errc{} && end == text.data() + text.size()) {
    return value;
  }
  fail("expected a whole number, got " + std::string(item_->quoted ? "the text " : "") + got());
  return std::nullopt;
}

std::optional<bool> Cursor::flag() const {
  if (is_scalar() && !item_->quoted && item_->text == "true") return true;
  if (is_scalar() && !item_->quoted && item_->text == "false") return false;
  auto const meant = other_flags().find(item_->text);
  fail("expected true or false, got " + std::string(item_->quoted ? "the text " : "") + got(),
       meant == other_flags().end() ? "" : "did you mean " + meant->second + "?");
  return std::nullopt;
}

std::optional<std::vector<Cursor>> Cursor::list(std::string_view expected) const {
  std::vector<Cursor> result;
  if (kind() != Item::Kind::list && kind() != Item::Kind::nothing) {
    fail("expected " + std::string(expected) + ", got " + got());
    return std::nullopt;
  }
  result.reserve(item_->items.size());
  for (auto const& item : item_->items) {
    result.push_back(below(item, path_ + "[" + std::to_string(result.size()) + "]"));
  }
  return result;
}

Fields::Fields(Cursor const& mapping) : self_(mapping) {
  auto const& item = *mapping.item_;
  if (item.kind == Item::Kind::nothing) return;
  if (item.kind != Item::Kind::mapping) {
    is_mapping_ = false;
    mapping.fail("expected a mapping of fields, got " + mapping.got());
    return;
  }
  std::map<std::string, int> first_line;
  for (std::size_t i = 0; i < item.keys.size(); ++i) {
    auto const& key = item.keys[i];
    auto const key_cursor = mapping.below(key, mapping.path_);
    if (key.kind != Item::Kind::scalar) {
      key_cursor.fail("expected a field's name, got " + key_cursor.got());
      continue;
    }
    auto const path = mapping.path_.empty() ? key.text : mapping.path_ + "." + key.text;
    auto const [first, added] = first_line.emplace(key.text, key.line);
    auto named_key = mapping.below(key, path);
    if (!added) {
      named_key.fail("the same field twice, first on line " + std::to_string(first->second));
      continue;
    }
    fields_.push_back({key.text, std::move(named_key), mapping.below(item.items[i], path), false});
  }
}

std::optional<Cursor> Fields::find(std::string_view name) {
  if (std::ranges::find(asked_, name) == asked_.end()) asked_.emplace_back(name);
  auto const found = std::ranges::find(fields_, name, &Field::name);
  if (found == fields_.end()) return std::nullopt;
  found->known = true;
  return found->value;
}

std::vector<std::pair<std::string, Cursor>> Fields::all() {
  std::vector<std::pair<std::string, Cursor>> result;
  for (auto& field : fields_) {
    field.known = true;
    result.emplace_back(field.name, field.value);
  }
  return result;
}

void Fields::refuse_unknown() const {
  constexpr std::size_t kMostNamed = 100;
  std::size_t unknown = 0;
  for (auto const& field : fields_) {
    if (field.known) continue;
    if (++unknown > kMostNamed) return;
    auto suggestion = did_you_mean(field.name, asked_);
    if (suggestion.empty()) {
      suggestion = "expected one of ";
      for (auto const& name : asked_) suggestion += (&name == &asked_[0] ? "" : ", ") + name;
    }
    field.key.fail("unknown field", suggestion);
  }
}

}  // namespace canary::config::yaml
