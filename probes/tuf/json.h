// SPDX-License-Identifier: Apache-2.0
// A strict JSON tree that loses nothing: members in order, numbers as written. Strings without
// escapes are views into the text, everything else lives in one arena.
// Thread: none (immutable once parsed). Source: RFC 8259; TUF 1.0.34 §4.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>

#include "probes/tuf/budget.h"
#include "probes/tuf/rejection.h"

namespace canary::tuf::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

struct Member;

// 16 bytes: a kind, a size and a pointer.
class Value {
 public:
  Value() = default;

  Kind kind() const { return kind_; }
  bool is_object() const { return kind_ == Kind::object; }
  bool is_array() const { return kind_ == Kind::array; }
  bool is_string() const { return kind_ == Kind::string; }

  // Each REQUIRES the kind it names.
  bool boolean() const { return flag_; }
  std::string_view number() const { return {text_, size_}; }  // as written
  std::string_view string() const { return {text_, size_}; }  // unescaped, valid UTF-8
  std::span<Value const> array() const { return {items_, size_}; }
  std::span<Member const> object() const;
  bool keys_sorted() const { return flag_; }  // members are in order of their names' bytes

  // The member of this name, or nullptr; also nullptr where this is no object.
  Value const* find(std::string_view name) const;

 private:
  friend class Builder;
  Kind kind_ = Kind::null;
  bool flag_ = false;  // boolean, or an object's keys_sorted
  std::uint32_t size_ = 0;
  union {
    char const* text_ = nullptr;
    Value const* items_;
    Member const* members_;
  };
};

struct Member {
  std::string_view name;
  Value value;
};

inline std::span<Member const> Value::object() const { return {members_, size_}; }

struct ParseLimits {
  std::size_t depth = FileBudget{}.depth;
  std::size_t values = FileBudget{}.values;
};

// Owns the text and the tree over it.
class Document {
 public:
  // Rejects: json_* with byte offset and path, budget, and size_limit at 4 GiB. `role` names it in
  // errors.
  static Result<std::shared_ptr<Document const>> parse(std::string text, std::string_view role,
                                                       ParseLimits limits);

  Document(Document const&) = delete;
  Document& operator=(Document const&) = delete;

  Value const& root() const { return root_; }
  std::string const& text() const { return text_; }  // the original bytes
  std::size_t depth() const { return depth_; }       // levels of nesting: 1 for `{}`, 0 for `1`

 private:
  friend class Builder;
  explicit Document(std::string text);
  std::string const text_;
  std::pmr::monotonic_buffer_resource arena_;
  Value root_;
  std::size_t depth_ = 0;
};

std::string_view name(Kind kind);

}  // namespace canary::tuf::json
