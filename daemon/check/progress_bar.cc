// SPDX-License-Identifier: Apache-2.0
#include "daemon/check/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "config/duration.h"

namespace canary::daemon {
namespace {

using std::chrono::steady_clock;

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void draw(std::stop_token const& stop, CheckProgress const& progress) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock{mutex};
  auto const began = steady_clock::now();
  auto last = began;
  std::uint64_t last_bytes = 0;
  double rate = 0;
  while (!changed.wait_for(lock, stop, std::chrono::milliseconds{250}, [] { return false; }) &&
         !stop.stop_requested()) {
    auto const now = steady_clock::now();
    auto const sum = progress.sum();
    double const span = std::chrono::duration<double>(now - last).count();
    double const current = static_cast<double>(sum.bytes_done - last_bytes) / span;
    rate = rate == 0 ? current : 0.7 * rate + 0.3 * current;
    last = now;
    last_bytes = sum.bytes_done;
    auto const elapsed = std::chrono::duration_cast<std::chrono::seconds>(now - began);
    std::fprintf(stderr, "\r\033[K%s",
                 progress_line(sum, rate, elapsed, terminal_width() - 1).c_str());
  }
  std::fputs("\r\033[K", stderr);
}

}  // namespace

std::string human_bytes(double bytes) {
  constexpr char const* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text;
}

std::string progress_line(CheckProgress::Sum const& sum, double rate, std::chrono::seconds elapsed,
                          std::size_t width) {
  std::string line = "checking  " + config::to_text(std::chrono::milliseconds{elapsed});
  if (sum.targets_total > 0) {
    line +=
        "  targets " + std::to_string(sum.targets_done) + "/" + std::to_string(sum.targets_total);
  }
  line += "  " + human_bytes(static_cast<double>(sum.bytes_done));
  if (sum.bytes_total > 0) line += " of " + human_bytes(static_cast<double>(sum.bytes_total));
  line += "  " + human_bytes(rate) + "/s";
  if (sum.bytes_total > sum.bytes_done && rate >= 1) {
    auto const left =
        static_cast<std::int64_t>(static_cast<double>(sum.bytes_total - sum.bytes_done) / rate);
    line += "  " + config::to_text(std::chrono::seconds{left}) + " left";
  }
  std::size_t const columns = line.size() + 4 < width ? width - line.size() - 4 : 0;
  if (sum.bytes_total > 0 && columns >= 10) {
    std::size_t const bar = std::min<std::size_t>(columns, 40);
    auto const share =
        std::min(1.0, static_cast<double>(sum.bytes_done) / static_cast<double>(sum.bytes_total));
    auto const full = static_cast<std::size_t>(share * static_cast<double>(bar));
    line += "  [" + std::string(full, '#') + std::string(bar - full, ' ') + "]";
  }
  return line.substr(0, width);
}

ProgressBar::ProgressBar(CheckProgress const& progress) {
  if (::isatty(STDERR_FILENO) == 0) return;
  thread_ = std::jthread{[&progress](std::stop_token const& stop) { draw(stop, progress); }};
}

ProgressBar::~ProgressBar() = default;

}  // namespace canary::daemon
