// SPDX-License-Identifier: Apache-2.0
// Prometheus' text format, written line by line into a fixed room: a line that does not fit is left
// out whole, and so is all that follows. Allocates nothing.
// Thread: none.
// Source: Prometheus text exposition format 0.0.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace canary::watchdog {

class PageText {
 public:
  explicit PageText(std::span<char> room) : room_(room) {}

  // "# HELP …" and "# TYPE …". The texts need no escaping.
  PageText& family(std::string_view type, std::string_view name, std::string_view help);
  // A series of that family: its labels, then its value.
  PageText& series(std::string_view suffix = {});
  PageText& label(std::string_view name, std::string_view value);
  void value(std::uint64_t number);
  void seconds(std::int64_t nanoseconds);  // negative ones as 0

  // A line of a comment: begin, add, end.
  PageText& comment();
  PageText& add(std::string_view text);  // line ends and control characters become blanks
  PageText& number(std::uint64_t number);
  PageText& tenths(std::int64_t nanoseconds);  // "12.3 s"
  void end();

  // Whole lines as they are.
  void lines(std::string_view text);

  std::size_t size() const { return size_; }
  std::string_view view() const { return {room_.data(), size_}; }
  bool cut() const { return full_; }  // not everything is there

 private:
  void put(std::string_view text);
  void put(char character);
  void digits(std::uint64_t number, int at_least);

  std::span<char> room_;
  std::size_t size_ = 0;   // of whole lines
  std::size_t write_ = 0;  // with the line being written
  bool full_ = false;
  bool labelled_ = false;
  std::string_view name_;
};

}  // namespace canary::watchdog
