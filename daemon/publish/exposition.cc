// SPDX-License-Identifier: Apache-2.0
// prometheus-cpp gives the model of a series; the text is our own, because its serializer neither
// escapes HELP nor writes NaN as the format does, has no fixed order, and wants the whole page as
// values first.
#include "daemon/publish/exposition.h"

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/client_metric.h>

namespace canary::daemon {
namespace {

using prometheus::ClientMetric;

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 32> buffer;
    // Whole numbers as such: instants and sizes stay readable.
    bool const whole = value == std::trunc(value) && std::fabs(value) < 9007199254740992.0;
    auto* const end = buffer.data() + buffer.size();
    auto const result = whole ? std::to_chars(buffer.data(), end, static_cast<std::int64_t>(value))
                              : std::to_chars(buffer.data(), end, value);
    out.append(buffer.data(), result.ptr);
  }
}

// HELP escapes backslash and newline, a label's value the quote as well.
void append_escaped(std::string& out, std::string_view text, bool quote) {
  for (char const c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quote) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

struct Sample {
  std::string_view suffix;
  std::vector<ClientMetric::Label> const& labels;
  std::string_view bound = {};  // of a bucket
};

void append_sample(std::string& out, std::string_view name, Sample const& sample, double value) {
  out += name;
  out += sample.suffix;
  char separator = '{';
  auto const append_label = [&](std::string_view label, std::string_view text) {
    out += separator;
    separator = ',';
    out += label;
    out += "=\"";
    append_escaped(out, text, true);
    out += '"';
  };
  for (auto const& label : sample.labels) append_label(label.name, label.value);
  if (!sample.bound.empty()) append_label("le", sample.bound);
  if (separator == ',') out += '}';
  out += ' ';
  append_number(out, value);
  out += '\n';
}

void append_histogram(std::string& out, std::string_view name, ClientMetric const& metric) {
  auto const& histogram = metric.histogram;
  std::string bound;
  for (auto const& bucket : histogram.bucket) {
    bound.clear();
    append_number(bound, bucket.upper_bound);
    append_sample(out, name, {"_bucket", metric.label, bound},
                  static_cast<double>(bucket.cumulative_count));
  }
  append_sample(out, name, {"_sum", metric.label}, histogram.sample_sum);
  append_sample(out, name, {"_count", metric.label}, static_cast<double>(histogram.sample_count));
}

}  // namespace

Family::Family(std::string& out, metrics::Metric const& metric, bool full)
    : out_(out), metric_(metric), series_(std::make_unique<ClientMetric>()), full_(full) {
  series_->label.resize(metric.label_count());
  for (std::size_t i = 0; i < series_->label.size(); ++i) {
    series_->label[i].name = metric.labels[i];
  }
}

Family::~Family() = default;

bool Family::shows(double value) const {
  using metrics::Shown;
  if (metric_.shown == Shown::in_vantage) return full_ && value != 0;
  return full_ || metric_.shown == Shown::always ||
         (metric_.shown == Shown::unless_zero && value != 0);
}

void Family::begin(Labels labels) {
  assert(labels.size() == series_->label.size());
  auto label = series_->label.begin();
  for (std::string_view const value : labels) (label++)->value = value;
  if (std::exchange(begun_, true)) return;
  std::string const name{metric_.name};
  out_ += "# HELP " + name + ' ';
  append_escaped(out_, metric_.help, false);
  out_ += "\n# TYPE " + name + ' ' + std::string{metrics::to_text(metric_.type)} + '\n';
}

void Family::add(Labels labels, double value) {
  if (!shows(value)) return;
  begin(labels);
  append_sample(out_, metric_.name, {"", series_->label}, value);
}

void Family::add(Labels labels, std::optional<double> value) {
  if (value) add(labels, *value);
}

void Family::add(Labels labels, Histogram const& value) {
  if (!shows(static_cast<double>(value.count()))) return;
  begin(labels);
  auto& histogram = series_->histogram;
  histogram.bucket.clear();
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    cumulative += value.counts[i];
    double const bound = i < value.bounds.size() ? value.bounds[i] : INFINITY;
    histogram.bucket.push_back({cumulative, bound});
  }
  histogram.sample_count = cumulative;
  histogram.sample_sum = value.sum_seconds;
  append_histogram(out_, metric_.name, *series_);
}

}  // namespace canary::daemon
