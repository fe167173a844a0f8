// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/scenes.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "probes/tuf/authoring.h"
#include "tests/support/certificates.h"
#include "tests/support/full_listener.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;

// Mounts from now on are seen by this thread and its children alone, and go with them.
void own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) throw Unavailable{"no mount namespace: not root"};
  ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
}

// A connection that is made, and then left alone.
class Client {
 public:
  Client(std::string const& address, std::string const& sends)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0) return;
    [[maybe_unused]] auto const sent = ::send(fd_, sends.data(), sends.size(), MSG_NOSIGNAL);
  }
  ~Client() { ::close(fd_); }
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

 private:
  int fd_;
};

// A file system whose server reads requests and answers only the first.
class SilentFileSystem {
 public:
  SilentFileSystem(std::filesystem::path const& folder, std::chrono::milliseconds span) {
    own_mounts();
    device_ = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device_ < 0) throw Unavailable{"/dev/fuse cannot be opened"};
    std::filesystem::create_directories(folder);
    std::string const options =
        "fd=" + std::to_string(device_) + ",rootmode=40000,user_id=0,group_id=0";
    if (::mount("silent", folder.c_str(), "fuse", 0, options.c_str()) != 0) {
      throw Unavailable{"FUSE cannot be mounted"};
    }
    server_ = std::thread{[this, span] { serve(span); }};
  }
  ~SilentFileSystem() {
    stop_ = true;
    server_.join();
  }
  SilentFileSystem(SilentFileSystem const&) = delete;
  SilentFileSystem& operator=(SilentFileSystem const&) = delete;

 private:
  // Closing the device ends every request with an error.
  void serve(std::chrono::milliseconds span) {
    std::vector<char> bytes(1 << 17);
    std::optional<Clock::time_point> until;
    while (!stop_ && (!until || Clock::now() < *until)) {
      pollfd wanted{.fd = device_, .events = POLLIN, .revents = 0};
      if (::poll(&wanted, 1, 50) <= 0) continue;
      if (::read(device_, bytes.data(), bytes.size()) <
          static_cast<ssize_t>(sizeof(fuse_in_header)))
        continue;
      fuse_in_header request{};
      std::memcpy(&request, bytes.data(), sizeof request);
      if (request.opcode == FUSE_INIT) {
        answer_init(request.unique);
      } else if (request.opcode == FUSE_INTERRUPT) {
        // "Not implemented": from then on the waiting threads cannot be interrupted.
        answer(request.unique, -ENOSYS, nullptr, 0);
      } else if (!until) {
        until = Clock::now() + span;
      }
    }
    ::close(device_);
  }
  void answer_init(std::uint64_t unique) const {
    fuse_init_out init{};
    init.major = FUSE_KERNEL_VERSION;
    init.minor = 26;
    init.max_write = 65'536;
    answer(unique, 0, &init, 24);
  }
  void answer(std::uint64_t unique, int error, void const* body, std::size_t size) const {
    std::vector<char> bytes(sizeof(fuse_out_header) + size);
    fuse_out_header const head{
        .len = static_cast<std::uint32_t>(bytes.size()), .error = error, .unique = unique};
    std::memcpy(bytes.data(), &head, sizeof head);
    if (size > 0) std::memcpy(bytes.data() + sizeof head, body, size);
    [[maybe_unused]] auto const written = ::write(device_, bytes.data(), bytes.size());
  }

  int device_ = -1;
  std::atomic<bool> stop_{false};
  std::thread server_;
};

struct LaterWriter {
  LaterWriter(std::string file, std::chrono::milliseconds span)
      : thread([this, file = std::move(file), span] {
          auto const until = Clock::now() + span;
          // Only a reader that has come can be let go.
          int fd = -1;
          while (!stop && (Clock::now() < until || fd < 0)) {
            if (Clock::now() >= until) fd = ::open(file.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
            std::this_thread::sleep_for(10ms);
          }
          if (fd >= 0) ::close(fd);
        }) {}
  ~LaterWriter() {
    stop = true;
    thread.join();
  }
  std::atomic<bool> stop{false};
  std::thread thread;
};

struct Pipe {
  ~Pipe() { ::close(fd); }
  int fd = -1;
};

struct RootMint {
  explicit RootMint() {
    auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    auto repository = tuf::a_repository(now);
    for (int i = 0; i < 300; ++i) tuf::add_root(repository);
    published = tuf::publish(repository);
    server.on_any([this](support::Peer& peer, support::ServedRequest const& request) {
      auto const found = published.metadata.find(request.target.substr(1));
      auto const script = found == published.metadata.end() ? support::respond(404, "no such file")
                                                            : support::respond(found->second);
      script(peer, request);
    });
  }
  tuf::Published published;
  support::HostileServer server;
};

void write_text(std::filesystem::path const& file, std::string const& text) {
  std::ofstream stream{file};
  stream << text << std::flush;
  if (!stream) throw Unavailable{file.string() + " cannot be written"};
}

// A group of one kernel controller, with the process in it; afterwards it is back where it was.
class Group {
 public:
  Group(std::string const& controller, int process) : process_(process) {
    std::filesystem::path const all = "/sys/fs/cgroup/" + controller;
    parent_ = all;
    path_ = all / ("canary-fault-" + std::to_string(process));
    std::error_code failed;
    std::filesystem::create_directory(path_, failed);
    if (failed) throw Unavailable{"no control group can be made in " + all.string()};
  }
  ~Group() {
    std::ofstream{parent_ / "cgroup.procs"} << process_ << std::flush;
    std::error_code ignored;
    for (int i = 0; i < 50; ++i) {
      if (std::filesystem::remove(path_, ignored)) return;
      std::this_thread::sleep_for(20ms);
    }
  }
  Group(Group const&) = delete;
  Group& operator=(Group const&) = delete;
  void set(std::string const& file, std::string const& text) { write_text(path_ / file, text); }
  void enter() { set("cgroup.procs", std::to_string(process_)); }

 private:
  int process_;
  std::filesystem::path parent_, path_;
};

}  // namespace

Scene server(support::Script script, bool tls) {
  return [script, tls](Stage& stage) -> std::shared_ptr<void> {
    std::shared_ptr<support::HostileServer> kept;
    if (tls) {
      support::HostileServer::Options options;
      options.on_accept = script;
      kept = std::make_shared<support::HostileServer>(options);
    } else {
      kept = std::make_shared<support::HostileServer>();
      kept->on_any(script);
    }
    std::string url = kept->url("/");
    if (tls) url.replace(0, 4, "https");
    stage.add_environment("CANARY_FAULT_URL=" + url);
    return kept;
  };
}

support::Script files_of(std::filesystem::path folder) {
  return [folder = std::move(folder)](support::Peer& peer, support::ServedRequest const& request) {
    std::ifstream file{folder.string() + request.target, std::ios::binary};
    if (!file) return support::respond(404, "no such file")(peer, request);
    support::respond(std::string{std::istreambuf_iterator<char>{file}, {}})(peer, request);
  };
}

Scene full_backlog() {
  return [](Stage& stage) -> std::shared_ptr<void> {
    auto kept = std::make_shared<support::FullListener>();
    stage.add_environment("CANARY_FAULT_URL=http://127.0.0.1:" + std::to_string(kept->port()));
    return kept;
  };
}

Scene endless_roots() {
  return [](Stage& stage) -> std::shared_ptr<void> {
    auto kept = std::make_shared<RootMint>();
    std::ofstream(stage.folder() / "repository" / "root.json", std::ios::binary)
        << kept->published.root(1);
    for (auto const& [name, text] : kept->published.metadata) {
      // The good repository has the first root only, and what is signed for it.
      if (name.ends_with("root.json") && name != "1.root.json") continue;
      std::ofstream(stage.folder() / "repository" / "metadata" / name, std::ios::binary) << text;
    }
    stage.add_environment("CANARY_FAULT_URL=" + kept->server.url(""));
    return kept;
  };
}

Scene silent_file_system(std::chrono::milliseconds span) {
  return [span](Stage& stage) -> std::shared_ptr<void> {
    auto kept = std::make_shared<SilentFileSystem>(stage.folder() / "silent", span);
    stage.add_environment("CANARY_FAULT_PATH=" + (stage.folder() / "silent" / "file").string());
    return kept;
  };
}

Scene fifo(std::chrono::milliseconds span) {
  return [span](Stage& stage) -> std::shared_ptr<void> {
    std::string const file = (stage.folder() / "fifo").string();
    if (::mkfifo(file.c_str(), 0600) != 0) throw Unavailable{"no FIFO can be made"};
    stage.add_environment("CANARY_FAULT_PATH=" + file);
    return std::make_shared<LaterWriter>(file, span);
  };
}

Scene small_disk(int kibibytes) {
  return [kibibytes](Stage& stage) -> std::shared_ptr<void> {
    own_mounts();
    std::string const size = "size=" + std::to_string(kibibytes) + "k";
    if (::mount("small", stage.state().c_str(), "tmpfs", 0, size.c_str()) != 0) {
      throw Unavailable{"tmpfs cannot be mounted"};
    }
    stage.add_environment("CANARY_FAULT_PATH=" + (stage.state() / "filling").string());
    return nullptr;
  };
}

Scene unread_pipe() {
  return [](Stage& stage) -> std::shared_ptr<void> {
    std::string const file = (stage.folder() / "log").string();
    auto kept = std::make_shared<Pipe>();
    if (::mkfifo(file.c_str(), 0600) != 0) throw Unavailable{"no FIFO can be made"};
    kept->fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    stage.start_through({"/bin/sh", "-c", "exec \"$@\" 2>" + file, "sh"});
    return kept;
  };
}

Outside stop_and_continue(std::chrono::milliseconds span) {
  return [span](Stage& stage) {
    stage.process().signal(SIGSTOP);
    std::this_thread::sleep_for(span);
    stage.process().signal(SIGCONT);
  };
}

Outside freeze(std::chrono::milliseconds span) {
  return [span](Stage& stage) {
    Group group{"freezer", stage.process().pid()};
    group.enter();
    group.set("freezer.state", "FROZEN");
    std::this_thread::sleep_for(span);
    group.set("freezer.state", "THAWED");
  };
}

Outside trace_threads(std::string prefix, std::chrono::milliseconds span) {
  return [prefix, span](Stage& stage) {
    auto const threads = stage.threads_called(prefix);
    if (threads.empty()) throw Unavailable{"no thread is called " + prefix};
    for (int const thread : threads) {
      if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
        throw Unavailable{"ptrace is not allowed"};
      }
      ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
      ::waitpid(thread, nullptr, __WALL);
    }
    std::this_thread::sleep_for(span);
    for (int const thread : threads) ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  };
}

Outside end_threads(std::string prefix) {
  return [prefix](Stage& stage) {
#ifdef __x86_64__
    auto const threads = stage.threads_called(prefix);
    if (threads.empty()) throw Unavailable{"no thread is called " + prefix};
    for (int const thread : threads) {
      user_regs_struct registers{};
      if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
        throw Unavailable{"ptrace is not allowed"};
      }
      ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
      ::waitpid(thread, nullptr, __WALL);
      ::ptrace(PTRACE_GETREGS, thread, nullptr, &registers);
      // It waits in a call: the instruction before is made again, as another one.
      registers.rip -= 2;
      registers.orig_rax = static_cast<unsigned long long>(-1);
      registers.rax = SYS_exit;
      registers.rdi = 0;
      ::ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
      ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
    }
#else
    (void)stage;
    throw Unavailable{"only written for x86-64"};
#endif
  };
}

Outside debugger() {
  return [](Stage& stage) {
    auto const ran =
        support::run({"/usr/bin/gdb", "-batch", "-nx", "-iex", "set debuginfod enabled off", "-ex",
                      "thread apply all bt 3", "-p", std::to_string(stage.process().pid())});
    if (ran.code != 0) throw Unavailable{"gdb cannot attach"};
  };
}

Outside starve(int percent, std::chrono::milliseconds span) {
  return [percent, span](Stage& stage) {
    Group group{"cpu", stage.process().pid()};
    group.set("cpu.cfs_period_us", "100000");
    group.set("cpu.cfs_quota_us", std::to_string(percent * 1'000));
    group.enter();
    std::this_thread::sleep_for(span);
  };
}

Outside limit_to(int percent) {
  return [percent, kept = std::make_shared<std::optional<Group>>()](Stage& stage) {
    Group& group = kept->emplace("cpu", stage.process().pid());
    group.set("cpu.cfs_period_us", "100000");
    group.set("cpu.cfs_quota_us", std::to_string(percent * 1'000));
    group.enter();
  };
}

Outside misbehave(Call call, Shim::How how, std::chrono::milliseconds span) {
  return [=](Stage& stage) {
    stage.shim().set(call, how);
    if (span > 0ms) stage.later(span, [&stage, call] { stage.shim().clear(call); });
  };
}

Outside misbehave_for(Call call, Shim::How how, std::chrono::milliseconds span) {
  return [=](Stage& stage) {
    stage.shim().set(call, how);
    std::this_thread::sleep_for(span);
    if (stage.shim().hits(call) == 0 && how.misdeed != Misdeed::ahead) {
      throw std::runtime_error("the call was never made");
    }
    stage.shim().clear(call);
  };
}

Outside idle_clients(int count, std::chrono::milliseconds span, std::string sends) {
  return [=](Stage& stage) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<Client>(stage.address(), sends));
    }
    std::this_thread::sleep_for(span);
  };
}

Outside signal_children(int signal) {
  return [signal](Stage& stage) {
    std::string const pid = std::to_string(stage.process().pid());
    std::ranges::for_each(std::filesystem::directory_iterator{"/proc/" + pid + "/task"},
                          [signal](auto const& task) {
                            std::ifstream children{task.path() / "children"};
                            for (int child = 0; children >> child;) ::kill(child, signal);
                          });
  };
}

Outside signal_storm(int signal, int times) {
  return [signal, times](Stage& stage) {
    for (int i = 0; i < times; ++i) {
      stage.process().signal(signal);
      if (i % 100 == 0) std::this_thread::sleep_for(1ms);
    }
  };
}

Outside stop_by_term() {
  return [](Stage& stage) { stage.process().signal(SIGTERM); };
}

}  // namespace canary::faults
