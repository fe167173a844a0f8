// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/page_text.h"

namespace canary::watchdog {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

bool is_printable(char character) { return character >= ' ' && character <= '~'; }

}  // namespace

void PageText::put(char character) {
  if (write_ == room_.size()) {
    full_ = true;
    return;
  }
  room_.data()[write_++] = character;
}

void PageText::put(std::string_view text) {
  for (char const character : text) put(character);
}

void PageText::digits(std::uint64_t number, int at_least) {
  char reversed[20];
  int count = 0;
  while (number != 0 || count < at_least) {
    reversed[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  while (count > 0) put(reversed[--count]);
}

void PageText::end() {
  put('\n');
  if (full_) {
    write_ = size_;  // what does not fit whole is not there
  } else {
    size_ = write_;
  }
}

PageText& PageText::family(metrics::Metric const& metric) {
  metric_ = &metric;
  put("# HELP ");
  put(metric.name);
  put(' ');
  put(metric.help);
  put("\n# TYPE ");
  put(metric.name);
  put(' ');
  put(metrics::to_text(metric.type));
  end();
  return *this;
}

PageText& PageText::series(std::string_view suffix) {
  labels_ = 0;
  put(metric_->name);
  put(suffix);
  return *this;
}

PageText& PageText::label(std::string_view value) {
  pair(metric_->labels.data()[labels_], value);
  return *this;
}

PageText& PageText::bucket(std::string_view bound) {
  pair("le", bound);
  return *this;
}

void PageText::pair(std::string_view name, std::string_view value) {
  put(labels_++ > 0 ? ',' : '{');
  put(name);
  put("=\"");
  for (char const character : value) {
    if (character == '\\' || character == '"') put('\\');
    put(is_printable(character) ? character : '?');
  }
  put('"');
}

void PageText::value(std::uint64_t number) {
  put(labels_ > 0 ? "} " : " ");
  digits(number, 1);
  end();
}

void PageText::seconds(std::int64_t nanoseconds) {
  put(labels_ > 0 ? "} " : " ");
  auto const span = static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds);
  digits(span / kSecond, 1);
  std::uint64_t fraction = span % kSecond;
  int places = 9;
  while (fraction != 0 && fraction % 10 == 0) {
    fraction /= 10;
    --places;
  }
  if (fraction != 0) {
    put('.');
    digits(fraction, places);
  }
  end();
}

PageText& PageText::comment() {
  put("# ");
  return *this;
}

PageText& PageText::add(std::string_view text) {
  for (char const character : text) put(is_printable(character) ? character : ' ');
  return *this;
}

PageText& PageText::number(std::uint64_t number) {
  digits(number, 1);
  return *this;
}

PageText& PageText::tenths(std::int64_t nanoseconds) {
  auto const span = static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds);
  digits(span / kSecond, 1);
  put('.');
  digits(span % kSecond / (kSecond / 10), 1);
  put(" s");
  return *this;
}

void PageText::lines(std::string_view text) {
  bool open = false;
  for (char const character : text) {
    open = character != '\n';
    if (open) {
      put(character);
    } else {
      end();
    }
  }
  if (open) end();
}

}  // namespace canary::watchdog
