// SPDX-License-Identifier: Apache-2.0
// The page that a dump is rendered on as text, and what its parts write there.
// Thread: none (pure).
#pragma once

#include <string>
#include <string_view>

#include "daemon/dump/read/document.h"

namespace canary::dump {

class TextPage {
 public:
  explicit TextPage(DumpDocument const& document) : document_(document) {}

  void title(std::string_view text) { (out_ += '\n').append(text) += '\n'; }
  void line(std::string_view text) { out_.append(text) += '\n'; }
  void field(std::string_view name, std::string const& value);  // "  thread    4711 loop"
  void text(std::string_view text) { out_.append(text); }       // as it is
  bool at_line_start() const { return out_.empty() || out_.back() == '\n'; }
  std::string take() { return std::move(out_); }

  DumpDocument const& document() const { return document_; }
  std::string thread_text(std::int32_t thread) const;  // "4711 loop, sleeping in futex"

 private:
  DumpDocument const& document_;
  std::string out_;
};

// Untrusted text on one line of a terminal.
std::string plain(std::string_view text);
// Pads to `column`, two blanks at least.
void to_column(std::string& line, std::size_t column);
std::string handler_text(HandlerState const& handler);
std::string state_text(ThreadSample const& thread);

// render_stacks.cc
void put_culprit_stack(TextPage& page);
void put_other_stacks(TextPage& page);
// render_tables.cc; where document().has_executor
void put_runs(TextPage& page);
void put_operations(TextPage& page);
void put_lag(TextPage& page);
void put_longest(TextPage& page);

}  // namespace canary::dump
