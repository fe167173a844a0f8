// SPDX-License-Identifier: Apache-2.0
#include "config/waits.h"

#include <algorithm>
#include <array>

#include "config/duration.h"

namespace canary::config {
namespace {

struct Wait {
  char const* name;
  milliseconds HttpSettings::* value;
};
// Each is a stretch in which no byte need come.
constexpr std::array kWaits{
    Wait{"resolve_timeout", &HttpSettings::resolve_timeout},
    Wait{"connect_timeout", &HttpSettings::connect_timeout},
    Wait{"tls_timeout", &HttpSettings::tls_timeout},
    Wait{"first_byte_timeout", &HttpSettings::first_byte_timeout},
    Wait{"idle_timeout", &HttpSettings::idle_timeout},
    Wait{"backoff_limit", &HttpSettings::backoff_limit},
};

std::optional<yaml::Cursor> field_of(std::optional<yaml::Cursor> const& at, std::string_view name) {
  if (!at || at->kind() != yaml::Item::Kind::mapping) return std::nullopt;
  return yaml::Fields{*at}.find(name);
}

}  // namespace

void WaitRule::set_limit(milliseconds run_stall, std::optional<yaml::Cursor> const& watchdog) {
  run_stall_ = run_stall;
  limit_place_ = field_of(watchdog, "run_stall");
}

void WaitRule::set_defaults(yaml::Cursor const& defaults) { defaults_ = defaults; }

void WaitRule::check(yaml::Cursor const& at, ProbeSpec const& probe) {
  for (Wait const& wait : kWaits) {
    auto const wanted = probe.http.*wait.value;
    if (std::min(wanted, probe.timeout) < run_stall_) continue;
    std::string const name = wait.name;
    std::string const cause = ": the watchdog would cancel a run (of up to " +
                              to_text(probe.timeout) + ") that only waits as it is told to";
    std::string const got = ", got " + to_text(run_stall_);
    std::string const message = "expected less than watchdog.run_stall (" + to_text(run_stall_) +
                                "), got " + to_text(wanted) + cause;
    std::string const advice =
        "lower it, or the probe's timeout, below watchdog.run_stall, or raise that";
    if (auto const own = field_of(field_of(at, "http"), name)) {
      own->fail(message, advice);
    } else if (!told_.insert(name).second) {
      continue;
    } else if (auto const shared = field_of(field_of(defaults_, "http"), name)) {
      shared->fail(message, advice);
    } else if (limit_place_) {
      limit_place_->fail("expected more than the " + to_text(wanted) + " of http." + name +
                             " (its default) in " + at.path() + got + cause,
                         "raise it, or set http." + name + " lower in defaults or the probe");
    }
  }
}

}  // namespace canary::config
