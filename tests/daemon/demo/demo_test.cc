// SPDX-License-Identifier: Apache-2.0
// The demo as a whole: its configuration leads to what it serves, and its banner to both.
// Thread: main.
#include "daemon/demo/demo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>

#include <gmock/gmock.h>

#include "probes/openpgp/spec.h"
#include "tests/tuf/worlds.h"

namespace canary::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Listens on a free port of loopback as long as it lives.
class Listener {
 public:
  Listener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, generic, size), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    EXPECT_EQ(::getsockname(socket_, generic, &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Listener() { ::close(socket_); }
  Listener(Listener const&) = delete;
  Listener& operator=(Listener const&) = delete;
  std::string const& address() const { return address_; }

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string address_;
};

std::vector<DemoRepository> const& repositories() {
  static auto const signed_once = sign_demo_repositories(tuf::kNow);
  return signed_once;
}

tuf::Spec const& tuf_of(config::ProbeSpec const& probe) { return *probe.kind.get<tuf::Spec>(); }

TEST(DemoConfig, HasAProbePerRepositoryThatLeadsToIt) {
  config::Config const config = demo_config(repositories(), {4001, 4002}, "/demo");
  ASSERT_EQ(config.probes.size(), repositories().size() + 1);
  EXPECT_EQ(config.probes.back().kind.get<openpgp::Spec>()->keys,
            std::vector{demo_key("/demo").string()});
  for (std::size_t i = 0; i < repositories().size(); ++i) {
    config::ProbeSpec const& probe = config.probes[i];
    DemoRepository const& demo = repositories()[i];
    std::string const port = demo.serving == DemoServing::refused ? "4002" : "4001";
    std::string const base = "http://127.0.0.1:" + port + "/" + demo.name;
    EXPECT_EQ(probe.name.text, demo.name);
    EXPECT_EQ(probe.repository, demo.name);
    EXPECT_EQ(tuf_of(probe).metadata_url.text(), base + "/metadata");
    EXPECT_EQ(tuf_of(probe).targets_url->text(), base + "/targets");
    EXPECT_EQ(tuf_of(probe).root, pinned_root("/demo", demo.name));
    EXPECT_EQ(tuf_of(probe).expiry, demo.expiry);
    EXPECT_EQ(tuf_of(probe).targets.kind, config::Selection::Kind::all);
  }
}

TEST(DemoConfig, EndsEachRunBeforeTheNextAndAsksNoProxy) {
  for (auto const& probe : demo_config(repositories(), {1, 2}, "/demo").probes) {
    EXPECT_LT(probe.timeout, probe.interval) << probe.name.text;
    EXPECT_LT(probe.http.min_rate_window, probe.timeout) << probe.name.text;
    EXPECT_FALSE(probe.http.proxy_from_environment) << probe.name.text;
  }
}

TEST(DemoConfig, KeepsItsStateInTheDirectoryAndListensOnLoopback) {
  config::Config const config = demo_config(repositories(), {1, 2}, "/demo");
  EXPECT_EQ(config.state_directory, "/demo/state");
  EXPECT_THAT(config.web.listen_addresses, ElementsAre("127.0.0.1:9732"));
}

TEST(DemoBanner, NamesEachProbeWithItsStateAndReason) {
  std::string const banner = demo_banner(repositories(), "/demo", {"127.0.0.1:9732"});
  for (DemoRepository const& each : repositories()) {
    EXPECT_THAT(banner, HasSubstr("  " + each.name + " "));
    EXPECT_THAT(banner, HasSubstr(each.story + "\n"));
  }
  EXPECT_THAT(banner, HasSubstr("  expired           critical        its timestamp"));
  EXPECT_THAT(banner, HasSubstr("  archive-key       warning         an OpenPGP key that ends"));
  EXPECT_THAT(banner, HasSubstr("  unreachable       could not tell  nobody listens"));
}

TEST(DemoBanner, ShowsWhereToLookOnEachAddress) {
  std::string const banner = demo_banner(repositories(), "/demo", {"127.0.0.1:9732", "[::]:81"});
  EXPECT_THAT(banner, HasSubstr("curl -s http://127.0.0.1:9732/metrics "));
  EXPECT_THAT(banner, HasSubstr("curl -s http://127.0.0.1:9732/api/v1/probes "));
  EXPECT_THAT(banner, HasSubstr("curl -s http://[::1]:81/metrics "));
}

TEST(FreeListenAddress, FallsBackToAnyPortWhereItIsTaken) {
  Listener const taken;
  EXPECT_EQ(free_listen_address(taken.address()), "127.0.0.1:0");
}

TEST(FreeListenAddress, KeepsWhatIsFree) {
  std::string address;
  {
    Listener const gone;
    address = gone.address();
  }
  EXPECT_EQ(free_listen_address(address), address);
}

TEST(FreeListenAddress, LeavesToTheServerWhatItDoesNotUnderstand) {
  EXPECT_EQ(free_listen_address("localhost"), "localhost");
  EXPECT_EQ(free_listen_address("[::1]:9732"), "[::1]:9732");
}

TEST(Demo, ServesWhatItsConfigurationPins) {
  auto const demo =
      Demo::start(tuf::kNow, {.program = DEMO_CHILD, .arguments = {"demo_child", "--serve"}});
  ASSERT_TRUE(demo) << demo.error();
  config::Config const config = demo.value().config("127.0.0.1:0");
  EXPECT_THAT(config.web.listen_addresses, ElementsAre("127.0.0.1:0"));
  std::set<std::uint16_t> ports;
  for (auto const& probe : config.probes) {
    if (probe.name.text == kDemoKeyName) {
      EXPECT_TRUE(exists(demo_key(demo.value().directory())));
      continue;
    }
    EXPECT_TRUE(exists(tuf_of(probe).root)) << tuf_of(probe).root;
    ports.insert(tuf_of(probe).metadata_url.port());
  }
  EXPECT_EQ(ports, (std::set{demo.value().ports().serving, demo.value().ports().refusing}));
  EXPECT_THAT(demo.value().banner({"127.0.0.1:1"}), HasSubstr(demo.value().directory().string()));
}

TEST(Demo, LeavesNothingBehind) {
  std::filesystem::path directory;
  {
    auto const demo =
        Demo::start(tuf::kNow, {.program = DEMO_CHILD, .arguments = {"demo_child", "--serve"}});
    ASSERT_TRUE(demo) << demo.error();
    directory = demo.value().directory();
    EXPECT_EQ(status(directory).permissions(), std::filesystem::perms::owner_all);
  }
  EXPECT_FALSE(exists(directory));
}

TEST(Demo, LeavesNothingBehindWhereItsServerDoesNotStart) {
  auto const demo = Demo::start(tuf::kNow, {.program = "/nowhere/canaryd"});
  ASSERT_FALSE(demo);
  EXPECT_THAT(demo.error(), HasSubstr("cannot start /nowhere/canaryd"));
}

}  // namespace
}  // namespace canary::daemon
