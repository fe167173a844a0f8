// SPDX-License-Identifier: Apache-2.0
// What the watchdog's thread says to the helper and hears from it: async-signal-safe.
#include <unistd.h>

#include <array>
#include <cstring>

#include "daemon/dump/helper_process.h"
#include "runtime/tables.h"

namespace canary::dump {

bool HelperProcess::send(std::string_view path) {
  std::array<char, 512> line{};
  if (to_ < 0 || path.size() + 1 > line.size()) return false;
  std::memcpy(line.data(), path.data(), path.size());
  line[path.size()] = '\n';
  // Below PIPE_BUF: all or nothing. SIGPIPE is ignored in the daemon (runtime/signals.h).
  auto const size = static_cast<ssize_t>(path.size() + 1);
  if (::write(to_, line.data(), path.size() + 1) != size) return false;
  if (sent_.fetch_add(1) == done_.load()) asked_ns_.store(runtime::now_ns());
  return true;
}

void HelperProcess::poll() {
  if (from_ < 0) return;
  std::array<char, 256> answers{};
  ssize_t size = 0;
  while ((size = ::read(from_, answers.data(), answers.size())) > 0) {
    for (ssize_t i = 0; i < size; ++i) {
      if (answers[static_cast<std::size_t>(i)] == '+') ++finished_;
      if (answers[static_cast<std::size_t>(i)] == '-') ++failed_;
      done_.fetch_add(1);
      asked_ns_.store(runtime::now_ns());  // of the next
    }
  }
}

}  // namespace canary::dump
