// SPDX-License-Identifier: Apache-2.0
// Which texts are listen addresses.
#include "config/listen_address.h"

#include <gtest/gtest.h>

namespace canary::config {
namespace {

TEST(ListenAddress, ReadsIpv4Ipv6AndPortsAlone) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:9732").value(),
            (ListenAddress{"127.0.0.1", false, 9732}));
  EXPECT_EQ(parse_listen_address("[::1]:0").value(), (ListenAddress{"::1", true, 0}));
  EXPECT_EQ(parse_listen_address(":65535").value(), (ListenAddress{"::", true, 65'535}));
}

TEST(ListenAddress, RefusesEverythingElse) {
  for (auto const* text :
       {"", ":", "9732", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:x", "127.0.0.1:1x", "localhost:1", "::1:80", "[127.0.0.1]:80", "[::1:80",
        "[]:80", "127.0.0:1", "http://127.0.0.1:1"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

}  // namespace
}  // namespace canary::config
