// SPDX-License-Identifier: Apache-2.0
// What `canaryd top` shows, as lines: what hangs, how the loop turns, every run that goes on with
// its stack, and the probes, the worst first.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

namespace canary::daemon {

enum class Style : std::uint8_t { plain, heading, muted, ok, warning, critical, unknown, hang };

struct TopLine {
  std::string text;  // harmless
  Style style = Style::plain;
  std::size_t styled = std::string::npos;  // so many bytes from its beginning
};

// Of /api/v1/hangs, /api/v1/probes and /api/v1/executor.
struct TopAnswers {
  boost::json::value hangs, probes, executor;
};

struct TopView {
  std::vector<TopLine> head;  // stays
  std::vector<TopLine> body;  // may be longer than the terminal
};

// `services`: canaryd's own tasks on the loop, too. Throws for JSON of another shape.
TopView top_view(TopAnswers const& answers, bool services);

// As much of a text in UTF-8 as fits into so many columns; in a terminal without UTF-8 with '?' for
// what is not ASCII.
std::string fitted(std::string const& text, std::size_t columns, bool utf8);

}  // namespace canary::daemon
