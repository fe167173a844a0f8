// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <stdexcept>

#include "probes/tuf/authoring.h"
#include "tests/support/read_file.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;

void write_file(std::filesystem::path const& file, std::string const& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

std::filesystem::path temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "canary-fault-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

// A good repository in the folder: metadata/, targets/ and root.json.
void publish_repository(std::filesystem::path const& folder) {
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto const repository = tuf::a_repository(now);
  auto const published = tuf::publish(repository);
  for (auto const& [name, text] : published.metadata) {
    write_file(folder / "metadata" / name, text);
  }
  for (auto const& [name, text] : published.targets) write_file(folder / "targets" / name, text);
  write_file(folder / "root.json", published.root(1));
}

// Readable or writable before `until`.
bool ready_for(int fd, short what, Clock::time_point until) {
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  pollfd wanted{.fd = fd, .events = what, .revents = 0};
  return left > 0 && ::poll(&wanted, 1, static_cast<int>(left)) > 0;
}

struct Socket {
  ~Socket() { ::close(fd); }
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
};

}  // namespace

std::int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

bool wait_until(std::function<bool()> const& condition, std::chrono::milliseconds limit) {
  auto const until = Clock::now() + limit;
  while (!condition()) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

HttpReply http_get(std::string const& address, std::string const& path,
                   std::chrono::milliseconds limit) {
  auto const until = Clock::now() + limit;
  auto const colon = address.rfind(':');
  if (colon == std::string::npos) return {};
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &server.sin_addr);
  Socket const socket;
  bool const connects =
      ::connect(socket.fd, reinterpret_cast<sockaddr*>(&server), sizeof server) == 0 ||
      errno == EINPROGRESS;
  if (!connects) return {};
  if (!ready_for(socket.fd, POLLOUT, until)) return {};
  std::string const request =
      "GET " + path + " HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n";
  if (::send(socket.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  char bytes[16'384];
  while (true) {
    if (!ready_for(socket.fd, POLLIN, until)) return {};
    auto const size = ::recv(socket.fd, bytes, sizeof bytes, 0);
    if (size < 0) return {};
    if (size == 0) break;
    answer.append(bytes, static_cast<std::size_t>(size));
  }
  HttpReply reply;
  auto const body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || body == std::string::npos) return {};
  std::from_chars(answer.data() + 9, answer.data() + 12, reply.status);
  reply.body = answer.substr(body + 4);
  return reply;
}

namespace {

// Calls `use` with the value of each such series; ends where it says so.
void each_series(std::string const& text, std::string const& name,
                 std::vector<std::string> const& labels, std::function<bool(double)> const& use) {
  std::size_t at = 0;
  while (at < text.size()) {
    auto const end = std::min(text.find('\n', at), text.size());
    std::string_view const line{text.data() + at, end - at};
    at = end + 1;
    if (!line.starts_with(name)) continue;
    if (line.size() <= name.size() || (line[name.size()] != '{' && line[name.size()] != ' ')) {
      continue;
    }
    bool fits = true;
    for (auto const& label : labels) fits = fits && line.find(label) != std::string_view::npos;
    auto const space = line.rfind(' ');
    if (fits && use(std::strtod(std::string{line.substr(space + 1)}.c_str(), nullptr))) return;
  }
}

}  // namespace

std::optional<double> Metrics::value(std::string const& name,
                                     std::vector<std::string> labels) const {
  std::optional<double> result;
  each_series(text, name, labels, [&](double value) { return result = value, true; });
  return result;
}

double Metrics::sum(std::string const& name, std::vector<std::string> labels) const {
  double result = 0;
  each_series(text, name, labels, [&](double value) { return result += value, false; });
  return result;
}

double runs_of(Metrics const& metrics, std::string const& probe) {
  return metrics.value("canaryd_probe_runs_total", {"probe=\"" + probe + "\""}).value_or(0);
}

Poller::Poller(std::string address, int process)
    : address_(std::move(address)), process_(process), thread_([this] { run(); }) {}

Poller::~Poller() { stop(); }

void Poller::stop() {
  {
    std::lock_guard const lock{mutex_};
    stop_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

Poller::Seen Poller::seen() const {
  std::lock_guard const lock{mutex_};
  return seen_;
}

// Ended, if not yet waited for.
bool Poller::ended() const {
  std::string const stat = support::read_file("/proc/" + std::to_string(process_) + "/stat");
  auto const name_end = stat.rfind(") ");
  return name_end == std::string::npos || stat[name_end + 2] == 'Z' || stat[name_end + 2] == 'X';
}

void Poller::run() {
  constexpr auto kLimit = 2s;
  bool stalled_before = false;
  int health_before = 0;
  while (true) {
    auto const began = Clock::now();
    auto const metrics = http_get(address_, "/metrics", kLimit);
    auto const health = http_get(address_, "/-/healthy", kLimit);
    double const took = std::chrono::duration<double>(Clock::now() - began).count();
    // A process that dies needs a moment to be seen dead.
    bool const gone = (metrics.status == 0 || health.status == 0) &&
                      wait_until([this] { return ended(); }, 200ms);
    {
      std::lock_guard const lock{mutex_};
      if (stop_ || gone) return;  // what was under way does not count
      if (metrics.status == 200) {
        ++seen_.answers;
        seen_.last.text = metrics.body;
        if (seen_.last.value("canaryd_emergency_page") == 1.0) ++seen_.emergency;
      }
      if (metrics.status != 200 || health.status == 0) {
        ++seen_.missing;
        if (seen_.emergency > 0) ++seen_.missing_then;
      }
      seen_.slowest_s = std::max(seen_.slowest_s, took);
      bool const stalled = seen_.last.value("canaryd_executor_stalled") == 1.0;
      // In between two pages that say so it must be so.
      if (stalled && stalled_before && health_before == 503) ++seen_.stalled_unhealthy;
      if (stalled && stalled_before && health_before == 200) ++seen_.stalled_healthy;
      stalled_before = stalled;
      health_before = health.status;
      seen_.health = health.status;
      if (health.status == 503) seen_.unhealthy = health.body;
    }
    std::this_thread::sleep_for(20ms);
  }
}

NotifySocket::NotifySocket(std::filesystem::path const& file) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, file.c_str(), sizeof address.sun_path - 1);
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
}

NotifySocket::~NotifySocket() { ::close(socket_); }

int NotifySocket::pings() {
  char bytes[4'096];
  ssize_t size = 0;
  while ((size = ::recv(socket_, bytes, sizeof bytes, 0)) > 0) {
    std::string const text{bytes, static_cast<std::size_t>(size)};
    if (text.find("WATCHDOG=1") != std::string::npos) ++pings_;
    if (auto const at = text.find("STATUS="); at != std::string::npos) {
      status_ = text.substr(at + 7, text.find('\n', at) - at - 7);
    }
  }
  return pings_;
}

Stage::Stage(Settings settings)
    : settings_(std::move(settings)), folder_(temporary_folder()), notify_(folder_ / "notify") {
  publish_repository(folder_ / "repository");
  write_file(folder_ / "canaryd.yml", configuration());
  std::filesystem::create_directories(folder_ / "run");
  std::filesystem::create_directories(state());
  if (settings_.shipped) shim_ = std::make_unique<Shim>(folder_ / "shim");
}

Stage::~Stage() {
  later_.clear();
  process_.reset();
  if (std::getenv("CANARY_FAULTS_KEEP") != nullptr) return;
  // What a scene may have mounted there; then the dump helper may still be at its last file.
  for (auto const& place : {folder_ / "silent", state()}) ::umount2(place.c_str(), MNT_DETACH);
  wait_until(
      [this] {
        std::error_code failed;
        std::filesystem::remove_all(folder_, failed);
        return !failed && !std::filesystem::exists(folder_, failed);
      },
      3s);
}

std::string Stage::configuration() const {
  std::string const where = (folder_ / "repository").string();
  std::string const tuf = "    tuf:\n      metadata_url: file://" + where +
                          "/metadata\n      root: " + where + "/root.json\n";
  std::string more;
  for (int i = 1; i <= settings_.bystanders; ++i) {
    more += "  - name: bystander-" + std::to_string(i) + "\n" + tuf;
  }
  std::string limits = "watchdog: {" + settings_.watchdog + "}\n";
  if (!settings_.default_limits) {
    limits =
        "watchdog: {loop_suspect: 100ms, loop_stall: 300ms, loop_hung: 700ms, loop_dead: 1500ms,\n"
        "           run_unwind: 500ms, worker_stall: 800ms, disk_stall: 800ms,\n"
        "           server_stall: 1s, scheduler_stall: 800ms" +
        (settings_.watchdog.empty() ? "" : ", " + settings_.watchdog) + "}\n";
  } else if (settings_.watchdog.empty()) {
    limits.clear();
  }
  return "state_directory: " + state().string() + "\nweb: {listen_addresses: [\"" +
         settings_.listen + "\"]}\nworkers: 2\n" + limits +
         (settings_.more.empty() ? "scheduler: {start_spread: 0s, stop_timeout: 2s}\n"
                                 : settings_.more) +
         "defaults: {interval: 1s, timeout: " + std::to_string(timeout_s_) +
         "s}\n"
         "probes:\n"
         "  - name: bystander\n" +
         tuf + "  - name: victim\n" + settings_.victim + tuf + more + more_probes_;
}

void Stage::add_probe(std::string const& name, std::string const& metadata_url,
                      std::string const& more) {
  more_probes_ += "  - name: " + name + "\n" + more +
                  "    tuf:\n      metadata_url: " + metadata_url +
                  "\n      root: " + (folder_ / "repository" / "root.json").string() + "\n";
  write_file(folder_ / "canaryd.yml", configuration());
}

void Stage::change_timeouts() {
  timeout_s_ = timeout_s_ == 30 ? 29 : 30;
  write_file(folder_ / "canaryd.yml", configuration());
}

std::vector<std::string> Stage::own_environment() const {
  std::vector<std::string> all{
      "RUNTIME_DIRECTORY=" + (folder_ / "run").string(), "STATE_DIRECTORY=" + state().string(),
      "NOTIFY_SOCKET=" + (folder_ / "notify").string(), "WATCHDOG_USEC=2000000"};
  // getenv(3) takes the first of a name.
  all.insert(all.begin(), settings_.environment.begin(), settings_.environment.end());
  return all;
}

void Stage::start(bool with_fault) {
  for (char const* const file : {"address", "started", "trigger"}) {
    std::filesystem::remove(folder_ / file);
  }
  std::vector<std::string> command = wrapper_;
  for (auto const& word :
       {std::string{settings_.shipped ? CANARYD : CANARYD_FAULTS}, std::string{"run"},
        std::string{"--config"}, (folder_ / "canaryd.yml").string()}) {
    command.push_back(word);
  }
  command.insert(command.end(), settings_.arguments.begin(), settings_.arguments.end());
  std::vector<std::string> environment = own_environment();
  if (settings_.shipped) {
    auto const more = shim_->environment();
    environment.insert(environment.end(), more.begin(), more.end());
  } else {
    environment.push_back("CANARY_FAULT_DIR=" + folder_.string());
    environment.emplace_back("CANARY_RUN_STALL_MS=1500");
    if (with_fault) {
      environment.push_back("CANARY_FAULT=" + settings_.fault);
      environment.push_back("CANARY_FAULT_MS=" + std::to_string(settings_.ms));
    }
  }
  process_.reset();
  later_.clear();
  if (settings_.shipped) shim_->clear_all();
  process_ = std::make_unique<support::ChildProcess>(command, environment);
  if (settings_.shipped) shim_->aim_at(process_->pid());
}

bool Stage::dump() const {
  auto const ran =
      support::run({CANARYD, "dump", "--state-directory", state().string()}, own_environment());
  return ran.code == 0 && ran.out.find("THREADS") != std::string::npos;
}

// What the one with faults writes down, and the other says in its log.
std::optional<std::string> Stage::find_address() const {
  if (!settings_.shipped) {
    if (!std::filesystem::exists(folder_ / "address")) return std::nullopt;
    return support::read_file(folder_ / "address");
  }
  std::string const log = process_->err();
  constexpr std::string_view kField = "msg=listening address=";
  auto const at = log.find(kField);
  auto const end = log.find('\n', at == std::string::npos ? 0 : at);
  if (at == std::string::npos || end == std::string::npos) return std::nullopt;
  return log.substr(at + kField.size(), end - at - kField.size());
}

bool Stage::ready() {
  std::optional<std::string> address;
  wait_until(
      [&] {
        address = find_address();
        return address || !alive();
      },
      30s);
  if (!address || !alive()) return false;
  address_ = *address;
  return wait_until(
      [this] {
        auto const now = metrics();
        return (runs_of(now, "bystander") >= 1 && runs_of(now, "victim") >= 1) || !alive();
      },
      30s);
}

std::optional<std::int64_t> Stage::trigger() {
  write_file(folder_ / "trigger", "");
  auto const file = folder_ / "started";
  if (!wait_until([&] { return std::filesystem::exists(file); }, 20s)) return std::nullopt;
  return std::stoll(support::read_file(file));
}

void Stage::untrigger() const { std::filesystem::remove(folder_ / "trigger"); }

void Stage::later(std::chrono::milliseconds span, std::function<void()> what) {
  later_.emplace_back([until = Clock::now() + span, what = std::move(what)](std::stop_token stop) {
    while (!stop.stop_requested() && Clock::now() < until) std::this_thread::sleep_for(10ms);
    what();
  });
}

std::vector<int> Stage::threads_called(std::string const& prefix) const {
  std::vector<int> result;
  std::filesystem::path const tasks = "/proc/" + std::to_string(process_->pid()) + "/task";
  std::error_code gone;  // the process ends when it likes
  for (std::filesystem::directory_iterator entry{tasks, gone}, end; !gone && entry != end;
       entry.increment(gone)) {
    int const thread = std::stoi(entry->path().filename().string());
    if (name_of(thread).starts_with(prefix)) result.push_back(thread);
  }
  return result;
}

std::string Stage::name_of(int thread) const {
  std::string name = support::read_file("/proc/" + std::to_string(process_->pid()) + "/task/" +
                                        std::to_string(thread) + "/comm");
  if (!name.empty()) name.pop_back();
  return name;
}

}  // namespace canary::faults
