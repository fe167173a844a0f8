// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/hangs_text.h"

#include <array>
#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "daemon/cli/json_text.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;

// "0.7 s", "12 s".
std::string seconds(json::value const& value) {
  if (!value.is_number()) return json_text(value);
  auto const number = value.to_number<double>();
  std::array<char, 32> shown{};
  std::snprintf(shown.data(), shown.size(), number < 10 ? "%.1f s" : "%.0f s", number);
  return shown.data();
}

std::string previous_run(json::value const& previous) {
  if (!previous.is_object() || previous.at("end") == "orderly") return {};
  std::string out;
  if (previous.at("started").is_string()) {
    out += "the run before ended unclean (" + json_text(previous.at("end")) +
           "); nobody watched for " + seconds(previous.at("blind_seconds")) +
           ", until this start\n";
  }
  auto const& words = previous.at("crash_record");
  if (!words.is_object() || words.at("in_order").as_bool()) return out;
  out += "  at its end, " + json_text(words.at("ended")) + ", its loop ";
  if (auto const& handler = words.at("handler"); handler.is_object()) {
    out += "had run a handler for " + seconds(handler.at("seconds")) + ": " +
           json_text(handler.at("site")) + ", of " + json_text(handler.at("run"));
  } else {
    out += "waited";
  }
  out += "; runs going on: " + json_text(words.at("runs")) + "\n";
  if (words.at("post_mortem").is_string()) {
    out += "  post-mortem: " + json_text(words.at("post_mortem")) + "\n";
  }
  return out;
}

}  // namespace

std::string hangs_text(json::value const& hangs) {
  auto const& executor = hangs.at("executor");
  std::string out =
      "executor: " +
      (executor.at("ok").as_bool() ? std::string{"turns"} : json_text(executor.at("reason"))) +
      "\n";
  for (auto const& incident : hangs.at("incidents").as_array()) {
    out += "  " + json_text(incident.at("level")) + ": " + json_text(incident.at("subject")) + " " +
           json_text(incident.at("name")) + " for " + seconds(incident.at("age_seconds")) + ": " +
           json_text(incident.at("verdict")) + "\n";
  }
  if (auto const& stall = hangs.at("last_stall"); stall.is_object()) {
    out += "last stall: " + json_text(stall.at("at")) + ", " + json_text(stall.at("subject")) +
           " " + json_text(stall.at("name")) + ": " + json_text(stall.at("verdict")) + "; " +
           json_text(stall.at("site")) + "\n";
  }
  out += previous_run(hangs.at("previous_run"));
  for (auto const& probe : hangs.at("quarantined").as_array()) {
    out += "quarantined: " + json_text(probe) +
           " is not run any more; it hung canaryd again and again\n";
  }
  if (auto const& last = hangs.at("dumps").at("last"); last.is_object()) {
    out += "last dump: " + json_text(last.at("at")) + ", " + json_text(last.at("path")) + "\n";
  }
  return out;
}

}  // namespace canary::daemon
