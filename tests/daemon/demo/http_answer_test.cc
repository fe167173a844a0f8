// SPDX-License-Identifier: Apache-2.0
// What the demo's server understands, and what it will never hand out.
// Thread: main.
#include "daemon/demo/http_answer.h"

#include <fstream>

#include <gtest/gtest.h>

#include "daemon/demo/demo_directory.h"

namespace canary::daemon {
namespace {

TEST(ParseRequest, ReadsMethodAndPathWithoutQuery) {
  auto const request = parse_request("GET /a/b.json?x=1 HTTP/1.1\r\nHost: here");
  ASSERT_TRUE(request);
  EXPECT_EQ(*request, (DemoRequest{.method = "GET", .path = "/a/b.json"}));
}

struct ConnectionCase {
  std::string name;
  std::string head;
  bool keep_alive;
};
class ParseRequestKeepsAlive : public ::testing::TestWithParam<ConnectionCase> {};
TEST_P(ParseRequestKeepsAlive, AsTheClientWishes) {
  auto const request = parse_request(GetParam().head);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->keep_alive, GetParam().keep_alive);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, ParseRequestKeepsAlive,
    ::testing::Values(ConnectionCase{"http_1_1", "GET / HTTP/1.1", true},
                      ConnectionCase{"http_1_0", "GET / HTTP/1.0", false},
                      ConnectionCase{"close", "GET / HTTP/1.1\r\nconnection:  Close ", false},
                      ConnectionCase{"old_client_asks", "GET / HTTP/1.0\r\nConnection: Keep-Alive",
                                     true}),
    [](auto const& info) { return info.param.name; });

TEST(ParseRequest, RefusesWhatIsNoRequest) {
  for (auto const* head :
       {"", "GET", "GET /", "GET / HTTP/2.0", " / HTTP/1.1", "GET / HTTP/1.1\r\nno colon here"}) {
    EXPECT_FALSE(parse_request(head)) << head;
  }
}

class Answer : public ::testing::Test {
 protected:
  Answer() {
    std::filesystem::create_directories(root_ / "repo");
    std::ofstream(root_ / "repo" / "1.root.json") << "{\"a\": 1}";
    std::ofstream(directory_.path() / "secret") << "s";
    std::filesystem::create_symlink(directory_.path() / "secret", root_ / "repo" / "link");
  }
  DemoAnswer get(std::string path) {
    return answer({.method = "GET", .path = std::move(path)}, root_);
  }

  DemoDirectory directory_ = DemoDirectory::create().value();
  std::filesystem::path root_ = directory_.path() / "served";
};

TEST_F(Answer, IsTheFileWithItsLength) {
  DemoAnswer const reply = get("/repo/1.root.json");
  EXPECT_EQ(reply.body, "{\"a\": 1}");
  EXPECT_EQ(reply.head,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n"
            "Connection: keep-alive\r\n\r\n");
  EXPECT_FALSE(reply.close);
}

TEST_F(Answer, HasNoBodyForHead) {
  DemoAnswer const reply = answer({.method = "HEAD", .path = "/repo/1.root.json"}, root_);
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.head.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_EQ(reply.body, "");
}

TEST_F(Answer, IsNotFoundForWhatIsNotThereOrElsewhere) {
  for (auto const* path : {"/", "/repo", "/repo/", "/repo/2.root.json", "/../secret",
                           "/repo/../../secret", "/repo/link", "//repo/1.root.json",
                           "repo/1.root.json", "/repo/%2e%2e/1.root.json", "/repo/1.root.json/"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

TEST_F(Answer, RefusesOtherMethodsAndEndsTheConnectionAfterABody) {
  DemoAnswer const reply =
      answer({.method = "PUT", .path = "/repo/1.root.json", .has_body = true}, root_);
  EXPECT_EQ(reply.status, 405);
  EXPECT_TRUE(reply.close);
  EXPECT_NE(reply.head.find("Connection: close\r\n"), std::string::npos);
}

}  // namespace
}  // namespace canary::daemon
