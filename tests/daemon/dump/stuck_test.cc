// SPDX-License-Identifier: Apache-2.0
// Each way to hang, dumped by the hanging process itself and read from outside: the text must name
// the function, the file and the line.
#include <string_view>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include "daemon/dump/capture/capture.h"
#include "daemon/dump/helper/work.h"
#include "daemon/dump/render/render.h"
#include "daemon/dump/render/text_lines.h"
#include "daemon/text/system_calls.h"
#include "tests/daemon/dump/stuck_child.h"
#include "tests/support/read_file.h"
#include "tests/support/sanitizer.h"

namespace canary::dump {
namespace {

using ::testing::HasSubstr;

// ThreadSanitizer hands a signal over at the next call that it knows: a thread that computes never
// answers there, and the helper has to look at it from outside.
constexpr bool kSignalsDelayed = support::kThreadSanitizer;

constexpr char const* kDelayed = "ThreadSanitizer runs the handler inside itself, later";

struct Way {
  char const* name;
  char const* function;
  bool answers = true;  // the signal
};

class StuckIn : public ::testing::TestWithParam<Way> {};

std::string first_lines(std::string const& text, int count) {
  std::size_t at = 0;
  for (; count > 0 && at != std::string::npos; --count) at = text.find('\n', at + 1);
  return text.substr(0, at);
}

TEST_P(StuckIn, IsNamedWithFunctionFileAndLineInTheFirstTenLines) {
  Way const way = GetParam();
  if (kSignalsDelayed && std::string_view{way.name} == "vdso") GTEST_SKIP() << kDelayed;
  TempDirectory const directory;
  StuckChild child{{CANARY_STUCK_PROGRAM, way.name, directory.path()}};
  auto values = child.read_until("STACK_MS");
  ASSERT_FALSE(values["DUMP"].empty()) << "the child wrote no dump";
  Work work{{.runtime = directory.path()}};

  auto const document = work.read(values["DUMP"]);

  std::string const text = render_text(document);
  SCOPED_TRACE(text);
  ASSERT_FALSE(document.stacks.empty());
  NativeFrame const* const culprit = culprit_frame(document);
  ASSERT_NE(culprit, nullptr);
  EXPECT_THAT(culprit->function, HasSubstr(way.function));
  EXPECT_EQ(culprit->file, "tests/daemon/dump/stuck_program.cc");
  EXPECT_EQ(std::to_string(culprit->line), values["LINE"]);
  EXPECT_THAT(first_lines(text, 10),
              HasSubstr("tests/daemon/dump/stuck_program.cc:" + values["LINE"]));
  EXPECT_TRUE(document.stacks.front().complete) << document.stacks.front().note;
  if (!kSignalsDelayed) {
    EXPECT_EQ(document.stacks.front().raw.source == Capture::handler, way.answers);
  }
  EXPECT_THAT(support::read_file(values["TEXT"]), HasSubstr("PENDING OPERATIONS"));
  boost::json::error_code error;
  boost::json::parse(render_json(document), error);
  EXPECT_FALSE(error) << error.message();
}

INSTANTIATE_TEST_SUITE_P(
    Ways, StuckIn,
    ::testing::Values(Way{"sleep", "stuck_in_sleep"}, Way{"mutex", "stuck_in_mutex"},
                      Way{"pipe_read", "stuck_in_pipe_read"}, Way{"vdso", "stuck_in_vdso"},
                      Way{"recursion", "stuck_in_recursion"}, Way{"poll", "stuck_in_poll"},
                      Way{"condition", "stuck_in_condition"}, Way{"linker", "hang_in_linker"},
                      Way{"coroutine", "innermost"},
                      Way{"signals_blocked", "stuck_with_signals_blocked", false},
                      Way{"spinning_signals_blocked", "stuck_spinning_with_signals_blocked",
                          false}),
    [](auto const& info) { return std::string{info.param.name}; });

// Loops in which each sample may be on another line, or in a callee: the function is what counts.
class SpinningIn : public ::testing::TestWithParam<Way> {};

TEST_P(SpinningIn, IsNamedByItsFunctionWithFileAndLine) {
  Way const way = GetParam();
  if (kSignalsDelayed && std::string_view{way.name} != "inlined_loop") GTEST_SKIP() << kDelayed;
  TempDirectory const directory;
  StuckChild child{{CANARY_STUCK_PROGRAM, way.name, directory.path()}};
  auto values = child.read_until("STACK_MS");
  ASSERT_FALSE(values["DUMP"].empty()) << "the child wrote no dump";
  Work work{{.runtime = directory.path()}};

  auto const document = work.read(values["DUMP"]);

  SCOPED_TRACE(render_text(document));
  ASSERT_FALSE(document.stacks.empty());
  bool named = false;
  for (auto const& frame : document.stacks.front().frames) {
    named = named || (frame.function.find(way.function) != std::string::npos &&
                      frame.file == "tests/daemon/dump/stuck_program.cc" && frame.line > 0);
  }
  EXPECT_TRUE(named);
  EXPECT_TRUE(document.stacks.front().complete) << document.stacks.front().note;
}

INSTANTIATE_TEST_SUITE_P(Ways, SpinningIn,
                         ::testing::Values(Way{"inlined_loop", "inlined_spin"},
                                           Way{"malloc", "stuck_in_malloc"},
                                           Way{"throw", "stuck_in_throw"},
                                           Way{"dlopen", "stuck_in_dlopen"}),
                         [](auto const& info) { return std::string{info.param.name}; });

TEST(StuckRun, ShowsItsLogicalStackBesideTheNativeOne) {
  TempDirectory const directory;
  StuckChild child{{CANARY_STUCK_PROGRAM, "coroutine", directory.path()}};
  auto values = child.read_until("STACK_MS");
  Work work{{.runtime = directory.path()}};

  auto const document = work.read(values["DUMP"]);

  std::string const text = render_text(document);
  EXPECT_THAT(text, HasSubstr("sigstore > tuf.refresh > tuf.timestamp(timestamp.json)"));
  EXPECT_THAT(support::read_file(values["TEXT"]),
              HasSubstr("sigstore > tuf.refresh > tuf.timestamp(timestamp.json)"));
}

TEST(Unwinding, SurvivesRegistersThatPointNowhere) {
  for (std::uint64_t const garbage : {~std::uint64_t{0}, ~std::uint64_t{7}, std::uint64_t{0},
                                      std::uint64_t{1} << 47, std::uint64_t{0x1000}}) {
    HeldFiles const none;
    AddressSpace space{support::read_file("/proc/self/maps"), ::getpid(), 0, none};
    NativeStack stack;
    stack.raw.known = (1U << kRegisters) - 1;
    stack.raw.registers.fill(garbage);
    stack.raw.registers[kRegisterCode] = reinterpret_cast<std::uintptr_t>(&system_call_text) + 8;
    stack.raw.stack_start = 0x1000;
    stack.bytes.resize(64);

    space.unwind(stack, false);

    EXPECT_FALSE(stack.frames.empty());
    EXPECT_FALSE(stack.complete);
  }
}

class StuckAndGone : public ::testing::TestWithParam<char const*> {};

TEST_P(StuckAndGone, IsNamedFromTheDumpAlone) {
  TempDirectory const directory;
  std::map<std::string, std::string> values;
  {
    StuckChild child{{CANARY_STUCK_PROGRAM, GetParam(), directory.path()}};
    values = child.read_until("STACK_MS");
  }
  Work work{{.runtime = directory.path()}};

  auto const document = work.read(values["DUMP"]);

  NativeFrame const* const culprit = culprit_frame(document);
  ASSERT_NE(culprit, nullptr) << render_text(document);
  EXPECT_EQ(std::to_string(culprit->line), values["LINE"]);
}

INSTANTIATE_TEST_SUITE_P(Ways, StuckAndGone,
                         ::testing::Values("sleep", "recursion", "signals_blocked"),
                         [](auto const& info) { return std::string{info.param}; });

}  // namespace
}  // namespace canary::dump
