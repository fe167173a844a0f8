// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/writable.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "probes/tuf/store_folder.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostProbes = 5;  // named
constexpr char kNotRemembered[] = "what was trusted is not remembered";

int write_a_page(int file) {
  std::array<char, 4'096> const page{};
  ssize_t const written = ::write(file, page.data(), page.size());
  if (written < 0) return errno;
  return written == static_cast<ssize_t>(page.size()) ? 0 : ENOSPC;
}

// 0, or errno of what failed. Nothing of it stays.
int try_to_write(fs::path const& folder) {
  int file = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  fs::path const name = folder / ".canaryd-may-write";
  bool const named = file < 0 && (errno == EOPNOTSUPP || errno == EISDIR);
  if (named) {
    file = ::open(name.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
  }
  if (file < 0) return errno;
  int const error = write_a_page(file);
  ::close(file);
  if (named) ::unlink(name.c_str());
  return error;
}

int make_and_try(fs::path const& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  return failed ? failed.value() : try_to_write(folder);
}

}  // namespace

std::vector<Unwritable> find_unwritable(Places const& places, config::Config const& config) {
  std::vector<Unwritable> found;
  auto const add = [&](fs::path const& folder, int error, char const* consequence) {
    if (error != 0) found.push_back({folder, std::generic_category().message(error), consequence});
  };
  int const probes = make_and_try(places.probes());
  add(places.probes(), probes, kNotRemembered);
  add(places.dumps(), make_and_try(places.dumps()), "dumps do not outlive the runtime directory");
  (void)tuf::sync_folder(places.state);  // a power cut leaves them there; who writes finds a fault
  if (probes != 0) return found;
  std::size_t const most = found.size() + kMostProbes;
  for (auto const& probe : config.probes) {
    if (found.size() >= most) break;
    // An open of its own for each of thousands would cost more than it tells.
    auto const folder = places.probe(probe.name.text);
    if (::access(folder.c_str(), W_OK | X_OK) == 0 || errno == ENOENT) continue;
    add(folder, errno, kNotRemembered);
  }
  return found;
}

}  // namespace canary::daemon
