// SPDX-License-Identifier: Apache-2.0
// Writes the canonical form in one pass over the tree.
// Thread: none (pure).
#include "probes/tuf/canonical_json.h"

#include <algorithm>
#include <array>
#include <vector>

namespace canary::tuf {
namespace {

constexpr std::size_t kSmallObject = 16;  // sorted without allocating

bool is_integer(std::string_view number) {
  if (number.starts_with('-')) number.remove_prefix(1);
  return number.find_first_not_of("0123456789") == std::string_view::npos;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  // False at the first number that is no integer; bad() is its text.
  bool write(json::Value const& value);
  std::string_view bad() const { return bad_; }

 private:
  void write_string(std::string_view text);
  bool write_member(json::Member const& member, bool first);
  bool write_object(json::Value const& object);

  std::string& out_;
  std::string_view bad_;
};

void Writer::write_string(std::string_view text) {
  out_ += '"';
  while (true) {
    std::size_t const special = text.find_first_of("\"\\");
    if (special == std::string_view::npos) break;
    out_.append(text.substr(0, special));
    out_ += '\\';
    out_ += text[special];
    text.remove_prefix(special + 1);
  }
  out_.append(text);
  out_ += '"';
}

bool Writer::write_member(json::Member const& member, bool first) {
  if (!first) out_ += ',';
  write_string(member.name);
  out_ += ':';
  return write(member.value);
}

bool Writer::write_object(json::Value const& object) {
  std::span<json::Member const> const members = object.object();
  out_ += '{';
  if (object.keys_sorted()) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!write_member(members[i], i == 0)) return false;
    }
  } else {
    std::array<json::Member const*, kSmallObject> few;
    std::vector<json::Member const*> many;
    std::span<json::Member const*> order;
    if (members.size() <= few.size()) {
      order = std::span(few).first(members.size());
    } else {
      many.resize(members.size());
      order = many;
    }
    for (std::size_t i = 0; i < members.size(); ++i) order[i] = &members[i];
    std::sort(order.begin(), order.end(), [](json::Member const* left, json::Member const* right) {
      return left->name < right->name;
    });
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (!write_member(*order[i], i == 0)) return false;
    }
  }
  out_ += '}';
  return true;
}

bool Writer::write(json::Value const& value) {
  switch (value.kind()) {
    case json::Kind::null:
      out_ += "null";
      return true;
    case json::Kind::boolean:
      out_ += value.boolean() ? "true" : "false";
      return true;
    case json::Kind::string:
      write_string(value.string());
      return true;
    case json::Kind::object:
      return write_object(value);
    case json::Kind::number:
      if (!is_integer(value.number())) {
        bad_ = value.number();
        return false;
      }
      out_.append(value.number() == "-0" ? std::string_view("0") : value.number());
      return true;
    case json::Kind::array: {
      out_ += '[';
      bool first = true;
      for (json::Value const& item : value.array()) {
        if (!first) out_ += ',';
        first = false;
        if (!write(item)) return false;
      }
      out_ += ']';
      return true;
    }
  }
  return false;
}

}  // namespace

Result<void> append_canonical_json(std::string& out, json::Value const& value,
                                   std::string_view role, std::string_view where) {
  Writer writer(out);
  if (writer.write(value)) return outcome::success();
  std::string detail(where);
  detail.append(": canonical JSON has integers only, found ").append(writer.bad().substr(0, 40));
  return Rejection{Rule::number_not_integer, std::string(role), std::move(detail)};
}

Result<std::string> canonical_json(json::Value const& value, std::string_view role,
                                   std::string_view where) {
  std::string out;
  BOOST_OUTCOME_TRYV(append_canonical_json(out, value, role, where));
  return out;
}

}  // namespace canary::tuf
