// SPDX-License-Identifier: Apache-2.0
// A value of the API's JSON in a line for people.
// Thread: none (pure).
#pragma once

#include <string>
#include <string_view>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace canary::daemon {

// A string without its quotes, another value as JSON has it; `none` for null.
inline std::string json_text(boost::json::value const& value, std::string_view none = "-") {
  if (value.is_string()) return std::string{value.as_string()};
  return value.is_null() ? std::string{none} : boost::json::serialize(value);
}

}  // namespace canary::daemon
