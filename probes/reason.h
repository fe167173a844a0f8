// SPDX-License-Identifier: Apache-2.0
// Why a finding is not ok: a word of a closed set, of the common ones below or of those that a kind
// of probe adds (probes/kind.h). It is the metric label `reason`.
// Thread: none (a value).
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string_view>

namespace canary::probes {

class Reason {
 public:
  static constexpr std::size_t kLongest = 23;

  // A kind's own: `inline constexpr Reason kTargetMissing{"target_missing"};`
  consteval explicit Reason(char const* word) : Reason(std::string_view{word}, Checked{}) {
    if (!is_word(std::string_view{word})) throw "a reason is 1 to 23 of a-z, 0-9 and _";
  }
  // What a file says; `internal` where that is no such word.
  static constexpr Reason read(std::string_view word);

  constexpr std::string_view word() const { return {text_.data(), size_}; }
  friend constexpr bool operator==(Reason const& a, Reason const& b) {
    return a.word() == b.word();
  }
  friend constexpr std::strong_ordering operator<=>(Reason const& a, Reason const& b) {
    return a.word() <=> b.word();
  }

  static const Reason none;
  static const Reason dns, connect;
  static const Reason tls;                // the handshake failed otherwise than below
  static const Reason tls_expired;        // a certificate that no client accepts any more
  static const Reason tls_not_yet_valid;  // or not yet
  static const Reason tls_wrong_name;     // or not for this name
  static const Reason tls_untrusted;      // by an issuer that we do not know: ours may be lacking
  static const Reason credentials;        // ours were refused: 401, 407
  static const Reason clock;              // ours is off
  static const Reason proxy, http_status, timeout, too_slow, stalled, cancelled, size_limit;
  static const Reason parse, signature, threshold, expired, expiring;
  static const Reason rollback, freeze, equivocation, hash_mismatch;
  static const Reason unsupported;  // by canaryd: a key, a scheme, a hash
  static const Reason configuration, internal;

 private:
  struct Checked {};
  constexpr Reason(std::string_view word, Checked) : size_(static_cast<std::uint8_t>(word.size())) {
    std::ranges::copy(word.substr(0, kLongest), text_.begin());
  }
  static constexpr bool is_word(std::string_view word) {
    return !word.empty() && word.size() <= kLongest && std::ranges::all_of(word, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
  }
  std::array<char, kLongest> text_{};
  std::uint8_t size_ = 0;
};

inline constexpr Reason Reason::none{"none"};
inline constexpr Reason Reason::dns{"dns"};
inline constexpr Reason Reason::connect{"connect"};
inline constexpr Reason Reason::tls{"tls"};
inline constexpr Reason Reason::tls_expired{"tls_expired"};
inline constexpr Reason Reason::tls_not_yet_valid{"tls_not_yet_valid"};
inline constexpr Reason Reason::tls_wrong_name{"tls_wrong_name"};
inline constexpr Reason Reason::tls_untrusted{"tls_untrusted"};
inline constexpr Reason Reason::credentials{"credentials"};
inline constexpr Reason Reason::clock{"clock"};
inline constexpr Reason Reason::proxy{"proxy"};
inline constexpr Reason Reason::http_status{"http_status"};
inline constexpr Reason Reason::timeout{"timeout"};
inline constexpr Reason Reason::too_slow{"too_slow"};
inline constexpr Reason Reason::stalled{"stalled"};
inline constexpr Reason Reason::cancelled{"cancelled"};
inline constexpr Reason Reason::size_limit{"size_limit"};
inline constexpr Reason Reason::parse{"parse"};
inline constexpr Reason Reason::signature{"signature"};
inline constexpr Reason Reason::threshold{"threshold"};
inline constexpr Reason Reason::expired{"expired"};
inline constexpr Reason Reason::expiring{"expiring"};
inline constexpr Reason Reason::rollback{"rollback"};
inline constexpr Reason Reason::freeze{"freeze"};
inline constexpr Reason Reason::equivocation{"equivocation"};
inline constexpr Reason Reason::hash_mismatch{"hash_mismatch"};
inline constexpr Reason Reason::unsupported{"unsupported"};
inline constexpr Reason Reason::configuration{"configuration"};
inline constexpr Reason Reason::internal{"internal"};

constexpr Reason Reason::read(std::string_view word) {
  return is_word(word) ? Reason{word, Checked{}} : internal;
}

constexpr std::string_view to_text(Reason const& reason) { return reason.word(); }

// In the order of their first appearance above, without none.
std::span<Reason const> common_reasons();

// Proof that somebody changed what they must not be able to change.
bool is_tampering(Reason const& reason);

}  // namespace canary::probes
