// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/terminal.h"

#define NCURSES_NOMACROS 1  // which would be called erase, move, timeout
#include <langinfo.h>
#include <ncurses.h>
#include <poll.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace canary::daemon {
namespace {

constexpr int kEscape = 25;  // ms, between ESC and the rest of a key's sequence

struct Look {
  short colour;
  attr_t without;  // where there are no colours
};

Look look_of(Style style) {
  switch (style) {
    case Style::plain:
      return {-1, A_NORMAL};
    case Style::heading:
      return {-1, A_BOLD};
    case Style::muted:
      return {-1, A_DIM};
    case Style::ok:
      return {COLOR_GREEN, A_NORMAL};
    case Style::warning:
      return {COLOR_YELLOW, A_BOLD};
    case Style::critical:
      return {COLOR_RED, A_REVERSE};
    case Style::unknown:
      return {COLOR_MAGENTA, A_BOLD};
    case Style::hang:
      return {COLOR_CYAN, A_REVERSE};
  }
  return {-1, A_NORMAL};
}

// A pair of that colour on the terminal's own ground; 0 is the terminal's own.
short pair_of(Style style) { return static_cast<short>(style); }

Key key_of(int code) {
  switch (code) {
    case 'q':
    case 'Q':
      return Key::quit;
    case KEY_UP:
    case 'k':
      return Key::up;
    case KEY_DOWN:
    case 'j':
      return Key::down;
    case KEY_PPAGE:
      return Key::page_up;
    case KEY_NPAGE:
    case ' ':
      return Key::page_down;
    case KEY_HOME:
    case 'g':
      return Key::home;
    case KEY_END:
    case 'G':
      return Key::end;
    case 's':
      return Key::services;
    case KEY_RESIZE:
      return Key::resized;
    default:
      return Key::none;
  }
}

}  // namespace

struct Terminal::Screen {
  SCREEN* made = nullptr;
  bool colour = false, utf8 = false;
};

Result<std::unique_ptr<Terminal>, std::string> Terminal::open(bool colour) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return std::string{"this is for a terminal; `canaryd status` is for scripts"};
  }
  std::setlocale(LC_CTYPE, "");
  auto screen = std::make_unique<Screen>();
  screen->made = ::newterm(nullptr, stdout, stdin);
  if (screen->made == nullptr) {
    char const* const kind = std::getenv("TERM");
    return "no terminal of the kind TERM=" + std::string{kind == nullptr ? "" : kind} +
           " is known; try TERM=xterm or TERM=vt100";
  }
  screen->utf8 = std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
  screen->colour =
      colour && ::has_colors() && ::start_color() == OK && ::use_default_colors() == OK;
  for (auto const style :
       {Style::ok, Style::warning, Style::critical, Style::unknown, Style::hang}) {
    if (screen->colour) ::init_pair(pair_of(style), look_of(style).colour, -1);
  }
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::set_escdelay(kEscape);
  ::curs_set(0);
  return std::unique_ptr<Terminal>{new Terminal{std::move(screen)}};
}

Terminal::Terminal(std::unique_ptr<Screen> screen) : screen_(std::move(screen)) {}

Terminal::~Terminal() {
  ::endwin();
  ::delscreen(screen_->made);
}

std::size_t Terminal::rows() const {
  return static_cast<std::size_t>(std::max(getmaxy(stdscr), 1));
}

void Terminal::draw(std::vector<TopLine> const& lines, std::string const& below) {
  auto const columns = static_cast<std::size_t>(std::max(getmaxx(stdscr), 0));
  ::erase();
  auto const put = [&](int row, std::string const& text, Style style, std::size_t styled) {
    Look const look = look_of(style);
    bool const coloured = screen_->colour && look.colour >= 0;
    ::wmove(stdscr, row, 0);
    std::string const shown = fitted(text, columns, screen_->utf8);
    attr_t const attributes = coloured ? A_BOLD : look.without;
    ::wattr_set(stdscr, attributes, coloured ? pair_of(style) : short{0}, nullptr);
    ::waddnstr(stdscr, shown.data(), static_cast<int>(std::min(styled, shown.size())));
    ::wattr_set(stdscr, A_NORMAL, 0, nullptr);
    if (styled < shown.size()) ::waddstr(stdscr, shown.c_str() + styled);
  };
  std::size_t const room = rows() - 1;
  for (std::size_t i = 0; i < std::min(lines.size(), room); ++i) {
    put(static_cast<int>(i), lines[i].text, lines[i].style, lines[i].styled);
  }
  put(static_cast<int>(room), below, Style::muted, std::string::npos);
  ::refresh();
}

Key Terminal::wait(std::chrono::milliseconds patience) {
  pollfd keys{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  int const ready = ::poll(&keys, 1, static_cast<int>(patience.count()));
  if (ready > 0 && (keys.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return Key::quit;
  // Also where a signal came: a change of the size is a key.
  int const code = ::wgetch(stdscr);
  return code == ERR ? Key::none : key_of(code);
}

}  // namespace canary::daemon
