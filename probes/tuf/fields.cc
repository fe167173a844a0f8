// SPDX-License-Identifier: Apache-2.0
// Field access with errors that name the place.
// Thread: none (pure).
#include "probes/tuf/fields.h"

#include <charconv>
#include <utility>

namespace canary::tuf {
namespace {

constexpr std::size_t kShownName = 120;

Rejection wrong_kind(Place const& place, std::string_view name, json::Kind wanted) {
  json::Value const* value = place.value().find(name);
  if (value == nullptr) return Place(place, name, place.value()).reject(Rule::field_missing, "");
  std::string why = "expected " + std::string(json::name(wanted)) + ", found ";
  return Place(place, name, *value)
      .reject(Rule::field_invalid, why.append(json::name(value->kind())));
}

Result<std::uint64_t> to_integer(Place const& place, std::uint64_t least) {
  std::string_view const text = place.value().number();
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number >= least) return number;
  std::string why = "expected an integer from " + std::to_string(least) + " to 2^64-1, found ";
  return place.reject(Rule::field_invalid, why.append(text.substr(0, 40)));
}

}  // namespace

std::string Place::path() const {
  if (parent_ == nullptr) return std::string(name_);
  std::string text = parent_->path();
  if (index_) return text.append("[").append(std::to_string(*index_)).append("]");
  if (!text.empty()) text += '.';
  text.append(name_.substr(0, kShownName));
  if (name_.size() > kShownName) text += "…";
  return text;
}

Rejection Place::reject(Rule rule, std::string_view why) const {
  std::string detail = path();
  if (!why.empty()) detail.append(": ").append(why);
  return {rule, std::string(role_), std::move(detail)};
}

Result<json::Value const*> optional_field(Place const& place, std::string_view name,
                                          json::Kind kind) {
  json::Value const* value = place.value().find(name);
  if (value != nullptr && value->kind() != kind) return wrong_kind(place, name, kind);
  return value;
}

Result<json::Value const*> field(Place const& place, std::string_view name, json::Kind kind) {
  json::Value const* value = place.value().find(name);
  if (value == nullptr || value->kind() != kind) return wrong_kind(place, name, kind);
  return value;
}

Result<std::string_view> string_field(Place const& place, std::string_view name) {
  BOOST_OUTCOME_TRY(auto const* value, field(place, name, json::Kind::string));
  return value->string();
}

Result<std::uint64_t> integer_field(Place const& place, std::string_view name,
                                    std::uint64_t least) {
  BOOST_OUTCOME_TRY(auto const* value, field(place, name, json::Kind::number));
  return to_integer(Place(place, name, *value), least);
}

Result<std::optional<std::uint64_t>> optional_integer_field(Place const& place,
                                                            std::string_view name,
                                                            std::uint64_t least) {
  BOOST_OUTCOME_TRY(auto const* value, optional_field(place, name, json::Kind::number));
  if (value == nullptr) return std::optional<std::uint64_t>{};
  BOOST_OUTCOME_TRY(auto const number, to_integer(Place(place, name, *value), least));
  return std::optional<std::uint64_t>{number};
}

Result<std::vector<std::string_view>> strings(Place const& place) {
  std::vector<std::string_view> texts;
  texts.reserve(place.value().array().size());
  for (json::Value const& item : place.value().array()) {
    if (!item.is_string()) {
      return place.reject(Rule::field_invalid,
                          "expected strings only, found " + std::string(json::name(item.kind())));
    }
    texts.push_back(item.string());
  }
  return texts;
}

}  // namespace canary::tuf
