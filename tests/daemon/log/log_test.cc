// SPDX-License-Identifier: Apache-2.0
// Lines of the log, and what happens when nobody reads them.
#include "daemon/log/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/log/destination.h"
#include "daemon/log/line_format.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using config::LogFormat;
using config::LogLevel;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    close_reader();
    ::close(ends_[1]);
  }
  int writer() const { return ends_[1]; }
  void close_reader() {
    if (ends_[0] >= 0) ::close(std::exchange(ends_[0], -1));
  }
  void fill() {
    ASSERT_EQ(::fcntl(ends_[1], F_SETFL, O_NONBLOCK), 0);
    std::array<char, 4096> const blanks{};
    while (::write(ends_[1], blanks.data(), blanks.size()) > 0) {
    }
    ASSERT_EQ(::fcntl(ends_[1], F_SETFL, 0), 0);
  }
  // What is in the pipe now; waits for nothing.
  std::string drain() {
    std::string text;
    std::array<char, 65536> buffer;
    pollfd readable{.fd = ends_[0], .events = POLLIN, .revents = 0};
    while (::poll(&readable, 1, 0) > 0) {
      auto const size = ::read(ends_[0], buffer.data(), buffer.size());
      if (size <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text;
  }
  std::vector<std::string> lines() {
    std::vector<std::string> result;
    std::istringstream text{drain()};
    for (std::string line; std::getline(text, line);) result.push_back(line);
    return result;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

config::LogSettings settings(LogFormat format, LogLevel level = LogLevel::info) {
  return {.level = level, .format = format};
}

std::string formatted(LogFormat format, std::string_view message, LogFields fields,
                      std::size_t space = 2000) {
  std::vector<char> packed(space);
  packed.resize(pack_line(packed, message, fields));
  std::string out;
  append_line(out, format, LogLevel::warn, packed);
  return out;
}

TEST(LogLine, IsASentenceWithFields) {
  EXPECT_EQ(
      formatted(
          LogFormat::logfmt, "probe changed state",
          {{"probe", "demo"}, {"from", "ok"}, {"to", "critical"}, {"detail", "timestamp 41 < 42"}}),
      "level=warn msg=\"probe changed state\" probe=demo from=ok to=critical "
      "detail=\"timestamp 41 < 42\"");
}

TEST(LogLine, KeepsTheKindOfAValueInJson) {
  EXPECT_EQ(formatted(LogFormat::json, "kinds",
                      {{"text", "1"},
                       {"count", 42},
                       {"negative", std::int64_t{-7}},
                       {"rate", 0.25},
                       {"yes", true},
                       {"took", 1500ms}}),
            R"("level":"warn","msg":"kinds","text":"1","count":42,"negative":-7,"rate":0.25,)"
            R"("yes":true,"took":1.5)");
}

TEST(LogLine, StaysJsonWithANumberThatJsonDoesNotHave) {
  EXPECT_THAT(formatted(LogFormat::json, "m", {{"rate", std::numeric_limits<double>::infinity()}}),
              EndsWith(R"("rate":"inf")"));
}

TEST(LogLine, CutsWhatIsTooLongAndSaysSo) {
  std::string const long_text(5000, 'x');
  auto const message = formatted(LogFormat::logfmt, long_text, {{"probe", "demo"}}, 200);
  auto const value =
      formatted(LogFormat::logfmt, "m", {{"detail", long_text}, {"after", "lost"}}, 200);

  EXPECT_THAT(message, MatchesRegex("level=warn msg=x+ cut=true"));
  EXPECT_THAT(value, MatchesRegex("level=warn msg=m detail=x+ cut=true"));
  EXPECT_LT(value.size(), 250u);
}

std::string written(Destination destination, LogLevel level, std::string_view line) {
  std::string out = "of before";
  write_for(destination, level, line, out);
  return out;
}

TEST(LogLine, BeginsWithItsPriorityInTheJournal) {
  EXPECT_EQ(written(Destination::journal, LogLevel::debug, "a\n"), "<7>a\n");
  EXPECT_EQ(written(Destination::journal, LogLevel::info, "a\n"), "<6>a\n");
  EXPECT_EQ(written(Destination::journal, LogLevel::warn, "a\n"), "<4>a\n");
  EXPECT_EQ(written(Destination::journal, LogLevel::error, "a\n"), "<3>a\n");
  EXPECT_EQ(written(Destination::plain, LogLevel::error, "a\n"), "a\n");
}

TEST(LogLine, HasItsLevelInColourOnATerminal) {
  std::string_view const line = "ts=1 level=warn msg=\"no level=warn here\"\n";
  EXPECT_EQ(written(Destination::terminal, LogLevel::warn, line),
            "ts=1 \033[33mlevel=warn\033[0m msg=\"no level=warn here\"\n");
  EXPECT_EQ(written(Destination::terminal, LogLevel::info, "level=info\n"), "level=info\n");
  EXPECT_EQ(written(Destination::terminal, LogLevel::warn, "{\"level\":\"warn\"}\n"),
            "{\"level\":\"warn\"}\n");
}

TEST(LogDestination, IsTheJournalOnlyWhereTheDescriptorIs) {
  Pipe journal, other;
  struct stat file{};
  ASSERT_EQ(::fstat(journal.writer(), &file), 0);
  auto const named = std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
  EXPECT_EQ(destination_of(journal.writer(), named.c_str(), true), Destination::journal);
  // Inherited by a program whose stderr was led elsewhere.
  EXPECT_EQ(destination_of(other.writer(), named.c_str(), true), Destination::plain);
  EXPECT_EQ(destination_of(journal.writer(), nullptr, true), Destination::plain);
  EXPECT_EQ(destination_of(-1, named.c_str(), true), Destination::plain);
}

TEST(LogDestination, IsATerminalUnlessColourIsUnwanted) {
  int const terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  EXPECT_EQ(destination_of(terminal, nullptr, true), Destination::terminal);
  EXPECT_EQ(destination_of(terminal, nullptr, false), Destination::plain);
  ::close(terminal);
}

TEST(LogLine, FitsWhateverTheSpace) {
  std::string const text(90, 'y');
  for (std::size_t space = 64; space < 400; ++space) {
    auto const line =
        formatted(LogFormat::json, text, {{"key", text}, {"n", 1}, {"k", text}}, space);
    boost::json::error_code error;
    boost::json::parse("{" + line + "}", error);
    EXPECT_FALSE(error) << space << ": " << line;
  }
}

TEST(Log, WritesLogfmtWithTheTimeInUtc) {
  Pipe pipe;
  {
    Log log{settings(LogFormat::logfmt), pipe.writer()};
    log.info("started", {{"version", "1.0"}});
  }
  EXPECT_THAT(pipe.lines(),
              ElementsAre(MatchesRegex("ts=20[0-9-]+T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
                                       "level=info msg=started version=1\\.0")));
}

TEST(Log, WritesJsonLinesThatParseWhateverTheTextIs) {
  Pipe pipe;
  std::string hostile;
  for (int c = 0; c < 256; ++c) hostile += static_cast<char>(c);
  {
    Log log{settings(LogFormat::json), pipe.writer()};
    log.error("bad %v {} answer\n", {{"detail", hostile}});
  }
  auto const lines = pipe.lines();
  ASSERT_THAT(lines, SizeIs(1));
  auto const object = boost::json::parse(lines.front()).as_object();
  EXPECT_EQ(object.at("level").as_string(), "error");
  EXPECT_EQ(object.at("msg").as_string(), "bad %v {} answer\\n");
  EXPECT_THAT(std::string{object.at("detail").as_string()}, HasSubstr("ABC"));
  EXPECT_THAT(std::string{object.at("ts").as_string()}, EndsWith("Z"));
}

TEST(Log, LeavesOutWhatIsBelowItsLevelAndCanBeReconfigured) {
  Pipe pipe;
  {
    Log log{settings(LogFormat::logfmt, LogLevel::warn), pipe.writer()};
    log.info("too quiet");
    log.warn("first");
    EXPECT_FALSE(log.enabled(LogLevel::debug));
    log.configure(settings(LogFormat::json, LogLevel::debug));
    log.debug("second");
  }
  EXPECT_THAT(pipe.lines(),
              ElementsAre(HasSubstr("level=warn msg=first"), HasSubstr(R"("msg":"second")")));
}

TEST(Log, KeepsTheOrderOfAThreadAndLosesNothingWhileItIsRead) {
  constexpr int kThreads = 4;
  constexpr int kLines = 200;  // all fit into the ring
  Pipe pipe;
  std::vector<std::string> lines;
  {
    Log log{settings(LogFormat::logfmt), pipe.writer()};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < kLines; ++i) log.info("line", {{"thread", t}, {"number", i}});
      });
    }
    for (auto& thread : threads) thread.join();
    while (!log.flush(1ms)) {
      for (auto& line : pipe.lines()) lines.push_back(std::move(line));
    }
    EXPECT_EQ(log.dropped(), 0u);
  }
  for (auto& line : pipe.lines()) lines.push_back(std::move(line));

  ASSERT_THAT(lines, SizeIs(kThreads * kLines));
  std::array<int, kThreads> next{};
  for (auto const& line : lines) {
    auto const thread = std::stoi(line.substr(line.find("thread=") + 7));
    EXPECT_EQ(std::stoi(line.substr(line.find("number=") + 7)), next[thread]++) << line;
  }
}

TEST(Log, DropsAndCountsLinesWhileItsPipeIsFullAndReportsThemOnceItDrains) {
  Pipe pipe;
  pipe.fill();
  Log log{settings(LogFormat::logfmt), pipe.writer()};

  // The caller is never held up: this loop ends although nobody reads.
  constexpr std::uint64_t kLines = 3 * Log::kRingLines;
  for (std::uint64_t i = 0; i < kLines; ++i) log.info("line", {{"number", i}});

  auto const dropped = log.dropped();
  EXPECT_GT(dropped, kLines - Log::kRingLines - 10);
  EXPECT_FALSE(log.flush(10ms));

  std::string text;
  std::string const report = "dropped=" + std::to_string(dropped) + " ";
  auto const give_up = std::chrono::steady_clock::now() + 60s;
  while (text.find(report) == std::string::npos && std::chrono::steady_clock::now() < give_up) {
    text += pipe.drain();
  }
  EXPECT_THAT(text, HasSubstr("level=warn msg=\"log lines were dropped"));
  EXPECT_THAT(text, HasSubstr(report));
  EXPECT_TRUE(log.flush(60s));
}

TEST(Log, EndsInTimeWhileItsPipeIsFull) {
  Pipe pipe;
  pipe.fill();
  std::optional<Log> log{std::in_place, settings(LogFormat::logfmt), pipe.writer()};
  log->stop_within(20ms);
  log->info("nobody will read this");
  log.reset();  // the test's own time limit is what fails here
  EXPECT_THAT(pipe.drain(), Not(HasSubstr("nobody")));
}

TEST(Log, SurvivesThatItsReaderIsGone) {
  Pipe pipe;
  Log log{settings(LogFormat::logfmt), pipe.writer()};
  pipe.close_reader();
  log.info("into the void");
  EXPECT_TRUE(log.flush(60s));
  EXPECT_EQ(log.dropped(), 1u);
}

TEST(Log, KeepsItsLastLinesReadable) {
  Pipe pipe;
  Log log{settings(LogFormat::logfmt), pipe.writer()};
  std::string const long_text(2 * Log::kRecentBytes, 'z');
  constexpr int kLines = static_cast<int>(Log::kRecentLines) + 10;
  for (int i = 0; i < kLines; ++i) log.info("line", {{"number", i}});
  log.info(long_text);
  while (!log.flush(1ms)) pipe.drain();

  auto const last = log.recent(2);
  ASSERT_THAT(last, SizeIs(2));
  EXPECT_THAT(last[0], EndsWith("number=" + std::to_string(kLines - 1)));
  EXPECT_THAT(last[1], SizeIs(Log::kRecentBytes));
  EXPECT_THAT(log.recent(100'000), SizeIs(Log::kRecentLines));

  std::string copied(Log::kRecentBytes + 200, '#');
  std::size_t const size = log.copy_recent(copied);
  std::string const text = copied.substr(0, size);
  EXPECT_THAT(text, ::testing::HasSubstr("number=" + std::to_string(kLines - 1) + "\n"));
  EXPECT_THAT(text, EndsWith("z\n"));
  EXPECT_EQ(copied.substr(size), std::string(copied.size() - size, '#'));
}

}  // namespace
}  // namespace canary::daemon
