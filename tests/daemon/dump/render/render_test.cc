// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/render/render.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include "daemon/dump/capture/capture.h"
#include "daemon/dump/render/text_lines.h"

namespace canary::dump {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A probe that waits for bytes that never come.
DumpDocument stalled_run() {
  DumpDocument document;
  document.text = [](runtime::TextOffset) { return std::string{}; };
  document.about.process = 4711;
  document.about.number = 12;
  std::string_view const program = "/usr/bin/canaryd";
  program.copy(document.about.program.data(), program.size());
  watchdog::Incident incident{.id = 12,
                              .subject = watchdog::Subject::run,
                              .level = watchdog::Level::stalled,
                              .verdict = watchdog::Verdict::stalled_run,
                              .run = 3,
                              .age_ns = 41'200'000'000};
  std::string_view const name = "sigstore";
  name.copy(incident.name.data(), name.size());
  document.incidents = {incident};
  document.has_executor = true;
  RunState run{.index = 3, .name = "sigstore", .age_ns = 50'000'000'000};
  run.frames = {
      {.name = "tuf.timestamp", .place = {"probes/tuf/refresh.cc", "", 30}, .index = 0, .depth = 1},
      {.name = "http.read",
       .detail = "example.com",
       .place = {"probes/fetch/client.cc", "", 88},
       .wait = true,
       .index = 1,
       .depth = 2,
       .age_ns = 41'200'000'000}};
  document.executor.runs = {run};
  return document;
}

std::string first_lines(std::string const& text, int count) {
  std::size_t at = 0;
  for (; count > 0 && at != std::string::npos; --count) at = text.find('\n', at + 1);
  return text.substr(0, at);
}

// Taken where canaryd copies no stacks; it may be read where it does.
TEST(Render, SaysOfAStackThatTheArchitectureHasNone) {
  auto document = stalled_run();
  NativeStack stack;
  stack.raw.thread = 4711;
  stack.raw.culprit = 1;
  stack.raw.source = Capture::unsupported;
  document.stacks = {stack};

  std::string const text = render_text(document);
  auto const object = boost::json::parse(render_json(document));

  EXPECT_THAT(text, HasSubstr("(this canaryd copies stacks on x86-64 alone)"));
  EXPECT_THAT(text, Not(HasSubstr("did not answer")));
  EXPECT_EQ(object.at_pointer("/stacks/0/source").as_string(), "unsupported");
}

TEST(RenderText, SaysWhoWhatWhereAndSinceWhenFirst) {
  std::string const text = first_lines(render_text(stalled_run()), 10);

  EXPECT_THAT(text, HasSubstr("run sigstore stalled for 41.2 s: stalled_run"));
  EXPECT_THAT(text, HasSubstr("sigstore > tuf.timestamp > http.read(example.com)  41.2 s  "
                              "probes/fetch/client.cc:88"));
}

TEST(RenderText, PointsOutAWaitThatNothingCanWake) {
  auto document = stalled_run();
  EXPECT_THAT(render_text(document), HasSubstr("NOTHING PENDING WAKES IT"));

  document.executor.runs[0].frames[1].waited_for = true;

  EXPECT_THAT(render_text(document), Not(HasSubstr("NOTHING PENDING WAKES IT")));
}

TEST(RenderText, LeavesOutTheMiddleOfADeepStack) {
  auto document = stalled_run();
  NativeStack stack;
  stack.raw.culprit = 1;
  for (int i = 0; i < 500; ++i) {
    stack.frames.push_back({.function = "f" + std::to_string(i)});
  }
  document.stacks = {stack};

  std::string const text = render_text(document);

  EXPECT_THAT(text, HasSubstr("f0"));
  EXPECT_THAT(text, HasSubstr("436 frames left out"));
  EXPECT_THAT(text, HasSubstr("f499"));
}

TEST(RenderText, ShowsHowTheLagBecameWhatItIs) {
  auto document = stalled_run();
  auto& loop = document.executor.loop;
  loop.lag_history.push_back({.ago_ns = 0, .beats = 0});
  loop.lag_history.push_back({.ago_ns = 3'000'000'000, .beats = 10, .worst_ns = 310'000'000});

  std::string const text = render_text(document);

  EXPECT_THAT(text, HasSubstr("    now           none    310 ms\n"));
}

TEST(RenderText, ShowsOnlyWhatDiffersInLaterSamples) {
  auto document = stalled_run();
  NativeStack first, second;
  first.raw.culprit = second.raw.culprit = 1;
  first.frames = {{.address = 1, .function = "inner"}, {.address = 2, .function = "outer"}};
  second.frames = {{.address = 9, .function = "other"}, {.address = 2, .function = "outer"}};
  document.stacks = {first, first, second};

  std::string const text = render_text(document);

  EXPECT_THAT(text, HasSubstr("sample 2, 0 ms later: the same"));
  EXPECT_THAT(text, HasSubstr("sample 3, 0 ms later: above the 1 outermost frames"));
}

TEST(RenderText, KeepsUntrustedControlCharactersFromTheTerminal) {
  auto document = stalled_run();
  document.log = {"evil \x1b[2J line"};

  EXPECT_THAT(render_text(document), Not(HasSubstr("\x1b")));
}

TEST(RenderJson, IsOneObjectThatProgramsCanRead) {
  auto document = stalled_run();
  document.log = {"not \xff utf-8"};

  auto const object = boost::json::parse(render_json(document)).as_object();

  EXPECT_EQ(object.at("incidents").at(0).at("verdict").as_string(), "stalled_run");
  EXPECT_EQ(object.at("runs").at(0).at("rows").at(1).at("chain").as_string(),
            "sigstore > tuf.timestamp > http.read(example.com)");
  EXPECT_DOUBLE_EQ(object.at("incidents").at(0).at("age_seconds").as_double(), 41.2);
}

TEST(RenderBoth, TakeADumpThatHasNothing) {
  DumpDocument document = read_dump({});

  EXPECT_THAT(render_text(document), HasSubstr("no raw dump"));
  EXPECT_TRUE(boost::json::parse(render_json(document)).is_object());
}

TEST(ShortFunction, DropsArgumentsOfTemplatesAndCalls) {
  EXPECT_EQ(short_function("void a::b<std::vector<int, c<(d)1> > >(int (*)(char), long) const"),
            "void a::b() const");
  EXPECT_EQ(short_function("a::(anonymous namespace)::f(int)"), "a::(anonymous namespace)::f()");
  EXPECT_EQ(short_function("h<int>::operator()(int)"), "h::operator()()");
  EXPECT_EQ(short_function("a::operator<<(b&)"), "a::operator<<()");
}

}  // namespace
}  // namespace canary::dump
