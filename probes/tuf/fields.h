// SPDX-License-Identifier: Apache-2.0
// Reads typed fields from a JSON tree, and says where a wrong one is.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/tuf/json.h"
#include "probes/tuf/rejection.h"

namespace canary::tuf {

// A place in a file: a list on the stack that becomes text only when something is wrong there.
class Place {
 public:
  Place(std::string_view role, json::Value const& value) : role_(role), value_(value) {}
  Place(Place const& parent, std::string_view name, json::Value const& value)
      : parent_(&parent), name_(name), role_(parent.role_), value_(value) {}

  Place(Place const& parent, std::size_t index, json::Value const& value)
      : parent_(&parent), index_(index), role_(parent.role_), value_(value) {}

  json::Value const& value() const { return value_; }
  std::string_view role() const { return role_; }
  std::string path() const;  // "signed.delegations.roles[0].name"
  Rejection reject(Rule rule, std::string_view why) const;

 private:
  Place const* parent_ = nullptr;
  std::string_view name_;             // outlives the place
  std::optional<std::size_t> index_;  // instead of a name
  std::string_view role_;
  json::Value const& value_;
};

// Each rejects field_missing or field_invalid, and REQUIRES that the place is an object.
Result<json::Value const*> field(Place const& place, std::string_view name, json::Kind kind);
Result<std::string_view> string_field(Place const& place, std::string_view name);
Result<std::uint64_t> integer_field(Place const& place, std::string_view name, std::uint64_t least);

// The same where the field may be absent: nullptr or nullopt then.
Result<json::Value const*> optional_field(Place const& place, std::string_view name,
                                          json::Kind kind);
Result<std::optional<std::uint64_t>> optional_integer_field(Place const& place,
                                                            std::string_view name,
                                                            std::uint64_t least);

// REQUIRES: the place is an array. Rejects: field_invalid where an item is no string.
Result<std::vector<std::string_view>> strings(Place const& place);

}  // namespace canary::tuf
