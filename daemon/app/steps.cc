// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/steps.h"

namespace canary::daemon {

using namespace std::chrono_literals;

std::shared_ptr<runtime::Stage> Steps::begin_reading() {
  auto reading = std::make_shared<runtime::Stage>();
  std::lock_guard const lock{mutex_};
  reading_ = reading;
  return reading;
}

void Steps::end_reading() {
  std::lock_guard const lock{mutex_};
  reading_.reset();
}

runtime::Stage::Seen Steps::look() const {
  std::shared_ptr<runtime::Stage> reading;
  {
    std::lock_guard const lock{mutex_};
    reading = reading_;
  }
  return reading ? reading->look() : own_.look();
}

std::size_t lines_due(std::chrono::nanoseconds age) {
  if (age < 5s) return 0;
  return 1 + static_cast<std::size_t>((age - 5s) / 30s);
}

bool StandingStill::due(runtime::Stage::Seen const& seen) {
  if (seen.entered != entered_) told_ = 0;
  entered_ = seen.entered;
  std::size_t const lines = lines_due(seen.age);
  bool const now = lines > told_;
  told_ = lines > told_ ? lines : told_;
  return now;
}

}  // namespace canary::daemon
