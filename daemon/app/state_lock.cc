// SPDX-License-Identifier: Apache-2.0
// Source: flock(2). A lock on a folder needs no file, so it works where nothing can be written.
#include "daemon/app/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kOwnerEnds = 1s;  // a restart may be quicker than the end of the process before
constexpr auto kLookAgain = 20ms;

std::string because(std::string const& what, fs::path const& where, int error) {
  return "cannot " + what + " " + where.string() + ": " + std::generic_category().message(error);
}

int open_folder(fs::path const& folder) {
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

Owner read_owner(fs::path const& folder) {
  Owner owner;
  std::ifstream file{folder / kOwnerFile};
  for (std::string line; std::getline(file, line);) {
    auto const space = line.find(' ');
    if (space == std::string::npos) continue;
    std::string const value = line.substr(space + 1);
    std::string const name = line.substr(0, space);
    if (name == "process") {
      std::from_chars(value.data(), value.data() + value.size(), owner.process);
    } else if (name == "state") {
      owner.state = value;
    } else if (name == "runtime") {
      owner.runtime = value;
    }
  }
  return owner;
}

bool same_folder(int one, int other) {
  struct stat a{};
  struct stat b{};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

// 0, or errno. Somebody may merely be looking at the lock.
int lock_within(int folder, std::chrono::milliseconds limit) {
  auto const until = std::chrono::steady_clock::now() + limit;
  while (::flock(folder, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return errno;
    if (std::chrono::steady_clock::now() >= until) return EWOULDBLOCK;
    std::this_thread::sleep_for(kLookAgain);
  }
  return 0;
}

std::string refusal(fs::path const& folder) {
  auto const owner = read_owner(folder);
  std::string const who =
      owner.process == 0 ? "another canaryd" : "canaryd process " + std::to_string(owner.process);
  return who + " owns " + folder.string() +
         "; one process runs on a state directory and a runtime directory at a time: stop that "
         "one, or give this one folders of its own (state_directory, RUNTIME_DIRECTORY)";
}

}  // namespace

Ownership look_at_owner(fs::path const& folder) {
  Ownership seen;
  int const file = open_folder(folder);
  if (file < 0) {
    seen.why = because("open", folder, errno);
    return seen;
  }
  if (::flock(file, LOCK_SH | LOCK_NB) == 0) {
    seen.kind = Ownership::Kind::nobody;
  } else if (errno == EWOULDBLOCK) {
    seen.kind = Ownership::Kind::somebody;
  } else {
    seen.why = because("look at the lock of", folder, errno);
  }
  ::close(file);
  seen.owner = read_owner(folder);
  return seen;
}

StateLock::StateLock(Places const& places) {
  std::error_code ignored;
  own_ = {.process = ::getpid(),
          .state = fs::absolute(places.state, ignored).lexically_normal(),
          .runtime = fs::absolute(places.runtime, ignored).lexically_normal()};
}

StateLock::StateLock(StateLock&& other) noexcept
    : own_(std::move(other.own_)),
      held_(std::exchange(other.held_, {})),
      troubles_(std::move(other.troubles_)) {}

StateLock::~StateLock() {
  for (int const folder : held_) ::close(folder);
}

Result<StateLock, std::string> StateLock::take(Places const& places) {
  StateLock taken{places};
  for (auto const& folder : {taken.own_.state, taken.own_.runtime}) {
    auto refused = taken.lock(folder);
    if (!refused.empty()) return refused;
  }
  // Both are ours: only now is anything written.
  for (auto const& folder : {taken.own_.state, taken.own_.runtime}) taken.write_owner(folder);
  return taken;
}

std::string StateLock::lock(fs::path const& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  int const file = open_folder(folder);
  if (file < 0) {
    troubles_.push_back(failed ? because("make", folder, failed.value())
                               : because("open", folder, errno));
    return {};
  }
  for (int const held : held_) {
    if (!same_folder(held, file)) continue;
    ::close(file);
    return {};
  }
  int const error = lock_within(file, kOwnerEnds);
  if (error == EWOULDBLOCK) {
    ::close(file);
    return refusal(folder);
  }
  if (error != 0) {
    troubles_.push_back(because("lock", folder, error) +
                        "; a second canaryd on it would not be noticed");
  }
  held_.push_back(file);
  return {};
}

// For those who look for us, and for a second start. What another process wrote there is gone in
// any case.
void StateLock::write_owner(fs::path const& folder) {
  fs::path const file = folder / kOwnerFile;
  fs::path const temporary = folder / (std::string{kOwnerFile} + ".new");
  std::ofstream text{temporary, std::ios::trunc};
  text << "process " << own_.process << "\nstate " << own_.state.string() << "\nruntime "
       << own_.runtime.string() << "\n";
  text.close();
  std::error_code failed;
  if (text) fs::rename(temporary, file, failed);
  if (text && !failed) return;
  fs::remove(temporary, failed);
  fs::remove(file, failed);
}

}  // namespace canary::daemon
