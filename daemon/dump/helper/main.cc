// SPDX-License-Identifier: Apache-2.0
// canaryd-dump-helper: reads paths of raw dumps from its standard input, a line each, and makes
// them readable; answers '+' or '-' for each. With a file as its argument it prints that one.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "daemon/dump/helper/work.h"
#include "daemon/dump/render/render.h"
#include "runtime/limits.h"

namespace {

using canary::dump::Work;
using canary::dump::WorkPlace;

constexpr char const* kUsage =
    "usage: canaryd-dump-helper [--json] FILE.raw\n"
    "       canaryd-dump-helper --runtime DIR [--state DIR] [--keep N] [--keep-bytes N]\n"
    "The first prints a raw dump as text (or JSON). The second is for canaryd itself: it reads\n"
    "paths of raw dumps from standard input and writes .txt and .json beside them.\n";

struct Arguments {
  WorkPlace place;
  std::string file;
  bool json = false, good = true;
};

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    std::string_view const word = words[i];
    auto const value = [&]() -> std::string {
      arguments.good = arguments.good && i + 1 < count;
      return i + 1 < count ? words[++i] : "";
    };
    auto const number = [&](auto& into) {
      std::string const text = value();
      auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
      arguments.good = arguments.good && error == std::errc{} && end == text.data() + text.size();
    };
    if (word == "--runtime") {
      arguments.place.runtime = value();
    } else if (word == "--state") {
      arguments.place.state = value();
    } else if (word == "--keep") {
      number(arguments.place.limits.keep);
    } else if (word == "--keep-bytes") {
      number(arguments.place.limits.keep_bytes);
    } else if (word == "--json") {
      arguments.json = true;
    } else if (!word.starts_with("-") && arguments.file.empty()) {
      arguments.file = word;
    } else {
      arguments.good = false;
    }
  }
  arguments.good = arguments.good && arguments.file.empty() != arguments.place.runtime.empty();
  return arguments;
}

void answer(char sign) {
  while (::write(1, &sign, 1) < 0 && errno == EINTR) {
  }
}

void complain(std::string const& text) {
  std::string const line = "canaryd-dump-helper: " + text + "\n";
  [[maybe_unused]] auto const written = ::write(2, line.data(), line.size());
}

void finish(Work& work, std::string const& path) {
  std::string trouble;
  try {
    trouble = work.finish(path);
  } catch (std::exception const& error) {
    trouble = "cannot finish " + path + ": " + error.what();
  }
  if (!trouble.empty()) complain(trouble);
  answer(trouble.empty() ? '+' : '-');
}

// Ends when the daemon does: it holds the other end of standard input.
void serve(Work& work) {
  work.finish_leftovers();
  std::string pending;
  std::array<char, 4'096> part{};
  for (;;) {
    ssize_t const size = ::read(0, part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    pending.append(part.data(), static_cast<std::size_t>(size));
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      std::string const path = pending.substr(0, end);
      pending.erase(0, end + 1);
      finish(work, path);
    }
  }
}

int run(int count, char** words) {
  Arguments const arguments = parse(count, words);
  if (!arguments.good) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  // Debug information is not to be fetched over a network in the midst of an incident.
  ::unsetenv("DEBUGINFOD_URLS");
  if (!arguments.file.empty()) {
    Work work{{}};
    auto const document = work.read(arguments.file);
    std::string const text =
        arguments.json ? canary::dump::render_json(document) : canary::dump::render_text(document);
    bool const written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if (!written || std::fflush(stdout) != 0) {
      complain("cannot write to standard output: " + canary::runtime::explain(errno));
      return 1;
    }
    return document.about.process == 0 ? 1 : 0;
  }
  // The daemon's abort reaches the whole unit; what it was aborted for is still to be written.
  for (int const signal : {SIGABRT, SIGTERM, SIGINT, SIGHUP, SIGPIPE}) std::signal(signal, SIG_IGN);
  ::prctl(PR_SET_NAME, "dump-helper");
  ::umask(0077);
  ::fcntl(1, F_SETFL, O_NONBLOCK);
  Work work{arguments.place};
  work.hold_files_of(::getppid());
  serve(work);
  return 0;
}

}  // namespace

int main(int count, char** words) { return canary::runtime::run_prepared(&run, count, words); }
