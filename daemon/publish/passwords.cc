// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/passwords.h"

#include <crypt.h>
#include <string.h>  // explicit_bzero
#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <new>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "runtime/thread_row.h"

namespace canary::daemon {
namespace {

constexpr int kNice = 10;  // whoever tries passwords takes nothing from the probes

// Of nobody's password: for users that there are not, at the cost of those that there are.
std::string nobodys_hash(Passwords::Users const& users) {
  int cost = config::kLeastBcryptCost;
  for (auto const& each : users) cost = std::max(cost, config::bcrypt_cost(each.hash));
  std::string const digits = {static_cast<char>('0' + cost / 10),
                              static_cast<char>('0' + cost % 10)};
  return "$2y$" + digits + "$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
}

// The six bits of a letter of base64; -1 for any other byte.
int bits_of(char letter) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto const at = kLetters.find(letter);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::optional<std::vector<char>> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  auto const padding =
      static_cast<std::size_t>(std::ranges::count(text.substr(text.size() - 2), '='));
  auto const letters = text.substr(0, text.size() - padding);
  std::vector<char> bytes;
  bytes.reserve(text.size());
  unsigned bits = 0;
  int filled = 0;
  for (char const letter : letters) {
    int const more = bits_of(letter);
    if (more < 0) return std::nullopt;
    bits = (bits << 6 | static_cast<unsigned>(more)) & 0xffff;
    filled += 6;
    if (filled < 8) continue;
    filled -= 8;
    bytes.push_back(static_cast<char>(bits >> filled & 0xff));
  }
  return bytes;
}

}  // namespace

std::optional<Credentials> basic_credentials(std::string_view authorization) {
  constexpr std::string_view kScheme = "basic ";
  auto const same = [](unsigned char a, char b) { return std::tolower(a) == b; };
  if (authorization.size() < kScheme.size() ||
      !std::ranges::equal(authorization.substr(0, kScheme.size()), kScheme, same)) {
    return std::nullopt;
  }
  auto encoded = authorization.substr(kScheme.size());
  encoded.remove_prefix(std::min(encoded.find_first_not_of(' '), encoded.size()));
  auto both = from_base64(encoded);
  if (!both) return std::nullopt;
  std::string_view const text{both->data(), both->size()};
  auto const colon = text.find(':');
  std::optional<Credentials> given;
  if (colon != std::string_view::npos) {
    given = Credentials{.user = std::string{text.substr(0, colon)},
                        .password = SecretText{text.substr(colon + 1)}};
  }
  if (!both->empty()) ::explicit_bzero(both->data(), both->size());
  return given;
}

SecretText::~SecretText() {
  if (!bytes_.empty()) ::explicit_bzero(bytes_.data(), bytes_.size());  // it takes no null pointer
}

void Passwords::Remembered::add(Key const& key) {
  if (!keys.insert(key).second) return;
  order.push_back(key);
  if (order.size() <= kMostRemembered) return;
  keys.erase(order.front());
  order.pop_front();
}

Passwords::Passwords() {
  if (::RAND_bytes(secret_.data(), static_cast<int>(secret_.size())) != 1) throw std::bad_alloc{};
  thread_ = std::thread{[this] { run(); }};
}

Passwords::~Passwords() { close(); }

Passwords::Wanted Passwords::wanted_of(Users const& users, Credentials const& given) const {
  auto const found = std::ranges::find(users, given.user, &config::WebUser::name);
  Wanted wanted{.key = {},
                .hash = found == users.end() ? nobodys_hash(users) : found->hash,
                .exists = found != users.end()};
  // Each part with its length before it, so that no two triples are the same bytes.
  std::vector<char> all;
  for (std::string_view const part :
       {std::string_view{given.user}, std::string_view{wanted.hash}, given.password.view()}) {
    std::string const size = std::to_string(part.size()) + ":";
    all.insert(all.end(), size.begin(), size.end());
    all.insert(all.end(), part.begin(), part.end());
  }
  unsigned size = 0;
  auto const* const bytes = reinterpret_cast<unsigned char const*>(all.data());
  auto const* const made = ::HMAC(::EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
                                  bytes, all.size(), wanted.key.data(), &size);
  ::explicit_bzero(all.data(), all.size());
  if (made == nullptr || size != wanted.key.size()) throw std::bad_alloc{};
  return wanted;
}

std::optional<bool> Passwords::known(Users const& users, Credentials const& given) {
  auto const key = wanted_of(users, given).key;
  std::lock_guard const lock{mutex_};
  if (right_.keys.contains(key)) return true;
  if (wrong_.keys.contains(key)) return false;
  return std::nullopt;
}

bool Passwords::ask(Users const& users, Credentials given, std::function<void()> const& accepted,
                    Told told) {
  auto wanted = wanted_of(users, given);
  {
    std::lock_guard const lock{mutex_};
    if (closed_ || waiting_.size() >= kMostWaiting) return false;
    waiting_.push_back({.wanted = std::move(wanted),
                        .password = std::move(given.password),
                        .told = std::move(told)});
    accepted();
  }
  changed_.notify_all();
  return true;
}

void Passwords::close() {
  std::list<Check> left;
  {
    std::lock_guard const lock{mutex_};
    closed_ = true;
    left.swap(waiting_);
  }
  changed_.notify_all();
  for (auto& each : left) each.told(false);
  if (thread_.joinable()) thread_.join();
}

void Passwords::run() {
  ::setpriority(PRIO_PROCESS, 0, kNice);  // of this thread alone
  runtime::ThreadRow row{runtime::ThreadRecord::server, "http-auth"};
  while (true) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) break;  // closed
    Check const check = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    check.told(outcome(check, row));
  }
  row.leave();
}

// Whoever asked again while the first check went on gets that one's. Without memory nobody is let
// in, and that is not remembered.
bool Passwords::outcome(Check const& check, runtime::ThreadRow& row) noexcept {
  Key const& key = check.wanted.key;
  {
    std::lock_guard const lock{mutex_};
    if (right_.keys.contains(key)) return true;
    if (wrong_.keys.contains(key)) return false;
  }
  try {
    row.begin("http.password");
    bool const right = is_right(check);
    row.end();
    std::lock_guard const lock{mutex_};
    (right ? right_ : wrong_).add(key);
    return right;
  } catch (std::bad_alloc const&) {
    row.end();
    return false;
  }
}

bool Passwords::is_right(Check const& check) {
  auto const memory = std::make_unique<crypt_data>();
  char const* const made = ::crypt_rn(check.password.c_str(), check.wanted.hash.c_str(),
                                      memory.get(), sizeof(crypt_data));
  std::string const hash = made == nullptr ? "" : made;
  bool const same = hash.size() == check.wanted.hash.size() &&
                    ::CRYPTO_memcmp(hash.data(), check.wanted.hash.data(), hash.size()) == 0;
  ::explicit_bzero(memory.get(), sizeof(crypt_data));
  // C's strings end where a NUL is; the password does not.
  return same && check.wanted.exists && check.password.view().find('\0') == std::string_view::npos;
}

}  // namespace canary::daemon
