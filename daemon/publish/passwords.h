// SPDX-License-Identifier: Apache-2.0
// Checks users' passwords against bcrypt hashes, on a thread of its own: one check takes tens of
// milliseconds, and no thread that answers others may be held for it. What came of a check is
// remembered under a keyed hash of all that went into it, so that passwords are kept nowhere.
// A user that there is not costs as much as one that there is.
// Thread: any.
// Source: exporter-toolkit, web/handler.go, whose bounds of memory these are.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/web_file.h"
#include "runtime/thread_row.h"

namespace canary::daemon {

// On the heap alone, where no dump of a stack finds it, and wiped at its end.
class SecretText {
 public:
  explicit SecretText(std::string_view text) : bytes_(text.begin(), text.end()) {
    bytes_.push_back('\0');
  }
  SecretText(SecretText&&) = default;
  SecretText& operator=(SecretText&&) = default;
  SecretText(SecretText const&) = delete;
  SecretText& operator=(SecretText const&) = delete;
  ~SecretText();
  std::string_view view() const { return {bytes_.data(), bytes_.size() - 1}; }
  char const* c_str() const { return bytes_.data(); }

 private:
  std::vector<char> bytes_;
};

struct Credentials {
  std::string user;
  SecretText password;
};
// Of the header Authorization; nothing where it is none of the scheme Basic (RFC 7617).
std::optional<Credentials> basic_credentials(std::string_view authorization);

class Passwords {
 public:
  static constexpr std::size_t kMostWaiting = 32;
  static constexpr std::size_t kMostRemembered = 100;  // of each: right ones, wrong ones

  Passwords();
  ~Passwords();
  Passwords(Passwords const&) = delete;
  Passwords& operator=(Passwords const&) = delete;

  using Users = std::vector<config::WebUser>;
  // Whether the password is the user's, where that was checked before.
  std::optional<bool> known(Users const& users, Credentials const& given);

  // Called once, on the thread that checks or by close(): "let in?".
  using Told = std::function<void(bool right)>;
  // Has it checked. `accepted` is called before anybody can call `told`. False where too many
  // wait, or the server stops: neither is called then.
  bool ask(Users const& users, Credentials given, std::function<void()> const& accepted, Told told);
  // Nobody who waits is let in, and nobody is taken any more. Idempotent.
  void close();

 private:
  using Key = std::array<unsigned char, 32>;
  // What a password is held against.
  struct Wanted {
    Key key;           // under which the outcome is remembered
    std::string hash;  // that the password is to have
    bool exists;       // the user
  };
  struct Check {
    Wanted wanted;
    SecretText password;
    Told told;
  };
  // The latest answers, the oldest of which goes for a new one.
  struct Remembered {
    std::deque<Key> order;
    std::set<Key> keys;
    void add(Key const& key);
  };

  Wanted wanted_of(Users const& users, Credentials const& given) const;
  void run();
  bool outcome(Check const& check, runtime::ThreadRow& row) noexcept;
  static bool is_right(Check const& check);

  Key secret_{};  // of the keyed hash
  std::mutex mutex_;
  std::condition_variable changed_;
  Remembered right_, wrong_;
  std::list<Check> waiting_;
  bool closed_ = false;
  std::thread thread_;  // last
};

}  // namespace canary::daemon
