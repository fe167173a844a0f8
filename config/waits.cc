// SPDX-License-Identifier: Apache-2.0
#include "config/waits.h"

#include <algorithm>

#include "config/duration.h"
#include "config/quiet_visitor.h"

namespace canary::config {
namespace {

struct Wait {
  std::vector<std::string> path;  // {"http", "idle_timeout"}
  milliseconds value{0};
};

// Each is a stretch in which no byte need come.
class Waits : public QuietVisitor {
 public:
  void wait(Field field, milliseconds& value, milliseconds, milliseconds) override {
    found_.push_back({path_to(field), value});
  }
  std::vector<Wait> take() { return std::move(found_); }

 private:
  std::vector<Wait> found_;
};

std::vector<Wait> waits_of(ProbeSpec probe) {
  Waits waits;
  describe_probe(waits, probe);
  return waits.take();
}

std::optional<yaml::Cursor> field_of(std::optional<yaml::Cursor> const& at, std::string_view name) {
  if (!at || at->kind() != yaml::Item::Kind::mapping) return std::nullopt;
  return yaml::Fields{*at}.find(name);
}

std::optional<yaml::Cursor> field_of(std::optional<yaml::Cursor> at,
                                     std::vector<std::string> const& path) {
  for (auto const& part : path) at = field_of(at, part);
  return at;
}

}  // namespace

void WaitRule::set_limit(milliseconds run_stall, std::optional<yaml::Cursor> const& watchdog) {
  run_stall_ = run_stall;
  limit_place_ = field_of(watchdog, "run_stall");
}

void WaitRule::set_defaults(yaml::Cursor const& defaults) { defaults_ = defaults; }

void WaitRule::check(yaml::Cursor const& at, ProbeSpec const& probe) {
  for (Wait const& wait : waits_of(probe)) {
    if (std::min(wait.value, probe.timeout) < run_stall_) continue;
    refuse(at, wait.path, wait.value, probe.timeout);
  }
}

// Where the probe says it, else where the defaults do, else at the limit itself; the latter once.
void WaitRule::refuse(yaml::Cursor const& at, std::vector<std::string> const& path,
                      milliseconds wanted, milliseconds timeout) {
  std::string name;
  for (auto const& part : path) name += (name.empty() ? "" : ".") + part;
  std::string const cause = ": the watchdog would cancel a run (of up to " + to_text(timeout) +
                            ") that only waits as it is told to";
  std::string const message = "expected less than watchdog.run_stall (" + to_text(run_stall_) +
                              "), got " + to_text(wanted) + cause;
  std::string const advice =
      "lower it, or the probe's timeout, below watchdog.run_stall, or raise that";
  if (auto const own = field_of(at, path)) {
    own->fail(message, advice);
  } else if (bool const again = !told_.insert(name).second; again && (defaults_ || limit_place_)) {
    return;
  } else if (auto const shared = field_of(defaults_, path)) {
    shared->fail(message, advice);
  } else if (limit_place_) {
    limit_place_->fail("expected more than the " + to_text(wanted) + " of " + name +
                           " (its default) in " + at.path() + ", got " + to_text(run_stall_) +
                           cause,
                       "raise it, or set " + name + " lower in defaults or the probe");
  } else {  // the probe of a list, whose timeout makes the wait of the main file's defaults count
    at.fail(message + " (" + name + " of the main file's defaults)", advice);
  }
}

}  // namespace canary::config
