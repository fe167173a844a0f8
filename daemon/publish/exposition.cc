// SPDX-License-Identifier: Apache-2.0
// prometheus-cpp gives the model of a family; the text is our own, because its serializer neither
// escapes HELP nor writes NaN as the format does, and has no fixed order.
#include "daemon/publish/exposition.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include <prometheus/metric_family.h>

namespace canary::daemon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

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

void append_family(std::string& out, MetricFamily const& family) {
  if (family.metric.empty()) return;
  out += "# HELP " + family.name + ' ';
  append_escaped(out, family.help, false);
  out += "\n# TYPE " + family.name + ' ';
  out += family.type == MetricType::Counter     ? "counter\n"
         : family.type == MetricType::Histogram ? "histogram\n"
                                                : "gauge\n";
  for (auto const& metric : family.metric) {
    if (family.type == MetricType::Histogram) {
      append_histogram(out, family.name, metric);
    } else {
      bool const counter = family.type == MetricType::Counter;
      append_sample(out, family.name, {"", metric.label},
                    counter ? metric.counter.value : metric.gauge.value);
    }
  }
}

MetricType type_of(FamilyType type) {
  switch (type) {
    case FamilyType::gauge:
      return MetricType::Gauge;
    case FamilyType::counter:
      return MetricType::Counter;
    case FamilyType::histogram:
      return MetricType::Histogram;
  }
  return MetricType::Untyped;
}

ClientMetric& append_metric(MetricFamily& family, Labels labels) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label.reserve(labels.size());
  for (auto& label : labels) {
    metric.label.push_back({std::move(label.name), std::move(label.value)});
  }
  return metric;
}

}  // namespace

Family::Family(std::string& out, FamilyType type, std::string name, std::string help)
    : out_(out),
      family_(std::make_unique<MetricFamily>(
          MetricFamily{std::move(name), std::move(help), type_of(type), {}})) {}

Family::~Family() { append_family(out_, *family_); }

void Family::add(Labels labels, double value) {
  ClientMetric& metric = append_metric(*family_, std::move(labels));
  (family_->type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

void Family::add(Labels labels, std::optional<double> value) {
  if (value) add(std::move(labels), *value);
}

void Family::add(Labels labels, Histogram const& value) {
  auto& histogram = append_metric(*family_, std::move(labels)).histogram;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    cumulative += value.counts[i];
    double const bound = i < value.bounds.size() ? value.bounds[i] : INFINITY;
    histogram.bucket.push_back({cumulative, bound});
  }
  histogram.sample_count = cumulative;
  histogram.sample_sum = value.sum_seconds;
}

}  // namespace canary::daemon
