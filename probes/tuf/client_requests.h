// SPDX-License-Identifier: Apache-2.0
// What clients ask a server for where metadata lists a target or delegates to a role: each joins
// the name to a URL in its own way, and for odd names they ask for different files. Also the
// request that canaryd makes, which is theirs.
// Thread: none (pure). Source: recorded from python-tuf 7.0.1 (urllib3 2.8.0), go-tuf 2.4.2
// (Go 1.26), tough 0.24.0 (url 2.5.8) and tuf-js 5.0.1 (Node.js 20): tests/tuf/client_requests.tsv.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canary::tuf {

enum class ClientKind : std::uint8_t { python_tuf, go_tuf, tough, tuf_js };
inline constexpr std::array kClientKinds{ClientKind::python_tuf, ClientKind::go_tuf,
                                         ClientKind::tough, ClientKind::tuf_js};
std::string_view to_text(ClientKind client);  // "python-tuf"

// The folder of targets or of metadata, as its URL has it.
struct RequestFolder {
  std::string_view scheme;  // "https"
  std::string_view path;    // "/repo/targets", without a '/' at its end; may be empty
};

// A target's name as it is listed, and the hash that stands before it where snapshots are
// consistent.
struct TargetName {
  std::string_view path;
  std::string_view hash = {};
};

// The path and query of the client's request; nullopt: it refuses the name and asks for nothing.
std::optional<std::string> request_of(ClientKind client, RequestFolder folder, TargetName target);
// The same for the file of a delegated role, `version` where snapshots are consistent.
std::string role_request_of(ClientKind client, RequestFolder folder, std::string_view role,
                            std::optional<std::uint64_t> version);

// The path and query that canaryd asks for: python-tuf's, which differs from the others' in
// spelling only, wherever they agree on the file.
std::string target_request(std::string_view folder, TargetName target);

// A sentence that says which client asks for what, where not all of them ask for one file of
// exactly this name. Whether the hash stands before the name or before its folder is no matter
// here.
std::optional<std::string> odd_target_name(RequestFolder folder, TargetName target);
std::optional<std::string> odd_role_name(RequestFolder folder, std::string_view role);

}  // namespace canary::tuf
