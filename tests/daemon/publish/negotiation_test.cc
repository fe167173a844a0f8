// SPDX-License-Identifier: Apache-2.0
// What a client can read, and an answer made so.
#include "daemon/publish/negotiation.h"

#include <zlib.h>

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

struct EncodingCase {
  std::string name, header;
  bool gzip;
};
class Encoding : public ::testing::TestWithParam<EncodingCase> {};
TEST_P(Encoding, IsReadWithItsWeights) {
  EXPECT_EQ(accepts_gzip(GetParam().header), GetParam().gzip) << GetParam().header;
}
INSTANTIATE_TEST_SUITE_P(
    Cases, Encoding,
    ::testing::Values(EncodingCase{"none", "", false}, EncodingCase{"plain", "gzip", true},
                      EncodingCase{"upper_case", "GZip", true},
                      EncodingCase{"old_name", "x-gzip", true},
                      EncodingCase{"among_others", "deflate , gzip;q=0.5, br", true},
                      EncodingCase{"not_wanted", "gzip;q=0", false},
                      EncodingCase{"not_wanted_in_digits", "gzip ; q=0.000", false},
                      EncodingCase{"a_star", "*", true}, EncodingCase{"no_star", "*;q=0", false},
                      EncodingCase{"all_but_gzip", "*, gzip;q=0", false},
                      EncodingCase{"gzip_alone", "gzip, *;q=0", true},
                      EncodingCase{"another", "br", false},
                      EncodingCase{"part_of_a_word", "notgzip, gzipped", false},
                      EncodingCase{"no_weight", "gzip;q=lots", false},
                      EncodingCase{"too_heavy", "gzip;q=2", false},
                      EncodingCase{"identity", "identity;q=1, *;q=0", false}),
    [](auto const& each) { return each.param.name; });

struct FormatCase {
  std::string name, header, version;
};
class Format : public ::testing::TestWithParam<FormatCase> {};
TEST_P(Format, IsTheOneThatTheClientLikesBest) {
  EXPECT_EQ(wanted_openmetrics(GetParam().header), GetParam().version) << GetParam().header;
}
INSTANTIATE_TEST_SUITE_P(
    Cases, Format,
    ::testing::Values(
        FormatCase{"nothing", "", ""}, FormatCase{"anything", "*/*", ""},
        FormatCase{"a_browser", "text/html,application/xhtml+xml,*/*;q=0.8", ""},
        FormatCase{"text", "text/plain;version=0.0.4", ""},
        FormatCase{"prometheus_2_42",
                   "application/openmetrics-text;version=1.0.0,application/"
                   "openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                   "1.0.0"},
        FormatCase{"an_older_prometheus",
                   "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5",
                   "0.0.1"},
        FormatCase{"prometheus_3_with_protobuf_first",
                   "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;q=0.6,"
                   "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4",
                   "1.0.0"},
        FormatCase{"without_a_version", "application/openmetrics-text", "1.0.0"},
        FormatCase{"of_a_version_to_come", "application/openmetrics-text;version=2.0.0", ""},
        FormatCase{"text_liked_better", "application/openmetrics-text;q=0.3,text/plain;q=0.9", ""},
        FormatCase{"not_wanted", "application/openmetrics-text;version=1.0.0;q=0", ""}),
    [](auto const& each) { return each.param.name; });

std::string unzipped(std::string const& bytes) {
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK) {
    std::array<char, 4096> piece;
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    state = ::inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  EXPECT_EQ(state, Z_STREAM_END);
  return out;
}

TEST(Gzip, GivesBackWhatWentIn) {
  std::string text;
  while (text.size() < 300'000) {
    text += "canaryd_probe_success{probe=\"p" + std::to_string(text.size()) + "\"} 1\n";
  }
  auto const bytes = gzip(text);
  ASSERT_TRUE(bytes);
  EXPECT_LT(bytes->size(), text.size() / 4);
  EXPECT_EQ(unzipped(*bytes), text);
}

TEST(Gzip, IsNotWorthItForAFewBytes) {
  EXPECT_FALSE(gzip(std::string(kShortestGzip - 1, 'x')));
  EXPECT_TRUE(gzip(std::string(kShortestGzip, 'x')));
}

TEST(OpenMetrics, NamesCounterFamiliesWithoutTotalEscapesHelpAndEnds) {
  EXPECT_EQ(to_openmetrics("# HELP a_total How \"often\" \\n.\n# TYPE a_total counter\n"
                           "a_total{x=\"# TYPE\"} 1\n"
                           "# HELP b Seconds.\n# TYPE b gauge\nb 2\n"
                           "# HELP c No name of a counter.\n# TYPE c counter\nc 3\n"
                           "# HELP d Whatever.\n# TYPE d untyped\nd NaN\n"),
            "# TYPE a counter\n# HELP a How \\\"often\\\" \\n.\na_total{x=\"# TYPE\"} 1\n"
            "# TYPE b gauge\n# HELP b Seconds.\nb 2\n"
            "# TYPE c unknown\n# HELP c No name of a counter.\nc 3\n"
            "# TYPE d unknown\n# HELP d Whatever.\nd NaN\n# EOF\n");
  EXPECT_EQ(to_openmetrics(""), "# EOF\n");
}

}  // namespace
}  // namespace canary::daemon
