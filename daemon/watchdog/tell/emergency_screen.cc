// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/emergency_screen.h"

#include <cstddef>

namespace canary::watchdog {
namespace {

// Room for what ends the page, whatever came before.
constexpr std::size_t kMostWords = 5'000;

bool begins_with(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && std::string_view{text.data(), with.size()} == with;
}

void add_html(EmergencyScreen& screen, std::string_view text) {
  for (std::size_t i = 0; i < text.size() && screen.size() < kMostWords; ++i) {
    switch (char const each = text.data()[i]) {
      case '&':
        screen.add("&amp;");
        break;
      case '<':
        screen.add("&lt;");
        break;
      case '>':
        screen.add("&gt;");
        break;
      case '"':
        screen.add("&quot;");
        break;
      default:
        screen.put(each);
    }
  }
}

// The lines before the first metric.
void add_comments(EmergencyScreen& screen, std::string_view page) {
  constexpr std::string_view kMark = "# ";
  std::size_t at = 0;
  while (at < page.size()) {
    std::size_t end = at;
    while (end < page.size() && page.data()[end] != '\n') ++end;
    std::string_view const line{page.data() + at, end - at};
    if (!begins_with(line, kMark) || begins_with(line, "# HELP") || begins_with(line, "# TYPE")) {
      return;
    }
    add_html(screen, {line.data() + kMark.size(), line.size() - kMark.size()});
    screen.add("<br>\n");
    at = end + 1;
  }
}

}  // namespace

void write_screen(EmergencyScreen& screen, std::string_view reason, std::string_view not_live,
                  std::string_view page) {
  screen.clear();
  screen.add(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\">"
      "<meta http-equiv=\"refresh\" content=\"5\"><title>canaryd hangs</title></head>\n<body><main>"
      "<h1>canaryd itself hangs</h1>\n<p><strong>");
  add_html(screen, reason);
  screen.add("</strong></p>\n<p>");
  if (not_live.empty()) {
    screen.add(
        "It is given time to come back; if it does not, it ends itself and is started anew.");
  } else {
    screen.add("Only a restart helps: ");
    add_html(screen, not_live);
  }
  screen.add(
      "</p>\n<p>No repository is watched meanwhile. Its watchdog says this, for the HTTP server "
      "does not answer:</p>\n<p><samp>");
  add_comments(screen, page);
  // Relative, for the page may be below a prefix.
  screen.add(
      "</samp></p>\n<p>On the machine: <code>canaryd dump --last</code> shows what hangs and "
      "where, "
      "<code>systemctl restart canaryd</code> ends it now. The runbook has more under "
      "CanarydExecutorStalled and CanarydPartStalled.</p>\n"
      "<p><a href=\"metrics\">Metrics</a> <a href=\"-/healthy\">Health</a> "
      "<a href=\"-/live\">Liveness</a></p></main></body></html>\n");
}

}  // namespace canary::watchdog
