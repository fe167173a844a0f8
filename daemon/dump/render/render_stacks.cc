// SPDX-License-Identifier: Apache-2.0
// The native stacks of a dump as text.
#include <algorithm>
#include <array>
#include <cstdio>

#include "daemon/dump/capture/capture.h"
#include "daemon/dump/render/text_lines.h"
#include "daemon/dump/render/text_page.h"

namespace canary::dump {
namespace {

// Of a native stack; the middle of deeper ones is left out.
constexpr std::size_t kFramesShown = 64;

// Deep recursion: the first and the last frames tell the story.
void frames(TextPage& page, NativeStack const& stack, std::size_t from = 0) {
  std::size_t const count = stack.frames.size();
  for (std::size_t i = from; i < count; ++i) {
    if (count > kFramesShown && i == kFramesShown / 2) {
      std::size_t const left_out = count - kFramesShown;
      page.line("       … " + std::to_string(left_out) + " frames left out …");
      i += left_out;
    }
    auto const& frame = stack.frames[i];
    std::array<char, 16> number{};
    std::snprintf(number.data(), number.size(), "  %4zu  ", i);
    std::string text = number.data();
    text += frame.function.empty() ? hex_text(frame.address) : short_function(frame.function);
    if (frame.inlined) text += "  [inlined]";
    to_column(text, 56);
    if (!frame.file.empty()) {
      text += frame.file + ":" + std::to_string(frame.line);
    } else if (!frame.module.empty()) {
      text += frame.module + "+" + hex_text(frame.offset);
    }
    page.line(text);
  }
}

std::string source_text(NativeStack const& stack) {
  switch (static_cast<Capture::Source>(stack.raw.source)) {
    case Capture::handler:
      return "copied by the thread itself, " + std::to_string(stack.raw.waited_ns / 1000) +
             " µs after it was asked";
    case Capture::system_call:
      return "from /proc: it did not answer the signal";
    case Capture::unsupported:
      return "this canaryd copies stacks on x86-64 alone";
    case Capture::none:
      break;
  }
  return "it did not answer the signal and was not asleep";
}

void stack_title(TextPage& page, char const* title_text, NativeStack const& stack) {
  page.title(std::string{title_text} + "  thread " + page.thread_text(stack.raw.thread));
  std::string text = "  (" + source_text(stack);
  if (!stack.note.empty()) text += "; " + stack.note;
  page.line(text + ")");
}

// Only the frames above those that both samples share.
void later_sample(TextPage& page, NativeStack const& before, NativeStack const& stack,
                  std::size_t sample) {
  std::size_t shared = 0;
  while (shared < stack.frames.size() && shared < before.frames.size() &&
         stack.frames[stack.frames.size() - 1 - shared].address ==
             before.frames[before.frames.size() - 1 - shared].address) {
    ++shared;
  }
  std::string const name = "  sample " + std::to_string(sample) + ", " +
                           span_text(stack.raw.taken_ns - before.raw.taken_ns) + " later: ";
  std::size_t const own = stack.frames.size() - shared;
  if (own == 0 && before.frames.size() == shared) {
    page.line(name + "the same");
    return;
  }
  page.line(name + "above the " + std::to_string(shared) + " outermost frames");
  NativeStack top;
  top.frames.assign(stack.frames.begin(), stack.frames.begin() + static_cast<std::ptrdiff_t>(own));
  frames(page, top);
}

}  // namespace

void put_culprit_stack(TextPage& page) {
  NativeStack const* before = nullptr;
  std::size_t sample = 0;
  for (auto const& stack : page.document().stacks) {
    if (stack.raw.culprit == 0) continue;
    ++sample;
    if (before == nullptr) {
      stack_title(page, "NATIVE STACK", stack);
      frames(page, stack);
    } else {
      later_sample(page, *before, stack, sample);
    }
    before = &stack;
  }
}

void put_other_stacks(TextPage& page) {
  for (auto const& stack : page.document().stacks) {
    if (stack.raw.culprit != 0) continue;
    stack_title(page, "STACK", stack);
    frames(page, stack);
  }
}

}  // namespace canary::dump
