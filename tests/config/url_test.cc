// SPDX-License-Identifier: Apache-2.0
// What a URL may be, and where its children and references lead.
#include "config/url.h"

#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::config {
namespace {

Url url(std::string_view text) { return Url::parse(text).value(); }

struct Accepted {
  std::string name, text, host;
  int port;
  std::string target, host_header, origin;
};
std::ostream& operator<<(std::ostream& out, Accepted const& c) { return out << c.text; }

class UrlAccepts : public ::testing::TestWithParam<Accepted> {};

TEST_P(UrlAccepts, AndTakesApart) {
  auto const& expected = GetParam();
  auto const parsed = Url::parse(expected.text);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed.value().unredacted(), expected.text);
  EXPECT_EQ(parsed.value().host(), expected.host);
  EXPECT_EQ(parsed.value().port(), expected.port);
  EXPECT_EQ(parsed.value().target(), expected.target);
  EXPECT_EQ(parsed.value().host_header(), expected.host_header);
  EXPECT_EQ(parsed.value().origin(), expected.origin);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, UrlAccepts,
    ::testing::Values(Accepted{"plain", "http://a.example", "a.example", 80, "/", "a.example",
                               "http://a.example:80"},
                      Accepted{"upper_case_scheme_and_host", "HTTPS://A.Example/X", "a.example",
                               443, "/X", "a.example", "https://a.example:443"},
                      Accepted{"port", "http://a.example:8080/x", "a.example", 8080, "/x",
                               "a.example:8080", "http://a.example:8080"},
                      Accepted{"default_port_given", "https://a.example:443/x", "a.example", 443,
                               "/x", "a.example", "https://a.example:443"},
                      Accepted{"https_port_on_http", "http://a.example:443/", "a.example", 443, "/",
                               "a.example:443", "http://a.example:443"},
                      Accepted{"empty_port", "http://a.example:/x", "a.example", 80, "/x",
                               "a.example", "http://a.example:80"},
                      Accepted{"ipv4", "http://127.0.0.1:1/", "127.0.0.1", 1, "/", "127.0.0.1:1",
                               "http://127.0.0.1:1"},
                      Accepted{"ipv6", "http://[2001:DB8::1]:8443/x", "2001:db8::1", 8443, "/x",
                               "[2001:db8::1]:8443", "http://[2001:db8::1]:8443"},
                      Accepted{"ipv6_default_port", "https://[::1]", "::1", 443, "/", "[::1]",
                               "https://[::1]:443"},
                      Accepted{"query_without_path", "http://a.example?x=1", "a.example", 80,
                               "/?x=1", "a.example", "http://a.example:80"},
                      Accepted{"encoding_stays", "http://a.example/%5Bx%5d/[y]?q=%20", "a.example",
                               80, "/%5Bx%5d/[y]?q=%20", "a.example", "http://a.example:80"},
                      Accepted{"at_sign_in_path", "http://a.example/@scope/x", "a.example", 80,
                               "/@scope/x", "a.example", "http://a.example:80"},
                      Accepted{"percent_of_nothing", "http://a.example/100%?%zz{}", "a.example", 80,
                               "/100%?%zz{}", "a.example", "http://a.example:80"},
                      Accepted{"trailing_dot", "http://a.example./", "a.example.", 80, "/",
                               "a.example.", "http://a.example.:80"}),
    [](auto const& info) { return info.param.name; });

struct Refused {
  std::string name, text, says;
};
std::ostream& operator<<(std::ostream& out, Refused const& c) { return out << c.text; }

class UrlRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(UrlRefuses, AndSaysWhy) {
  auto const parsed = Url::parse(GetParam().text);
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error(), ::testing::HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, UrlRefuses,
    ::testing::Values(Refused{"empty", "", "empty"}, Refused{"relative", "a/b", "no scheme"},
                      Refused{"host_alone", "a.example", "no scheme"},
                      Refused{"host_and_port_alone", "a.example:80", "the scheme is \"a.example\""},
                      Refused{"other_scheme", "ftp://a.example/", "the scheme is \"ftp\""},
                      Refused{"no_slashes", "http:a.example", "no \"//\""},
                      Refused{"no_host", "http:///x", "the host is missing"},
                      Refused{"no_host_but_port", "http://:80/x", "the host is missing"},
                      Refused{"user", "http://user@a.example/", "credentials"},
                      Refused{"user_and_password", "http://user:hunter2@a.example/", "credentials"},
                      Refused{"fragment", "http://a.example/#x", "fragment"},
                      Refused{"blank", "http://a.example/a b", "0x20"},
                      Refused{"line_feed", "http://a.example/a\nb", "0x0a"},
                      Refused{"carriage_return_in_host", "http://a.example\r/", "0x0d"},
                      Refused{"delete", "http://a.example/\x7f", "0x7f"},
                      Refused{"not_ascii", "http://a.example/\xc3\xa4", "0xc3"},
                      Refused{"port_zero", "http://a.example:0/", "the port is \"0\""},
                      Refused{"port_too_large", "http://a.example:65536/", "the port is \"65536\""},
                      Refused{"port_signed", "http://a.example:+80/", "the port is no number"},
                      Refused{"port_a_word", "http://a.example:http/", "the port is no number"},
                      Refused{"ipv6_open", "http://[::1/", "no closing"},
                      Refused{"ipv6_wrong", "http://[::g]/", "not an IPv6 address"},
                      Refused{"ipv6_zone", "http://[fe80::1%25eth0]/", "not an IPv6 address"},
                      Refused{"ipv6_tail", "http://[::1]x/", "follows the IPv6 address"},
                      Refused{"ip_future", "http://[v1.x]/", "not an IPv6 address"},
                      Refused{"brackets_of_no_address", "http://a[1].example/", "the host"},
                      Refused{"letter_of_no_host", "http://a^b.example/", "the host holds '^'"},
                      Refused{"ipv4_wrong", "http://1.2.3.400/", "IPv4"},
                      Refused{"ipv4_short", "http://127.1/", "IPv4"},
                      Refused{"empty_label", "http://a..example/", "empty part"},
                      Refused{"percent_in_host", "http://a%2eexample/", "the host holds '%'"},
                      Refused{"too_long", "http://a.example/" + std::string(9000, 'x'), "8192"},
                      Refused{"file_host", "file://server/share", "names no host"},
                      Refused{"file_relative", "file:x/y", "absolute path"},
                      Refused{"file_query", "file:///x?y", "no query"},
                      Refused{"file_bad_percent", "file:///x%4", "hex digits"},
                      Refused{"file_nul", "file:///x%00", "hex digits"}),
    [](auto const& info) { return info.param.name; });

TEST(Url, NeverRepeatsAPasswordInItsError) {
  for (auto const* text : {"https://user:hunter2@a.example/", "https://user:hunter2/x@a.example/",
                           "https://user:hunter2?x@a.example/", "https://hunter2@a.example"}) {
    auto const parsed = Url::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), ::testing::Not(::testing::HasSubstr("hunter2")));
  }
}

TEST(Url, ShowsNothingOfAQuery) {
  EXPECT_EQ(url("http://a.example/x?sig=hunter2").text(), "http://a.example/x?...");
  EXPECT_EQ(url("http://a.example?sig=hunter2?&").text(), "http://a.example?...");
  EXPECT_EQ(url("http://a.example/x?sig=hunter2").child("y").text(), "http://a.example/x/y?...");
  EXPECT_EQ(url("http://a.example/").resolve("/y?sig=hunter2").value().text(),
            "http://a.example/y?...");
  EXPECT_EQ(url("http://a.example/x?").text(), "http://a.example/x?");
  EXPECT_EQ(url("http://a.example/%3Fx").text(), "http://a.example/%3Fx");
}

TEST(Url, FileUrlsGiveADecodedPath) {
  EXPECT_EQ(url("file:///srv/a%20b/%5Bx%5D").path(), "/srv/a b/[x]");
  EXPECT_EQ(url("file:/srv/x").path(), "/srv/x");
  EXPECT_EQ(url("file://localhost/srv/x").path(), "/srv/x");
  EXPECT_EQ(url("FILE:///srv").scheme(), Scheme::file);
  EXPECT_EQ(url("file:///srv").origin(), "file://");
  EXPECT_EQ(url("file:///srv").host(), "");
  EXPECT_EQ(url("file:///srv").port(), 0);
}

struct Joined {
  std::string name, base, given, result;
};
std::ostream& operator<<(std::ostream& out, Joined const& c) {
  return out << c.base << " + " << c.given;
}

class UrlChild : public ::testing::TestWithParam<Joined> {};

TEST_P(UrlChild, StandsBelowItsFolder) {
  auto const child = url(GetParam().base).child(GetParam().given);
  EXPECT_EQ(child.unredacted(), GetParam().result);
  EXPECT_EQ(child, url(GetParam().result)) << "child() and parse() must agree";
}

INSTANTIATE_TEST_SUITE_P(
    Cases, UrlChild,
    ::testing::Values(Joined{"no_slash", "http://h/a", "b.json", "http://h/a/b.json"},
                      Joined{"slash", "http://h/a/", "b.json", "http://h/a/b.json"},
                      Joined{"two_slashes", "http://h/a//", "/b.json", "http://h/a/b.json"},
                      Joined{"no_path", "http://h", "b", "http://h/b"},
                      Joined{"root", "http://h/", "b", "http://h/b"},
                      Joined{"query", "http://h/a?k=v", "b", "http://h/a/b?k=v"},
                      Joined{"query_without_path", "http://h?k=/v", "b", "http://h/b?k=/v"},
                      Joined{"encoded", "http://h/%5B", "%5Bx%5D.json",
                             "http://h/%5B/%5Bx%5D.json"},
                      Joined{"folders", "http://h/a", "b/c", "http://h/a/b/c"},
                      Joined{"dots_stay", "http://h/a", "../b", "http://h/a/../b"},
                      Joined{"what_no_url_may_hold", "http://h/a", "b c#d", "http://h/a/b%20c%23d"},
                      Joined{"file", "file:///srv/a", "b", "file:///srv/a/b"},
                      Joined{"file_short", "file:/srv/a/", "b", "file:/srv/a/b"},
                      Joined{"ipv6", "http://[::1]:80/a", "b", "http://[::1]:80/a/b"}),
    [](auto const& info) { return info.param.name; });

class UrlResolve : public ::testing::TestWithParam<Joined> {};

TEST_P(UrlResolve, FollowsTheReference) {
  auto const resolved = url(GetParam().base).resolve(GetParam().given);
  ASSERT_TRUE(resolved) << resolved.error();
  EXPECT_EQ(resolved.value().unredacted(), GetParam().result);
}

// RFC 3986 section 5.4, its base with http; then what servers send besides.
constexpr char kBase[] = "http://a/b/c/d;p?q";
INSTANTIATE_TEST_SUITE_P(
    Cases, UrlResolve,
    ::testing::Values(
        Joined{"segment", kBase, "g", "http://a/b/c/g"},
        Joined{"dot_segment", kBase, "./g", "http://a/b/c/g"},
        Joined{"folder", kBase, "g/", "http://a/b/c/g/"},
        Joined{"absolute_path", kBase, "/g", "http://a/g"},
        Joined{"authority", kBase, "//g", "http://g"},
        Joined{"query", kBase, "?y", "http://a/b/c/d;p?y"},
        Joined{"segment_and_query", kBase, "g?y", "http://a/b/c/g?y"},
        Joined{"fragment", kBase, "#s", "http://a/b/c/d;p?q"},
        Joined{"segment_and_fragment", kBase, "g#s", "http://a/b/c/g"},
        Joined{"semicolon", kBase, ";x", "http://a/b/c/;x"},
        Joined{"nothing", kBase, "", "http://a/b/c/d;p?q"},
        Joined{"dot", kBase, ".", "http://a/b/c/"},
        Joined{"dot_slash", kBase, "./", "http://a/b/c/"}, Joined{"up", kBase, "..", "http://a/b/"},
        Joined{"up_slash", kBase, "../", "http://a/b/"},
        Joined{"up_segment", kBase, "../g", "http://a/b/g"},
        Joined{"up_twice", kBase, "../..", "http://a/"},
        Joined{"up_twice_segment", kBase, "../../g", "http://a/g"},
        Joined{"above_the_root", kBase, "../../../../g", "http://a/g"},
        Joined{"absolute_up", kBase, "/../g", "http://a/g"},
        Joined{"dots_in_names", kBase, "..g", "http://a/b/c/..g"},
        Joined{"dots_inside", kBase, "g/./h/../i", "http://a/b/c/g/i"},
        Joined{"dots_in_query", kBase, "g?y/../x", "http://a/b/c/g?y/../x"},
        Joined{"whole_url", kBase, "https://x.example:8443/y/../z?q", "https://x.example:8443/z?q"},
        Joined{"encoding_stays", kBase, "/%5Bx%5D", "http://a/%5Bx%5D"},
        Joined{"small_encoding_stays", kBase, "/%5bx%7e", "http://a/%5bx%7e"},
        Joined{"encoded_dots_stay", kBase, "%2e%2e/g", "http://a/b/c/%2e%2e/g"},
        Joined{"what_rfc_3986_has_not", kBase, "[g]/{h}|^?\"<i>`#\\",
               "http://a/b/c/[g]/{h}|^?\"<i>`"},
        Joined{"percent_of_nothing", kBase, "100%/%zz?%", "http://a/b/c/100%/%zz?%"},
        Joined{"just_above_the_root", kBase, "/../..", "http://a/"},
        Joined{"above_the_root_with_query", kBase, "/..?x=/../y", "http://a/?x=/../y"},
        Joined{"base_without_path", "http://a", "g", "http://a/g"},
        Joined{"file", "file:///srv/a/b", "../c", "file:///srv/c"}),
    [](auto const& info) { return info.param.name; });

TEST(Url, RefusesAReferenceToAFileFromAServer) {
  auto const resolved = url("http://a/").resolve("file:///etc/passwd");
  ASSERT_FALSE(resolved);
  EXPECT_THAT(resolved.error(), ::testing::HasSubstr("file URL is refused"));
}

TEST(Url, RefusesAReferenceWithCredentialsOrAnotherScheme) {
  EXPECT_FALSE(url("http://a/").resolve("http://u:p@b/"));
  EXPECT_FALSE(url("http://a/").resolve("//u@b/"));
  EXPECT_FALSE(url("http://a/").resolve("javascript:alert(1)"));
  EXPECT_FALSE(url("http://a/").resolve("/x y"));
}

TEST(PercentEncode, LeavesOnlyUnreservedBytes) {
  EXPECT_EQ(percent_encode("aZ09_.-~"), "aZ09_.-~");
  EXPECT_EQ(percent_encode("a/b c[%]"), "a%2Fb%20c%5B%25%5D");
  EXPECT_EQ(percent_encode("a/b", true), "a/b");
  EXPECT_EQ(percent_encode("\xc3\xa4"), "%C3%A4");
}

}  // namespace
}  // namespace canary::config
