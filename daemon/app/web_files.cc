// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/web_files.h"

#include <chrono>
#include <optional>
#include <utility>

#include "runtime/contract.h"
#include "runtime/deadline.h"
#include "runtime/event.h"

namespace canary::daemon {
namespace {

constexpr std::chrono::seconds kLook{1};

// Nothing where no file has changed.
using Read = std::optional<Result<WebAccessPointer, std::vector<config::Problem>>>;

}  // namespace

runtime::Task<void> watch_web_files(WebFiles files, runtime::FileThreads& threads) {
  runtime::require_loop_thread();
  std::vector<config::Problem> last;
  bool told = false;
  while (true) {
    co_await runtime::sleep_until({}, "web.files", runtime::Deadline::after(kLook));
    runtime::FileAsk ask{.name = "web.files", .file = files.file, .known = true};
    auto look = [file = files.file, in_force = files.in_force()]() -> Read {
      if (identity_now(*in_force) == in_force->identity) return std::nullopt;
      return read_web_access(file);
    };
    auto seen = co_await threads.run({}, std::move(ask), std::move(look));
    if (!seen) continue;  // the disk does not answer
    Read read = std::move(seen).value();
    if (!read || *read) {
      // What was refused may be gone again, and all be as it was.
      if (read || told) files.taken(read ? std::move(*read).value() : files.in_force());
      last.clear();
      told = false;
    } else if (read->error() != last) {
      last = read->error();
      told = false;
    } else if (!std::exchange(told, true)) {
      files.refused(last);
    }
  }
}

}  // namespace canary::daemon
