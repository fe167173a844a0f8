// SPDX-License-Identifier: Apache-2.0
// Messages of remote write, read back by protozero and snappy.
#include "daemon/push/write_request.h"

#include <snappy.h>

#include <bit>
#include <cstdint>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_reader.hpp>

namespace canary::push {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::uint64_t kStale = 0x7ff0000000000002;
SampleTime const kAt{std::chrono::milliseconds{1'790'000'000'123}};
std::vector<Label> const kOwn{{"instance", "i"}, {"job", "canaryd"}};

struct Decoded {
  std::vector<Label> labels;
  std::uint64_t bits = 0;  // of the value
  std::int64_t at = 0;
};

Decoded decode_series(protozero::pbf_reader series) {
  Decoded decoded;
  while (series.next()) {
    auto const field = series.tag();  // gone once its value is read
    auto part = series.get_message();
    while (part.next()) {
      bool const first = part.tag() == 1;
      if (field == 1) {
        if (first) decoded.labels.emplace_back();
        auto& label = decoded.labels.back();
        (first ? label.first : label.second) = part.get_string();
      } else if (first) {
        decoded.bits = std::bit_cast<std::uint64_t>(part.get_double());
      } else {
        decoded.at = part.get_int64();
      }
    }
  }
  return decoded;
}

std::vector<Decoded> decode(std::vector<Batch> const& batches) {
  std::vector<Decoded> all;
  for (Batch const& batch : batches) {
    std::string message;
    EXPECT_TRUE(snappy::Uncompress(batch.body.data(), batch.body.size(), &message));
    std::size_t samples = 0;
    for (protozero::pbf_reader request{message}; request.next(1); ++samples) {
      all.push_back(decode_series(request.get_message()));
    }
    EXPECT_EQ(samples, batch.samples);
    EXPECT_EQ(batch.at, kAt);
  }
  return all;
}

// What was written of each series, by the value of its label `x`.
std::map<std::string, std::uint64_t> bits_by_x(std::vector<Batch> const& batches) {
  std::map<std::string, std::uint64_t> bits;
  for (auto const& series : decode(batches)) {
    EXPECT_EQ(series.labels.back().first, "x");
    EXPECT_TRUE(bits.emplace(series.labels.back().second, series.bits).second);
  }
  return bits;
}

TEST(WriteRequest, HasEachSeriesWithItsValueAndTime) {
  auto const series = decode(write_requests("m{x=\"1\"} 2.5\n", "", kOwn, kAt));
  ASSERT_EQ(series.size(), 1U);
  EXPECT_THAT(series[0].labels, ElementsAre(Pair("__name__", "m"), Pair("instance", "i"),
                                            Pair("job", "canaryd"), Pair("x", "1")));
  EXPECT_EQ(std::bit_cast<double>(series[0].bits), 2.5);
  EXPECT_EQ(series[0].at, 1'790'000'000'123);
}

TEST(WriteRequest, MakesStaleWhatIsThereNoMore) {
  auto const bits = bits_by_x(
      write_requests("m{x=\"1\"} 1\nm{x=\"3\"} 1\n", "m{x=\"1\"} 9\nm{x=\"2\"} 9\n", kOwn, kAt));
  auto const one = std::bit_cast<std::uint64_t>(1.0);
  EXPECT_THAT(bits, ElementsAre(Pair("1", one), Pair("2", kStale), Pair("3", one)));
}

TEST(WriteRequest, NamesTheSeriesThatItEndsForWhomItIsLost) {
  auto const batches = write_requests("m{x=\"1\"} 1\n", "m{x=\"1\"} 9\nm{x=\"2\"} 9\n", kOwn, kAt);
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].ended, "m{x=\"2\"} 0\n");
}

TEST(WriteRequest, MakesAllStaleAtTheEndAndNothingOfNothing) {
  EXPECT_THAT(bits_by_x(write_requests("", "m{x=\"1\"} 9\n", kOwn, kAt)),
              ElementsAre(Pair("1", kStale)));
  EXPECT_THAT(write_requests("", "", kOwn, kAt), IsEmpty());
}

// One series twice, or a message without end, would make the receiver refuse all of it.
TEST(WriteRequest, IsDividedAndHasNoSeriesTwice) {
  std::string page = "m{x=\"0\"} 1\n";
  for (std::size_t i = 0; i < kMostSamples + 1; ++i) {
    page += "m{x=\"" + std::to_string(i) + "\"} 1\n";
  }
  auto const batches = write_requests(page, "", kOwn, kAt);
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].samples, kMostSamples);
  EXPECT_EQ(bits_by_x(batches).size(), kMostSamples + 1);
}

}  // namespace
}  // namespace canary::push
