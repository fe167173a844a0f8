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

#include "daemon/metrics/metric.h"

namespace canary::watchdog {

class PageText {
 public:
  explicit PageText(std::span<char> room) : room_(room) {}

  // "# HELP …" and "# TYPE …". `metric` outlives its series.
  PageText& family(metrics::Metric const& metric);
  // A series of that family: the values of its labels in the order of their names, then its own.
  PageText& series(std::string_view suffix = {});
  PageText& label(std::string_view value);
  PageText& bucket(std::string_view bound);  // "le", after the labels
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
  void pair(std::string_view name, std::string_view value);

  metrics::Metric const* metric_ = nullptr;
  std::size_t labels_ = 0;  // that the series has so far
};

}  // namespace canary::watchdog
