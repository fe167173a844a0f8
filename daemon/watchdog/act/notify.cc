// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/act/notify.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstddef>

#include "daemon/watchdog/sample/proc_reader.h"
#include "daemon/watchdog/sample/stored_tables.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLongestPing = 5 * kSecond;
constexpr std::string_view kExtend = "EXTEND_TIMEOUT_USEC=20000000";

std::string_view text_of(char const* text) {
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

}  // namespace

NotifyAddress notify_address(char const* socket, char const* usec, char const* pid,
                             std::int32_t own_pid) {
  NotifyAddress result;
  std::string_view const name = text_of(socket);
  bool const abstract = !name.empty() && name.front() == '@';
  bool const sensible = abstract || (!name.empty() && name.front() == '/');
  if (!sensible || name.size() >= sizeof result.address.sun_path) return result;
  result.address.sun_family = AF_UNIX;
  __builtin_memcpy(result.address.sun_path, name.data(), name.size());
  if (abstract) result.address.sun_path[0] = 0;
  // An abstract name has no terminator, a path has one.
  result.size =
      static_cast<unsigned>(offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1));
  std::string_view for_whom = text_of(pid);
  if (!for_whom.empty() && take_number(for_whom) != own_pid) return result;
  std::string_view period = text_of(usec);
  std::int64_t const microseconds = take_number(period);
  if (microseconds > 0 && period.empty()) result.watchdog_ns = microseconds * 1'000;
  return result;
}

void Notifier::open(NotifyAddress const& address) {
  address_ = address;
  if (address_.size == 0) return;
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) ++failures_;
}

void Notifier::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void Notifier::ready() {
  say_ready_ = true;
  phase_ = Phase::running;
}

void Notifier::reloading(std::int64_t now_ns) {
  say_reloading_ = true;
  reloading_ns_ = now_ns;
  phase_ = Phase::reloading;
}

void Notifier::stopping() {
  say_stopping_ = true;
  phase_ = Phase::stopping;
}

bool Notifier::send(std::string_view text, int descriptor) {
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_name = &address_.address;
  message.msg_namelen = address_.size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    __builtin_memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  if (::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
  if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) ++failures_;
  return false;
}

void Notifier::say_phase(std::int64_t now_ns) {
  // The sentence that belongs to a new phase is not held back.
  if (say_reloading_ || say_ready_ || say_stopping_) status_ns_ = now_ns - kSecond;
  if (say_reloading_) {
    ShortText<96> text;
    text.add("RELOADING=1\nMONOTONIC_USEC=")
        .number(static_cast<std::uint64_t>(reloading_ns_) / 1'000);
    if (!send(text.view())) return;
    say_reloading_ = false;
  }
  if (say_ready_) {
    if (!send("READY=1")) return;
    say_ready_ = false;
  }
  if (say_stopping_ && send("STOPPING=1")) say_stopping_ = false;
}

// In this order, so that the store never holds more than one.
void Notifier::say_tables() {
  if (tables_ < 0) return;
  ShortText<96> text;
  if (!forgotten_) {
    text.add("FDSTOREREMOVE=1\nFDNAME=").add(kStoredTables);
    if (!send(text.view())) return;
    forgotten_ = true;
    text.clear();
  }
  // No FDPOLL: memory never hangs up.
  text.add("FDSTORE=1\nFDPOLL=0\nFDNAME=").add(kStoredTables);
  if (send(text.view(), tables_)) tables_ = -1;
}

void Notifier::say_status(Now const& now) {
  if (now.status == nullptr || now.status->view() == status_.view() ||
      now.now_ns - status_ns_ < kSecond) {
    return;
  }
  ShortText<280> text;
  text.add("STATUS=").add(now.status->view());
  if (!send(text.view())) return;
  status_ = *now.status;
  status_ns_ = now.now_ns;
}

bool Notifier::tick(Now const& now) {
  if (socket_ < 0) return false;
  say_phase(now.now_ns);
  say_tables();
  if (phase_ != Phase::running && now.progress != progress_ &&
      now.now_ns - extended_ns_ >= kSecond) {
    if (send(kExtend)) {
      extended_ns_ = now.now_ns;
      progress_ = now.progress;
    }
  }
  say_status(now);
  std::int64_t const quarter = address_.watchdog_ns / 4;
  std::int64_t const period = quarter < kLongestPing ? quarter : kLongestPing;
  if (period == 0 || !now.beating || now.now_ns - pinged_ns_ < period) return false;
  if (!send("WATCHDOG=1")) return false;
  pinged_ns_ = now.now_ns;
  return true;
}

}  // namespace canary::watchdog
