// SPDX-License-Identifier: Apache-2.0
// A whole terminal to draw on, by ncurses; at the end it is as it was. The only home of ncurses.
// Thread: main. One at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "config/result.h"
#include "daemon/cli/top_view.h"

namespace canary::daemon {

enum class Key : std::uint8_t {
  none,
  quit,  // also where the terminal is gone
  up,
  down,
  page_up,
  page_down,
  home,
  end,
  services,
  resized,
};

class Terminal {
 public:
  // The error says why there is none: no terminal, or one of a kind that nobody knows (TERM).
  static Result<std::unique_ptr<Terminal>, std::string> open(bool colour);
  ~Terminal();
  Terminal(Terminal const&) = delete;
  Terminal& operator=(Terminal const&) = delete;

  std::size_t rows() const;
  // From the top, cut at the edges; `below` on the last row.
  void draw(std::vector<TopLine> const& lines, std::string const& below);
  // The next key that means something, within so long.
  Key wait(std::chrono::milliseconds patience);

 private:
  struct Screen;
  explicit Terminal(std::unique_ptr<Screen> screen);
  std::unique_ptr<Screen> screen_;
};

}  // namespace canary::daemon
