// SPDX-License-Identifier: Apache-2.0
// Rows of what surrounds the program as it is shipped: file systems that stop answering under it,
// and a namespace without IPv6.
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "tests/faults/catalogue.h"
#include "tests/faults/frozen_file_system.h"
#include "tests/faults/scenes.h"
#include "tests/support/certificates.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// What a row keeps until its end: the last is gone first.
struct Kept {
  std::shared_ptr<support::CertificateAuthority> authority;
  std::shared_ptr<support::HostileServer> server;
  std::unique_ptr<FrozenFileSystem> disk;
};
using Prepare = std::function<void(Stage&, Kept&)>;
using Act = std::function<void(Stage&, FrozenFileSystem&)>;

// However the act ends, nobody is left waiting.
struct Thaw {
  ~Thaw() { disk.thaw(); }
  FrozenFileSystem& disk;
};

Row frozen(Row row, Prepare prepare, Act act) {
  row.shipped = true;
  row.sanitizers = false;
  auto const kept = std::make_shared<std::weak_ptr<Kept>>();
  row.scene = [kept, prepare = std::move(prepare)](Stage& stage) -> std::shared_ptr<void> {
    auto made = std::make_shared<Kept>();
    prepare(stage, *made);
    *kept = made;
    return made;
  };
  row.outside = [kept, act = std::move(act)](Stage& stage) {
    auto const held = kept->lock();
    Thaw const thaw{*held->disk};
    act(stage, *held->disk);
  };
  return row;
}

void require_seen(bool seen, std::string const& what) {
  if (!seen) throw std::runtime_error(what);
}

double value_of(Stage& stage, std::string const& name, std::vector<std::string> labels = {}) {
  return stage.metrics().value(name, std::move(labels)).value_or(-1);
}

// Runs of that probe begin and end, and it is well.
void goes_on(Stage& stage, std::string const& probe) {
  double const before = runs_of(stage.metrics(), probe);
  require_seen(wait_until([&] { return runs_of(stage.metrics(), probe) >= before + 2; }, 15s),
               probe + " does not go on while another's disk stands still");
  require_seen(value_of(stage, "canaryd_probe_success", {"probe=\"" + probe + "\""}) == 1,
               probe + " fails while another's disk stands still");
}

void has_run(Stage& stage, std::string const& probe) {
  require_seen(wait_until(
                   [&] {
                     return value_of(stage, "canaryd_probe_success", {"probe=\"" + probe + "\""}) ==
                            1;
                   },
                   15s),
               probe + " is not well before: " + stage.process().err());
}

void freeze(FrozenFileSystem& disk) {
  disk.freeze();
  require_seen(wait_until([&disk] { return disk.holds_somebody(); }, 10s),
               "nobody needs the frozen disk");
}

void stall_is_told(Stage& stage, char const* subject) {
  std::vector<std::string> const labels{std::string{"subject=\""} + subject + "\"",
                                        "level=\"stalled\""};
  require_seen(
      wait_until([&] { return value_of(stage, "canaryd_stalls_total", labels) >= 1; }, 15s),
      "nobody tells of the frozen disk: " + stage.process().err());
}

// A folder of the stage's, seen through a file system that can be frozen, at "silent".
void see_through(Stage& stage, Kept& kept, fs::path const& folder) {
  kept.disk = std::make_unique<FrozenFileSystem>(folder, stage.folder() / "silent");
}

void state_on_it(Stage& stage, Kept& kept) {
  auto const real = stage.folder() / "real-state";
  fs::create_directories(real);
  kept.disk = std::make_unique<FrozenFileSystem>(real, stage.state());
}

Row const kDisk{.number = "24", .verdicts = {"disk", "blocking_call"}, .end = End::recovered};

Row frozen_state() {
  Row row = kDisk;
  row.name = "FrozenState";
  row.what = "the state directory's file system stands still (FUSE)";
  row.subject = "disk";
  row.also = {"files", "run"};
  return frozen(row, state_on_it, [](Stage& stage, FrozenFileSystem& disk) {
    freeze(disk);
    goes_on(stage, "bystander");
    stall_is_told(stage, "disk");
  });
}

// Threads that wait for the disk keep the process from going; its place is free all the same.
void loop_hangs_too(Stage& stage, FrozenFileSystem& disk) {
  freeze(disk);
  stage.shim().set(Call::free_memory, {.thread = "loop"});
  int refused = 0;
  require_seen(wait_until(
                   [&] {
                     bool const answers = http_get(stage.address(), "/-/live", 1s).status != 0;
                     refused = answers ? 0 : refused + 1;
                     return refused >= 3 || !stage.alive();
                   },
                   70s),
               "its listeners stay open: " + stage.process().err());
}

Row frozen_state_loop_hangs() {
  Row row{.name = "FrozenStateLoopHangs",
          .number = "24",
          .what = "likewise, and then the loop hangs for ever",
          .subject = "loop",
          .verdicts = {"lock"},
          .culprit = "free",
          .end = End::restarted};
  row.also = {"disk", "files", "run"};
  row.no_metrics = true;  // once its listeners are closed
  return frozen(row, state_on_it, loop_hangs_too);
}

// Without RUNTIME_DIRECTORY dumps are on that disk as well: they wait for it in memory.
Row frozen_dumps_loop_hangs() {
  Row row{.name = "FrozenDumpsLoopHangs",
          .number = "24",
          .what = "likewise without RUNTIME_DIRECTORY: dumps wait in memory",
          .end = End::aborted,
          .says = "a dump is kept in memory: its disk has not taken it"};
  row.environment = {"RUNTIME_DIRECTORY="};
  row.stands = true;
  row.no_metrics = true;
  return frozen(row, state_on_it, loop_hangs_too);
}

Row frozen_repository() {
  Row row = kDisk;
  row.name = "FrozenRepository";
  row.what = "the file system of one file: repository stands still (FUSE)";
  row.subject = "files";
  row.also = {"run"};
  row.says = "a disk does not answer; the thread that waits for it is left to itself";
  auto const prepare = [](Stage& stage, Kept& kept) {
    see_through(stage, kept, stage.folder() / "repository");
    stage.add_probe("frozen", "file://" + (kept.disk->path() / "metadata").string());
    stage.add_probe("frozen-too", "file://" + (kept.disk->path() / "metadata").string());
  };
  return frozen(row, prepare, [](Stage& stage, FrozenFileSystem& disk) {
    has_run(stage, "frozen");
    freeze(disk);
    goes_on(stage, "bystander");
    stall_is_told(stage, "files");
  });
}

// What was read of them once goes on serving.
Row frozen_ca_file() {
  Row row = kDisk;
  row.name = "FrozenCaFile";
  row.what = "the file system of a probe's ca_file stands still (FUSE)";
  row.subject = "files";
  auto const prepare = [](Stage& stage, Kept& kept) {
    auto const folder = stage.folder() / "certificates";
    fs::create_directories(folder);
    kept.authority = std::make_shared<support::CertificateAuthority>(folder, "ca");
    support::HostileServer::Options options;
    options.tls = kept.authority->issue({.names = {"localhost"}, .addresses = {"127.0.0.1"}});
    kept.server = std::make_shared<support::HostileServer>(options);
    kept.server->on_any(files_of(stage.folder() / "repository"));
    see_through(stage, kept, folder);
    std::string url = kept.server->url("/metadata");
    if (url.starts_with("http:")) url.replace(0, 4, "https");
    stage.add_probe("remote", url,
                    "    http: {ca_file: " + (kept.disk->path() / "ca.pem").string() + "}\n");
  };
  return frozen(row, prepare, [](Stage& stage, FrozenFileSystem& disk) {
    has_run(stage, "remote");
    freeze(disk);
    goes_on(stage, "remote");
    stall_is_told(stage, "files");
  });
}

Row frozen_names() {
  Row row = kDisk;
  row.name = "FrozenNames";
  row.what = "hosts and resolv.conf stand still (FUSE)";
  row.subject = "files";
  auto const prepare = [](Stage& stage, Kept& kept) {
    auto const folder = stage.folder() / "names";
    fs::create_directories(folder);
    std::ofstream{folder / "hosts"} << "127.0.0.1 localhost repository.test\n";
    std::ofstream{folder / "resolv.conf"} << "nameserver 127.0.0.1\n";
    kept.server = std::make_shared<support::HostileServer>();
    kept.server->on_any(files_of(stage.folder() / "repository"));
    see_through(stage, kept, folder);
    for (char const* const name : {"hosts", "resolv.conf"}) {
      auto const from = kept.disk->path() / name;
      auto const to = fs::path{"/etc"} / name;
      if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        throw Unavailable{to.string() + " cannot be mounted over"};
      }
    }
    stage.add_probe("remote", kept.server->url("/metadata", "repository.test"));
  };
  return frozen(row, prepare, [](Stage& stage, FrozenFileSystem& disk) {
    has_run(stage, "remote");
    freeze(disk);
    goes_on(stage, "remote");
    stall_is_told(stage, "files");
  });
}

Row frozen_reload() {
  Row row{.name = "FrozenReload",
          .number = "24",
          .what = "a reload reads a folder that stands still (FUSE)",
          .says = "the reload did not end in time",
          .more = "scheduler: {start_spread: 0s, stop_timeout: 2s}\ninclude: silent/*.yml\n"};
  row.arguments = {"--watchdog.step-stall", "1s"};
  auto const prepare = [](Stage& stage, Kept& kept) {
    auto const folder = stage.folder() / "conf.d";
    fs::create_directories(folder);
    std::ofstream{folder / "more.yml"} << "probes: []\n";
    see_through(stage, kept, folder);
  };
  return frozen(row, prepare, [](Stage& stage, FrozenFileSystem& disk) {
    auto const succeeded = [&stage](double value) {
      return wait_until(
          [&] { return value_of(stage, "canaryd_config_last_reload_successful") == value; }, 15s);
    };
    disk.freeze();
    stage.process().signal(SIGHUP);
    require_seen(succeeded(0), "/metrics does not tell of the reload: " + stage.process().err());
    goes_on(stage, "bystander");
    require_seen(http_get(stage.address(), "/-/healthy", 3s).status == 200, "it is not healthy");
    disk.thaw();
    require_seen(wait_until(
                     [&] {
                       stage.process().signal(SIGHUP);
                       return value_of(stage, "canaryd_config_last_reload_successful") == 1;
                     },
                     15s),
                 "it does not reload afterwards: " + stage.process().err());
  });
}

// A network of this thread's and its children's own, whose loopback has no ::1.
void without_ipv6() {
  if (::unshare(CLONE_NEWNET) != 0) throw Unavailable{"no network namespace: not root"};
  for (char const* const which : {"all", "lo"}) {
    std::ofstream{std::string{"/proc/sys/net/ipv6/conf/"} + which + "/disable_ipv6"} << 1;
  }
  int const socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq up{};
  std::strcpy(up.ifr_name, "lo");
  up.ifr_flags = IFF_UP | IFF_RUNNING;
  bool const failed = ::ioctl(socket, SIOCSIFFLAGS, &up) != 0;
  ::close(socket);
  if (failed) throw Unavailable{"the loopback device cannot be set up"};
}

Row no_ipv6() {
  Row row{.name = "NoIpv6", .number = "-", .what = "every address is served, and there is no ::1"};
  row.shipped = true;
  row.sanitizers = false;
  row.quick = true;
  row.listen = ":0";
  row.scene = [](Stage&) -> std::shared_ptr<void> {
    without_ipv6();
    return nullptr;
  };
  // The server's own silence would be told within a second.
  row.outside = [](Stage&) { std::this_thread::sleep_for(4s); };
  return row;
}

}  // namespace

std::vector<Row> rows_of_surroundings() {
  return {frozen_state(),
          frozen_state_loop_hangs(),
          frozen_dumps_loop_hangs(),
          frozen_repository(),
          frozen_ca_file(),
          frozen_names(),
          frozen_reload(),
          no_ipv6()};
}

}  // namespace canary::faults
