// SPDX-License-Identifier: Apache-2.0
// Whom the HTTP server lets in at present: TLS, passwords and headers of --web.config.file, which
// are replaced while it runs, and the thread that checks passwords.
// Thread: any.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/publish/passwords.h"
#include "daemon/publish/routes.h"
#include "daemon/publish/web_access.h"

namespace canary::daemon {

class WebGate {
 public:
  // Throws std::system_error where there is no thread to be had.
  explicit WebGate(WebAccessPointer access) : access_(std::move(access)) {}

  WebAccessPointer access() const {
    std::lock_guard const lock{mutex_};
    return access_;
  }
  // For requests and connections to come. REQUIRES: with TLS as before, or without as before.
  void replace(WebAccessPointer access) {
    std::lock_guard const lock{mutex_};
    access_ = std::move(access);
  }

  // What follows of a request's header Authorization, "" where it has none.
  enum class Entry { in, out, asks };
  // `asks`: accept() was called, and go_on(let in?) follows on another thread. Where too many wait
  // nothing is returned.
  std::optional<Entry> enter(WebAccess const& access, std::string_view authorization,
                             std::function<void()> const& accepted,
                             std::function<void(bool)> go_on);
  void close() { passwords_.close(); }

 private:
  mutable std::mutex mutex_;
  WebAccessPointer access_;
  Passwords passwords_;
};

// To whom no password, or a wrong one, was given.
HttpAnswer unauthorized();
// While too many wait for their passwords to be checked.
HttpAnswer too_many_passwords();

}  // namespace canary::daemon
