// SPDX-License-Identifier: Apache-2.0
// How fast bodies are downloaded and hashed, beside what the machine can do and beside
// `curl -s URL | openssl dgst -sha256`, from nginx on loopback. Each row is the best of five.
// Run: build/release/http_bench [MEBIBYTES]. Needs nginx, curl and openssl.
#include <netinet/in.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <openssl/evp.h>

#include "runtime/block_on.h"
#include "runtime/task_group.h"
#include "tests/bench/http_world.h"

extern char** environ;

namespace {

using namespace canary;
using World = bench::HttpWorld;
using Clock = std::chrono::steady_clock;

constexpr int kRuns = 5;
constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::size_t kSmallMebibytes = 16;
constexpr int kSmallFiles = 64;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::uint16_t free_port() {
  auto address = loopback(0);
  socklen_t size = sizeof address;
  int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

// nginx in the foreground, serving a folder in memory; gone with this object.
class Nginx {
 public:
  explicit Nginx(std::size_t mebibytes) : port_(free_port()) {
    auto const base = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
    std::string pattern = std::string{base} + "/canary-bench-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    std::filesystem::permissions(folder_, std::filesystem::perms::all);
    write_file("large", mebibytes);
    write_file("small", kSmallMebibytes);
    std::ofstream{folder_ / "nginx.conf"}
        << "daemon off; master_process off; error_log stderr crit; pid " << folder_.string()
        << "/pid;\nevents { worker_connections 512; }\nhttp { access_log off; sendfile on;\n"
        << "server { listen 127.0.0.1:" << port_ << "; root " << folder_.string() << "; } }\n";
    std::string const conf = (folder_ / "nginx.conf").string();
    std::vector<std::string> words{"nginx", "-e", "stderr", "-c", conf};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (::posix_spawnp(&child_, "nginx", nullptr, nullptr, arguments.data(), environ) != 0) {
      throw std::runtime_error("nginx cannot be started");
    }
    for (int i = 0; i < 500 && !answers(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  ~Nginx() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }
  Nginx(Nginx const&) = delete;
  Nginx& operator=(Nginx const&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(std::string const& name) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + name;
  }

 private:
  void write_file(std::string const& name, std::size_t mebibytes) const {
    std::ofstream file{folder_ / name, std::ios::binary};
    std::string piece(1024 * 1024, '\0');
    std::uint64_t state = 88'172'645'463'325'252ULL;
    for (char& byte : piece) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      byte = static_cast<char>(state);
    }
    for (std::size_t i = 0; i < mebibytes; ++i) file << piece;
  }
  bool answers() const {
    auto const address = loopback(port_);
    int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
    bool const good =
        ::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
    ::close(fd);
    return good;
  }

  std::filesystem::path folder_;
  std::uint16_t port_;
  pid_t child_ = 0;
};

class Sha256 : public fetch::BodyConsumer {
 public:
  Sha256() : context_(::EVP_MD_CTX_new(), &::EVP_MD_CTX_free) { restart(); }
  bool take(std::string_view piece) override {
    return ::EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) == 1;
  }
  void restart() override { ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr); }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context_;
};

// Throws the body away as it comes.
class NullSink : public fetch::BodySink {
 public:
  runtime::Task<std::span<char>> room(runtime::Trace) override { co_return std::span{memory_}; }
  bool commit(std::size_t) override { return true; }
  runtime::Task<void> restart(runtime::Trace) override { co_return; }
  runtime::Task<bool> finish(runtime::Trace) override { co_return true; }

 private:
  std::vector<char> memory_ = std::vector<char>(kBuffer);
};

void receive_raw(std::uint16_t port) {
  auto const address = loopback(port);
  int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) std::abort();
  std::string const request = "GET /large HTTP/1.0\r\n\r\n";
  ::send(fd, request.data(), request.size(), 0);
  std::vector<char> buffer(kBuffer);
  while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) {
  }
  ::close(fd);
}

void hash_raw(std::size_t mebibytes) {
  Sha256 hash;
  std::string const piece(kBuffer, 'x');
  for (std::size_t i = 0; i < mebibytes * 4; ++i) hash.take(piece);
}

void must(fetch::Result<fetch::Response> const& result) {
  if (!result) throw std::runtime_error(result.error().message);
}

runtime::Task<void> download_null(World& world, std::string url) {
  fetch::Client client{co_await boost::asio::this_coro::executor, world.settings, world.services};
  NullSink sink;
  fetch::Request request{config::Url::parse(url).value(), std::uint64_t{1} << 40};
  must(co_await client.download(std::move(request), sink, runtime::Deadline::never(), {}));
}

runtime::Task<void> hash_one(World& world, fetch::Client& client, std::string url) {
  auto const hash = std::make_shared<Sha256>();
  std::vector<fetch::PipelinedSink::Stage> stages{{world.cpu, hash}};
  fetch::PipelinedSink sink{co_await boost::asio::this_coro::executor, std::move(stages)};
  fetch::Request request{config::Url::parse(url).value(), std::uint64_t{1} << 40};
  must(co_await client.download(std::move(request), sink, runtime::Deadline::never(), {}));
}

runtime::Task<void> download_hash(World& world, std::string url, int count) {
  fetch::Client client{co_await boost::asio::this_coro::executor, world.settings, world.services};
  runtime::TaskGroup group{co_await boost::asio::this_coro::executor};
  for (int i = 0; i < count; ++i) group.start(hash_one(world, client, url));
  co_await group.join({});
}

double best_seconds(std::function<void()> const& work) {
  double best = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    auto const before = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - before).count());
  }
  return best;
}

double peak_mebibytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

double row(char const* name, std::size_t mebibytes, std::function<void()> const& work) {
  double const seconds = best_seconds(work);
  double const rate = static_cast<double>(mebibytes) * 1.048576e-3 / seconds;
  std::printf("%-44s %7.3f s  %6.2f GB/s  peak %4.0f MiB\n", name, seconds, rate, peak_mebibytes());
  std::fflush(stdout);
  return rate;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t const mebibytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024;
  Nginx const nginx{mebibytes};
  World world;
  world.loop.start();
  auto const run = [&world](runtime::Task<void> task) {
    runtime::block_on(world.loop, std::move(task),
                      runtime::Deadline::after(std::chrono::minutes{5}));
  };
  auto const large = nginx.url("large");
  auto const small = nginx.url("small");
  std::string const curl = "curl -s " + large + " | openssl dgst -sha256 > /dev/null";
  double const receive =
      row("receive alone, 256 KiB reads", mebibytes, [&] { receive_raw(nginx.port()); });
  double const hash = row("SHA-256 alone", mebibytes, [&] { hash_raw(mebibytes); });
  row("our client, body thrown away", mebibytes, [&] { run(download_null(world, large)); });
  double const ours =
      row("our client and SHA-256", mebibytes, [&] { run(download_hash(world, large, 1)); });
  row("our client and SHA-256, 64 of 16 MiB", kSmallFiles * kSmallMebibytes,
      [&] { run(download_hash(world, small, kSmallFiles)); });
  double const theirs = row("curl | openssl dgst -sha256", mebibytes, [&] {
    if (std::system(curl.c_str()) != 0) throw std::runtime_error("curl or openssl failed");
  });
  std::printf(
      "ours is %.2f times curl | openssl and %.0f %% of the slower of receiving and hashing\n",
      ours / theirs, 100.0 * ours / std::min(receive, hash));
}
