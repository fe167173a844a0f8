// SPDX-License-Identifier: Apache-2.0
// `canaryd top`: what the running canaryd is at, live. A canaryd that does not answer keeps nobody
// from scrolling or leaving: it is asked on a thread of its own.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include "config/duration.h"
#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/exit_status.h"
#include "daemon/cli/running_daemon.h"
#include "daemon/cli/status_text.h"
#include "daemon/cli/terminal.h"
#include "daemon/cli/top_view.h"
#include "runtime/aside.h"
#include "runtime/signals.h"
#include "runtime/stage.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kUnfit = 1;
constexpr auto kAnswersWithin = 10s;
constexpr auto kKeys = 100ms;  // how long a key is waited for
constexpr auto kSlow = 3s;     // an answer that takes longer is told of

volatile std::sig_atomic_t hung_up = 0;

// The answers, or why there are none.
using Asked = Result<TopAnswers, std::string>;

Asked ask(DaemonFlags const& flags, runtime::Stage& stage) {
  auto const daemon = find_daemon(flags, stage);
  if (!daemon) return daemon.error();
  TopAnswers answers;
  for (auto const& [path, into] : {std::pair{"/api/v1/hangs", &answers.hangs},
                                   {"/api/v1/probes", &answers.probes},
                                   {"/api/v1/executor", &answers.executor}}) {
    auto const answer = ask_daemon(daemon.value(), path, stage);
    if (answer.status != 200) return answer.body;
    boost::system::error_code failed;
    *into = boost::json::parse(answer.body, failed);
    if (failed) return std::string{path} + ": " + failed.message();
  }
  return answers;
}

// What is on the screen, and what keys make of it.
class Top {
 public:
  Top(DaemonFlags flags, std::chrono::milliseconds every)
      : flags_(std::move(flags)), every_(every) {}

  // Asks once, so that nothing is drawn where no canaryd runs.
  bool begin(runtime::Stage& stage) {
    auto answers = ask(flags_, stage);
    if (!answers) {
      std::fprintf(stderr, "canaryd top: %s\n", answers.error().c_str());
      return false;
    }
    take(std::move(answers));
    return true;
  }
  void run(Terminal& terminal, std::stop_token const& stop) {
    while (!stop.stop_requested() && hung_up == 0) {
      look();
      draw(terminal);
      Key const key = terminal.wait(kKeys);
      if (key == Key::quit) return;
      obey(key, terminal.rows());
    }
  }

 private:
  void look() {
    auto const now = Clock::now();
    if (call_ && call_->ended()) {
      take(call_->take());
      call_.reset();
    }
    if (call_ || now - asked_ < every_) return;
    asked_ = now;
    auto const stage = std::make_shared<runtime::Stage>();
    call_.emplace("top", [flags = flags_, stage] { return ask(flags, *stage); });
  }
  void take(Asked asked) {
    trouble_ = asked ? "" : asked.error();
    if (!asked) return;
    answers_ = std::move(asked).value();
    came_ = Clock::now();
    show();
  }
  void show() { view_ = top_view(answers_, services_); }

  std::string below() const {
    std::string text = "q quit  arrows, page, home, end scroll  s canaryd's own tasks";
    auto const age = std::chrono::floor<std::chrono::seconds>(Clock::now() - came_);
    if (age < std::max<Clock::duration>(kSlow, every_ + kSlow)) return text;
    return "as of " + config::to_text(age) +
           " ago: " + (trouble_.empty() ? "canaryd does not answer" : trouble_) + "  |  " + text;
  }
  void draw(Terminal& terminal) {
    auto lines = view_.head;
    std::size_t const room = terminal.rows() - std::min(terminal.rows(), lines.size() + 1);
    last_ = view_.body.size() - std::min(view_.body.size(), room);
    from_ = std::min(from_, last_);
    for (std::size_t i = from_; i < view_.body.size() && i < from_ + room; ++i) {
      lines.push_back(view_.body[i]);
    }
    terminal.draw(lines, below());
  }
  void obey(Key key, std::size_t rows) {
    std::size_t const page = std::max<std::size_t>(1, rows / 2);
    if (key == Key::down) from_ += 1;
    if (key == Key::page_down) from_ += page;
    if (key == Key::up) from_ -= std::min<std::size_t>(from_, 1);
    if (key == Key::page_up) from_ -= std::min(from_, page);
    if (key == Key::home) from_ = 0;
    if (key == Key::end) from_ = last_;
    if (key != Key::services) return;
    services_ = !services_;
    show();
  }

  DaemonFlags const flags_;
  std::chrono::milliseconds const every_;
  TopAnswers answers_;
  TopView view_;
  std::string trouble_;
  Clock::time_point asked_ = Clock::now(), came_ = Clock::now();
  std::optional<runtime::Aside<Asked>> call_;
  std::size_t from_ = 0, last_ = 0;  // of the body: the first line shown, and the furthest
  bool services_ = false;
};

int top(DaemonFlags const& flags, std::chrono::milliseconds every) {
  auto const shown = std::make_shared<Top>(flags, every);
  int const begun = run_bounded(
      {.command = "canaryd top", .limit = kAnswersWithin, .code = kExitUnknown},
      [shown](runtime::Stage& stage) { return shown->begin(stage) ? 0 : kExitUnknown; });
  if (begun != 0) return begun;
  std::signal(SIGHUP, [](int) { hung_up = 1; });
  runtime::StopOnSignal const stop{0};
  auto terminal = Terminal::open(output_wants_colour());
  if (!terminal) {
    std::fprintf(stderr, "canaryd top: %s\n", terminal.error().c_str());
    return kUnfit;
  }
  shown->run(*terminal.value(), stop.token());
  return 0;
}

}  // namespace

void add_top_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "top", "What the running canaryd is at, live: runs, their stacks, probes, lag");
  auto const flags = std::make_shared<DaemonFlags>();
  auto const every = std::make_shared<std::string>("2s");
  add_daemon_flags(*command, *flags);
  command->add_option("--every", *every, "How often canaryd is asked, from 200ms to 1h")
      ->capture_default_str();
  command->footer(
      "Needs a terminal. q or Ctrl-C leaves, arrows scroll, s shows canaryd's own tasks, too. "
      "Coloured, unless NO_COLOR is set.");
  command->callback([flags, every, &chosen] {
    auto const span = config::parse_duration(*every);
    if (!span || span.value() < 200ms || span.value() > 1h) {
      throw CLI::ValidationError{"--every", "expected from 200ms to 1h, got " + *every};
    }
    chosen = [flags, span = std::chrono::milliseconds{span.value()}] { return top(*flags, span); };
  });
}

}  // namespace canary::daemon
