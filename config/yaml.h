// SPDX-License-Identifier: Apache-2.0
// A strict view of a YAML file: every value knows its line, column and field path, and a field that
// nobody asked for is a problem.
// Thread: none (one load at a time).
// Source: YAML 1.2 without anchors, aliases, merge keys, tags and further documents.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace canary::config::yaml {

constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxItems = 500'000;  // values in one file
constexpr std::size_t kMaxDepth = 32;

// One parsed value. `items` are a list's elements or a mapping's values; `keys` stand beside them.
struct Item {
  enum class Kind { nothing, scalar, list, mapping } kind = Kind::nothing;
  std::string text;
  bool quoted = false;
  int line = 0, column = 0;  // 1-based
  std::vector<Item> keys, items;
};

// Parses the bytes of `file`. Problems (syntax, encoding, limits, what is left out of YAML) are
// added to `problems`; nothing is returned when there is any. An empty file is an empty mapping.
std::optional<Item> parse(std::string const& bytes, std::string const& file, Problems& problems);

// Likewise of what stands in the file; that it cannot be read is a problem, too. Blocks.
std::optional<Item> parse_file(std::filesystem::path const& file, Problems& problems);

// A value and where it stands. Points into an Item and problems that outlive it.
class Cursor {
 public:
  // The whole file.
  Cursor(Item const& item, std::string file, Problems& problems);

  Item::Kind kind() const { return item_->kind; }
  bool is_scalar() const { return kind() == Item::Kind::scalar; }
  std::string const& file() const { return file_; }
  int line() const { return line_; }
  std::string const& path() const { return path_; }

  // Adds a problem at this value.
  void fail(std::string message, std::string suggestion = "") const;
  // Where that would be, without a message.
  Problem place() const { return {file_, line_, column_, path_, "", ""}; }
  std::size_t problem_count() const { return problems_->count(); }
  // "a list", "a mapping", "nothing" or the text in quotes, for "expected ..., got ...".
  std::string got() const;

  // The scalar as text, or nothing and a problem "expected <expected>, got ...".
  std::optional<std::string> text(std::string_view expected) const;
  // Whole numbers and true/false are never quoted and never spelled another way.
  std::optional<long long> integer() const;
  std::optional<bool> flag() const;
  // The elements of a list; a value of nothing is an empty list.
  std::optional<std::vector<Cursor>> list(std::string_view expected) const;

 private:
  friend class Fields;
  Cursor() = default;
  Cursor below(Item const& item, std::string path) const;

  Item const* item_ = nullptr;
  std::string file_, path_;
  Problems* problems_ = nullptr;
  int line_ = 0, column_ = 0;
};

// The fields of a mapping; a value of nothing has none, anything else is a problem. Asking for a
// field makes it known; refuse_unknown() reports the rest, 100 of them at most. A duplicate key is
// reported once.
class Fields {
 public:
  explicit Fields(Cursor const& mapping);

  std::optional<Cursor> find(std::string_view name);
  // Every field with its key, for mappings whose keys are data; all become known.
  std::vector<std::pair<std::string, Cursor>> all();
  void refuse_unknown() const;
  Cursor const& self() const { return self_; }
  bool is_mapping() const { return is_mapping_; }
  bool empty() const { return fields_.empty(); }

 private:
  struct Field {
    std::string name;
    Cursor key, value;
    bool known = false;
  };
  Cursor self_;
  bool is_mapping_ = true;
  std::vector<Field> fields_;
  std::vector<std::string> asked_;
};

}  // namespace canary::config::yaml
