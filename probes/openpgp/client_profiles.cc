// SPDX-License-Identifier: Apache-2.0
// The table, as of 2026-11. A row is what a program does in its distribution's default setting;
// where it comes from stands beside it. tests/probes/openpgp hold the rows of gpgv and sqv against
// those programs.
#include "probes/openpgp/client_profiles.h"

#include <algorithm>
#include <array>

namespace canary::openpgp {
namespace {

using namespace std::chrono_literals;
using std::chrono::February;
using std::chrono::sys_days;
using enum ClientRule::About;

constexpr sys_days kAlways{};

constexpr std::string_view kGpgv = "gpgv(1), --weak-digest: MD5 is weak by default (GnuPG 2.2)";
constexpr std::string_view kAptGpgv = "apt 2.6, methods/gpgv.cc, Digests";
constexpr std::string_view kSequoia = "sequoia-openpgp 1.12, src/policy.rs, cutoff lists";
constexpr std::string_view kNettle = "Debian 12's sqv 1.1.0, by Nettle, which lacks these curves";
constexpr std::string_view kAptSequoia = "apt 3.1, debian/default-sequoia.config";
constexpr std::string_view kRpm414 =
    "rpm 4.14 as in openSUSE, which adds ed25519.diff to it (build.opensuse.org, SLE-15, rpm)";
constexpr std::string_view kRhel9 =
    "redhat.com, \"RHEL security: SHA-1 package signatures distrusted on RHEL 9\"; "
    "github.com/rpm-software-management/rpm/issues/1977 (rpm 4.16.1.3)";
constexpr std::string_view kRhel9Curves = "github.com/furlongm/patchman/issues/824 (EL 9)";
constexpr std::string_view kFedora =
    "Fedora's crypto-policies, DEFAULT.pol: hash@RPM = SHA1+, min_dsa_size@RPM = 1024";
constexpr std::string_view kRpm6 =
    "rpm.org/releases/6.0.0: \"RPM no longer verifies obsolete crypto (MD5, SHA1, DSA)\"";

constexpr std::array kApt2 = {
    ClientRule{self_signature, "MD5", 0, 0, kAlways, kGpgv},
    ClientRule{data_signature, "MD5", 0, 0, kAlways, kAptGpgv},
    ClientRule{data_signature, "SHA1", 0, 0, kAlways, kAptGpgv},
    ClientRule{data_signature, "RIPEMD160", 0, 0, kAlways, kAptGpgv},
};

// Sequoia's own, which those by Sequoia share.
constexpr std::array kSqv = {
    ClientRule{self_signature, "MD5", 0, 0, sys_days{2004y / February / 1}, kSequoia},
    ClientRule{self_signature, "SHA1", 0, 0, sys_days{2023y / February / 1}, kSequoia},
    ClientRule{self_signature, "RIPEMD160", 0, 0, sys_days{2013y / February / 1}, kSequoia},
    ClientRule{data_signature, "MD5", 0, 0, sys_days{1997y / February / 1}, kSequoia},
    ClientRule{data_signature, "SHA1", 0, 0, sys_days{2013y / February / 1}, kSequoia},
    ClientRule{data_signature, "RIPEMD160", 0, 0, sys_days{2013y / February / 1}, kSequoia},
    ClientRule{key, "RSA", 0, 2048, sys_days{2014y / February / 1}, kSequoia},
    ClientRule{key, "DSA", 0, 2048, sys_days{2014y / February / 1}, kSequoia},
    ClientRule{key, "brainpool", 0, 0, kAlways, kNettle},
};

constexpr std::array kApt3 = {
    ClientRule{self_signature, "MD5", 0, 0, sys_days{2004y / February / 1}, kSequoia},
    ClientRule{self_signature, "SHA1", 0, 0, sys_days{2026y / February / 1}, kAptSequoia},
    ClientRule{self_signature, "SHA224", 0, 0, sys_days{2026y / February / 1}, kAptSequoia},
    ClientRule{self_signature, "RIPEMD160", 0, 0, sys_days{2013y / February / 1}, kSequoia},
    ClientRule{data_signature, "MD5", 0, 0, sys_days{1997y / February / 1}, kSequoia},
    ClientRule{data_signature, "SHA1", 0, 0, sys_days{2013y / February / 1}, kSequoia},
    ClientRule{data_signature, "SHA224", 0, 0, sys_days{2026y / February / 1}, kAptSequoia},
    ClientRule{data_signature, "RIPEMD160", 0, 0, sys_days{2013y / February / 1}, kSequoia},
    ClientRule{key, "RSA", 0, 2048, sys_days{2014y / February / 1}, kSequoia},
    ClientRule{key, "RSA", 2048, 3072, sys_days{2030y / February / 1}, kAptSequoia},
    ClientRule{key, "DSA", 0, 2048, sys_days{2014y / February / 1}, kSequoia},
    ClientRule{key, "DSA", 2048, 0, sys_days{2024y / February / 1}, kAptSequoia},
    ClientRule{key, "brainpool", 0, 0, sys_days{2028y / February / 1}, kAptSequoia},
};

constexpr std::array kBeforeEl9 = {
    ClientRule{key, "EDDSA", 0, 0, kAlways, kRpm414},
};

constexpr std::array kEl9 = {
    ClientRule{self_signature, "MD5", 0, 0, kAlways, kRhel9},
    ClientRule{self_signature, "SHA1", 0, 0, kAlways, kRhel9},
    ClientRule{data_signature, "MD5", 0, 0, kAlways, kRhel9},
    ClientRule{data_signature, "SHA1", 0, 0, kAlways, kRhel9},
    ClientRule{key, "EDDSA", 0, 0, kAlways, kRhel9Curves},
};

constexpr std::array kRpm419 = {
    ClientRule{self_signature, "MD5", 0, 0, kAlways, kFedora},
    ClientRule{data_signature, "MD5", 0, 0, kAlways, kFedora},
};

constexpr std::array kRpmSix = {
    ClientRule{self_signature, "MD5", 0, 0, kAlways, kRpm6},
    ClientRule{self_signature, "SHA1", 0, 0, kAlways, kRpm6},
    ClientRule{data_signature, "MD5", 0, 0, kAlways, kRpm6},
    ClientRule{data_signature, "SHA1", 0, 0, kAlways, kRpm6},
    ClientRule{key, "DSA", 0, 0, kAlways, kRpm6},
};

constexpr std::array kProfiles = {
    ClientProfile{"apt-2", "apt up to 2 (gpgv)", EndedKey::refused, false, false, kApt2},
    ClientProfile{"apt-3", "apt 3 (sqv)", EndedKey::still_good, false, false, kApt3},
    ClientProfile{"sqv", "sqv by Sequoia's own policy", EndedKey::still_good, false, false, kSqv},
    ClientProfile{"el-7", "EL 7 (rpm 4.11)", EndedKey::not_known, false, false, kBeforeEl9},
    ClientProfile{"el-8", "EL 8 (rpm 4.14)", EndedKey::not_known, false, false, kBeforeEl9},
    ClientProfile{"el-9", "EL 9 (rpm 4.16)", EndedKey::not_known, true, true, kEl9},
    ClientProfile{"rpm-4.19", "rpm 4.18 to 4.20 as in Fedora (Sequoia)", EndedKey::not_known, false,
                  false, kRpm419},
    ClientProfile{"rpm-6", "rpm 6", EndedKey::not_known, false, false, kRpmSix},
};

}  // namespace

std::span<ClientProfile const> client_profiles() { return kProfiles; }

ClientProfile const* find_profile(std::string_view name) {
  auto const found = std::ranges::find(kProfiles, name, &ClientProfile::name);
  return found == kProfiles.end() ? nullptr : &*found;
}

}  // namespace canary::openpgp
