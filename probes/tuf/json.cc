// SPDX-License-Identifier: Apache-2.0
// Builds the tree from the events of Boost.JSON's push parser; adds what that parser does not
// refuse: duplicate names, and what was wrong where.
// Thread: none (pure).
#include "probes/tuf/json.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

#include "config/harmless.h"

namespace canary::tuf::json {
namespace {

constexpr std::size_t kBinarySearchFrom = 16;
constexpr std::size_t kShownLevels = 24;
constexpr std::size_t kShownName = 80;  // bytes of a hostile name that an error repeats

// Offset of the first byte that does not belong to valid UTF-8; text.size() where there is none.
std::size_t utf8_error(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    std::uint64_t word = 0x80;
    if (text.size() - i >= sizeof word) std::memcpy(&word, text.data() + i, sizeof word);
    if ((word & 0x8080808080808080U) == 0) {  // ASCII alone, as nearly all of it is
      i += sizeof word;
      continue;
    }
    CodePoint const character = decode_utf8(text.substr(i));
    if (!character.valid) return i;
    i += character.bytes;
  }
  return i;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

// Handler of boost::json::basic_parser.
class Builder {
 public:
  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;
  // NOLINTBEGIN(readability-identifier-naming): Boost.JSON asks for these names.
  static constexpr std::size_t max_object_size = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::uint32_t>::max();
  // NOLINTEND(readability-identifier-naming)

  Builder(Document& document, std::size_t most_values)
      : document_(document), values_left_(most_values) {}

  static std::unique_ptr<Document> make(std::string text) {
    return std::unique_ptr<Document>(new Document(std::move(text)));
  }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    frames_.push_back({.is_object = true, .base = members_.size(), .name = {}});
    document_.depth_ = std::max(document_.depth_, frames_.size());
    return true;
  }
  bool on_array_begin(error_code&) {
    frames_.push_back({.is_object = false, .base = values_.size(), .name = {}});
    document_.depth_ = std::max(document_.depth_, frames_.size());
    return true;
  }
  bool on_object_end(std::size_t, error_code& error);
  bool on_array_end(std::size_t, error_code&);

  bool on_key_part(string_view part, std::size_t, error_code&) { return append(part); }
  bool on_string_part(string_view part, std::size_t, error_code&) { return append(part); }
  bool on_number_part(string_view part, error_code&) { return append(part); }
  bool on_key(string_view last, std::size_t, error_code&) {
    frames_.back().name = complete(last);
    return true;
  }
  bool on_string(string_view last, std::size_t, error_code& error) {
    return add_text(Kind::string, complete(last), error);
  }
  bool on_int64(std::int64_t, string_view last, error_code& error) {
    return add_text(Kind::number, complete(last), error);
  }
  bool on_uint64(std::uint64_t, string_view last, error_code& error) {
    return add_text(Kind::number, complete(last), error);
  }
  bool on_double(double, string_view last, error_code& error) {
    return add_text(Kind::number, complete(last), error);
  }
  bool on_bool(bool value, error_code& error) {
    Value leaf;
    leaf.kind_ = Kind::boolean;
    leaf.flag_ = value;
    return add(leaf, error);
  }
  bool on_null(error_code& error) { return add(Value{}, error); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

  std::optional<std::string_view> duplicate() const { return duplicate_; }
  bool spent() const { return values_left_ == 0; }  // there was one value more than allowed

  // Offset of a name or string in the text; nullopt where an escape made a copy of it.
  std::optional<std::size_t> offset_of(std::string_view text) const {
    std::string const& all = document_.text_;
    if (text.data() < all.data() || text.data() > all.data() + all.size()) return std::nullopt;
    return static_cast<std::size_t>(text.data() - all.data());
  }

  // "$.signed.roles[2].name"
  std::string path() const;

 private:
  struct Frame {
    bool is_object;
    std::size_t base;
    std::string_view name;  // of the member that is being read
  };

  bool append(string_view part) {
    pieces_.append(part.data(), part.size());
    return true;
  }
  std::string_view complete(string_view last);
  bool add_text(Kind kind, std::string_view text, error_code& error) {
    Value leaf;
    leaf.kind_ = kind;
    leaf.size_ = static_cast<std::uint32_t>(text.size());
    leaf.text_ = text.data();
    return add(leaf, error);
  }
  bool add(Value value, error_code& error) {
    if (values_left_ == 0) {
      error = boost::json::error::exception;  // replaced by our own rule
      return false;
    }
    --values_left_;
    if (frames_.empty()) {
      document_.root_ = value;
    } else if (frames_.back().is_object) {
      members_.push_back({frames_.back().name, value});
    } else {
      values_.push_back(value);
    }
    return true;
  }
  template <class T>
  T* copy_to_arena(std::vector<T>& stack, std::size_t base) {
    std::size_t const count = stack.size() - base;
    if (count == 0) return nullptr;
    void* memory = document_.arena_.allocate(count * sizeof(T), alignof(T));
    T* copied = static_cast<T*>(memory);
    std::uninitialized_copy_n(stack.begin() + static_cast<std::ptrdiff_t>(base), count, copied);
    stack.resize(base);
    return copied;
  }
  // The second of two equal names, or nullopt.
  static std::optional<std::string_view> find_duplicate(std::span<Member const> members);

  Document& document_;
  std::size_t values_left_;
  std::vector<Frame> frames_;
  std::vector<Member> members_;  // of all open objects
  std::vector<Value> values_;    // of all open arrays
  std::string pieces_;           // of a string with escapes
  std::optional<std::string_view> duplicate_;
};

std::string_view Builder::complete(string_view last) {
  bool const whole = pieces_.empty();
  if (whole && offset_of({last.data(), last.size()})) return {last.data(), last.size()};
  pieces_.append(last.data(), last.size());
  if (pieces_.empty()) return std::string_view(document_.text_).substr(0, 0);
  char* memory = static_cast<char*>(document_.arena_.allocate(pieces_.size(), 1));
  std::memcpy(memory, pieces_.data(), pieces_.size());
  std::string_view const copied{memory, pieces_.size()};
  pieces_.clear();
  return copied;
}

std::optional<std::string_view> Builder::find_duplicate(std::span<Member const> members) {
  std::vector<Member const*> order;
  order.reserve(members.size());
  for (Member const& member : members) order.push_back(&member);
  std::sort(order.begin(), order.end(), [](Member const* left, Member const* right) {
    int const names = left->name.compare(right->name);
    return names != 0 ? names < 0 : left < right;  // as they came
  });
  auto const twice = std::adjacent_find(
      order.begin(), order.end(),
      [](Member const* left, Member const* right) { return left->name == right->name; });
  if (twice == order.end()) return std::nullopt;
  return (*std::next(twice))->name;
}

bool Builder::on_object_end(std::size_t, error_code& error) {
  Frame const frame = frames_.back();
  std::span<Member const> const members{members_.data() + frame.base, members_.size() - frame.base};
  bool sorted = true;
  for (std::size_t i = 1; i < members.size() && sorted; ++i) {
    sorted = members[i - 1].name < members[i].name;
  }
  if (!sorted) {
    duplicate_ = find_duplicate(members);
    if (duplicate_) {
      frames_.back().name = *duplicate_;
      error = boost::json::error::exception;  // replaced by our own rule
      return false;
    }
  }
  Value object;
  object.kind_ = Kind::object;
  object.flag_ = sorted;
  object.size_ = static_cast<std::uint32_t>(members.size());
  object.members_ = copy_to_arena(members_, frame.base);
  frames_.pop_back();
  return add(object, error);
}

bool Builder::on_array_end(std::size_t, error_code& error) {
  std::size_t const base = frames_.back().base;
  Value array;
  array.kind_ = Kind::array;
  array.size_ = static_cast<std::uint32_t>(values_.size() - base);
  array.items_ = copy_to_arena(values_, base);
  frames_.pop_back();
  return add(array, error);
}

std::string Builder::path() const {
  std::string text = "$";
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    if (i == kShownLevels) return text.append("…");
    Frame const& frame = frames_[i];
    if (frame.is_object) {
      if (frame.name.empty()) continue;
      std::string_view const shown = frame.name.substr(0, kShownName);
      text.append(".").append(shown).append(shown.size() < frame.name.size() ? "…" : "");
      continue;
    }
    std::size_t end = values_.size();  // of this array's complete items
    for (std::size_t inner = i + 1; inner < frames_.size(); ++inner) {
      if (!frames_[inner].is_object) {
        end = frames_[inner].base;
        break;
      }
    }
    text.append("[").append(std::to_string(end - frame.base)).append("]");
  }
  return text;
}

namespace {

using Error = boost::json::error;

Rule rule_of(boost::json::error_code const& error) {
  if (error == Error::exponent_overflow) return Rule::number_not_integer;
  if (error == Error::illegal_leading_surrogate || error == Error::illegal_trailing_surrogate ||
      error == Error::expected_utf16_escape) {
    return Rule::json_utf8;
  }
  return Rule::json_syntax;
}

std::string_view words_of(boost::json::error_code const& error) {
  if (error == Error::exponent_overflow) return "exponent out of range";
  if (error == Error::incomplete) return "ends too early";
  if (rule_of(error) == Rule::json_utf8) return "lone surrogate";
  return "syntax error";
}

// Boost.JSON calls a high surrogate that nothing follows a syntax error.
bool follows_high_surrogate(std::string_view text, std::size_t offset) {
  if (offset < 6 || text.substr(offset - 6, 2) != "\\u") return false;
  std::string_view const hex = text.substr(offset - 4, 2);
  return (hex[0] == 'd' || hex[0] == 'D') &&
         std::string_view("89abAB").find(hex[1]) != std::string_view::npos;
}

Rejection reject(Rule rule, std::string_view role, std::string_view what, std::size_t offset,
                 std::string_view path = {}) {
  std::string detail{what};
  detail.append(" at byte ").append(std::to_string(offset));
  if (!path.empty()) detail.append(", ").append(path);
  return {rule, std::string(role), std::move(detail)};
}

}  // namespace

Value const* Value::find(std::string_view name) const {
  if (kind_ != Kind::object) return nullptr;
  std::span<Member const> const all = object();
  if (flag_ && all.size() >= kBinarySearchFrom) {
    auto const at = std::lower_bound(
        all.begin(), all.end(), name,
        [](Member const& member, std::string_view wanted) { return member.name < wanted; });
    return at != all.end() && at->name == name ? &at->value : nullptr;
  }
  auto const at = std::find_if(all.begin(), all.end(),
                               [&](Member const& member) { return member.name == name; });
  return at != all.end() ? &at->value : nullptr;
}

Document::Document(std::string text) : text_(std::move(text)), arena_(text_.size() / 2 + 512) {}

Result<std::shared_ptr<Document const>> Document::parse(std::string text, std::string_view role,
                                                        ParseLimits limits) {
  if (text.size() >= std::numeric_limits<std::uint32_t>::max()) {
    return Rejection{Rule::size_limit, std::string(role), "4 GiB or more"};
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    return reject(Rule::json_bom, role, "byte order mark", 0);
  }
  if (std::size_t const bad = utf8_error(text); bad != text.size()) {
    return reject(Rule::json_utf8, role, "invalid UTF-8", bad);
  }
  std::unique_ptr<Document> document = Builder::make(std::move(text));
  boost::json::parse_options options;
  options.max_depth = limits.depth;
  boost::json::basic_parser<Builder> parser(options, *document, limits.values + 1);
  boost::json::error_code error;
  std::string const& bytes = document->text_;
  std::size_t const used = parser.write_some(false, bytes.data(), bytes.size(), error);
  Builder const& builder = parser.handler();
  if (std::optional<std::string_view> const twice = builder.duplicate()) {
    std::size_t const offset = builder.offset_of(*twice).value_or(used);
    return reject(Rule::json_duplicate_key, role, "name appears twice", offset, builder.path());
  }
  if (builder.spent()) {
    return reject(Rule::budget, role,
                  "more than " + std::to_string(limits.values) + " values (budget values)", used,
                  builder.path());
  }
  if (error == Error::syntax && follows_high_surrogate(bytes, used)) {
    error = Error::illegal_leading_surrogate;
  }
  if (error == Error::too_deep) {
    return reject(Rule::json_depth, role,
                  "nested deeper than " + std::to_string(limits.depth) + " levels (budget depth)",
                  used, builder.path());
  }
  if (error) return reject(rule_of(error), role, words_of(error), used, builder.path());
  for (std::size_t i = used; i < bytes.size(); ++i) {
    if (!is_space(bytes[i])) {
      return reject(Rule::json_trailing_bytes, role, "more after the end", i);
    }
  }
  return std::shared_ptr<Document const>(std::move(document));
}

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "boolean";
    case Kind::number:
      return "number";
    case Kind::string:
      return "string";
    case Kind::array:
      return "array";
    case Kind::object:
      return "object";
  }
  return "value";
}

}  // namespace canary::tuf::json
