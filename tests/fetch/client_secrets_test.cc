// SPDX-License-Identifier: Apache-2.0
// Our own secrets: read again when their files change, kept when they cannot be, and whose fault it
// is when they are refused.
#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using namespace canary::support;

class Secrets : public ClientTest {
 protected:
  Secrets() {
    server_.on_any(respond("ok"));
    settings_.secret_headers = {{"Authorization", {"Bearer one", token_}}};
  }
  // What was sent for a request of a run of its own, which looks at the file anew.
  std::string sent() {
    services_.secrets.forget_when_looked_at();
    auto const client = make_client();
    auto const result = get_with(*client, server_.url("/"));
    if (!result) ADD_FAILURE() << result.error().message;
    kept_ = client->totals().kept_credentials;
    return server_.requests().back().headers.at("authorization");
  }

  std::filesystem::path token_ = folder_.write("token", "Bearer one\n");
  std::vector<KeptCredential> kept_;
};

TEST_F(Secrets, AreReadAgainWhenTheirFileIsReplaced) {
  EXPECT_EQ(sent(), "Bearer one");
  folder_.write("next", "Bearer two\n");
  std::filesystem::rename(folder() / "next", token_);
  EXPECT_EQ(sent(), "Bearer two");
  EXPECT_TRUE(kept_.empty());
}

TEST_F(Secrets, KeepTheirLastValueWhileTheirFileCannotBeUsedAndSayWhy) {
  folder_.write("token", "Bearer two");
  EXPECT_EQ(sent(), "Bearer two");
  folder_.write("token", "\n");
  EXPECT_EQ(sent(), "Bearer two");
  ASSERT_EQ(kept_.size(), 1u);
  EXPECT_EQ(kept_[0].why,
            "the secret of the header Authorization cannot be read again, so its last value is "
            "sent: the secret is empty");
  std::filesystem::remove(token_);
  EXPECT_EQ(sent(), "Bearer two");
  EXPECT_EQ(kept_.at(0).file, token_);
  EXPECT_THAT(kept_.at(0).why, ::testing::HasSubstr("No such file or directory"));
  folder_.write("token", "Bearer three");
  EXPECT_EQ(sent(), "Bearer three");
  EXPECT_TRUE(kept_.empty());
}

TEST_F(Secrets, ThatAreRefusedTellNothingOfTheRepository) {
  server_.on("/a", respond(401, "", {{"WWW-Authenticate", "Bearer"}}));
  auto const with = get(server_.url("/a"));
  ASSERT_FALSE(with);
  EXPECT_FALSE(with.error().answered);
  EXPECT_EQ(with.error().message,
            "the server answers 401 As Scripted: our credentials were refused");
  settings_.secret_headers.clear();
  auto const without = get(server_.url("/a"));
  ASSERT_FALSE(without);
  EXPECT_EQ(
      without.error().message,
      "the server answers 401 As Scripted: it wants credentials, and none are among http.headers");
}

}  // namespace
}  // namespace canary::fetch
