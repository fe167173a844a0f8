// SPDX-License-Identifier: Apache-2.0
#include "daemon/push/write_request.h"

#include <snappy.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <unordered_set>
#include <utility>

#include <protozero/pbf_writer.hpp>

namespace canary::push {
namespace {

// A NaN that says that there is no more of this series (value.StaleNaN).
double const kStale = std::bit_cast<double>(std::uint64_t{0x7ff0000000000002});

// Fields of WriteRequest, TimeSeries, Label and Sample.
constexpr protozero::pbf_tag_type kTimeseries = 1, kLabels = 1, kSamples = 2, kName = 1,
                                  kLabelValue = 2, kValue = 1, kTimestamp = 2;

class Writer {
 public:
  Writer(std::vector<Label> const& own, SampleTime at) : own_(own), at_(at) {}

  void add(std::string_view series, double value) {
    {
      protozero::pbf_writer request{message_};
      protozero::pbf_writer timeseries{request, kTimeseries};
      for (auto const& [name, text] : labels_of(series, own_)) {
        protozero::pbf_writer label{timeseries, kLabels};
        label.add_string(kName, name);
        label.add_string(kLabelValue, text);
      }
      protozero::pbf_writer sample{timeseries, kSamples};
      sample.add_double(kValue, value);
      sample.add_int64(kTimestamp, at_.time_since_epoch().count());
    }
    if (++samples_ == kMostSamples) end_batch();
  }
  void end(std::string_view series) {
    ended_.append(series).append(" 0\n");
    add(series, kStale);
  }
  std::vector<Batch> take() {
    if (samples_ > 0) end_batch();
    return std::move(batches_);
  }

 private:
  void end_batch() {
    Batch& batch = batches_.emplace_back();
    snappy::Compress(message_.data(), message_.size(), &batch.body);
    batch.samples = samples_;
    batch.at = at_;
    batch.ended = std::move(ended_);
    ended_.clear();
    message_.clear();
    samples_ = 0;
  }

  std::vector<Label> const& own_;
  SampleTime at_;
  std::string message_;
  std::string ended_;
  std::size_t samples_ = 0;
  std::vector<Batch> batches_;
};

}  // namespace

std::vector<Batch> write_requests(std::string_view page, std::string_view before,
                                  std::vector<Label> const& own, SampleTime at) {
  Writer writer{own, at};
  std::unordered_set<std::string_view> there;
  for (Sample const& sample : samples_in(page)) {
    if (!there.insert(sample.series).second) continue;  // it would make the message be refused
    writer.add(sample.series, sample.value);
  }
  for (Sample const& sample : samples_in(before)) {
    if (there.insert(sample.series).second) writer.end(sample.series);
  }
  return writer.take();
}

}  // namespace canary::push
