// SPDX-License-Identifier: Apache-2.0
// How roles and targets are named in files and URLs.
// Thread: none (pure). Source: TUF 1.0.34 §1.1, §5.6.7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canary::tuf {

// Percent-encodes all but A-Za-z0-9_.-~, `/` too: a role's name is one segment.
std::string quote_role(std::string_view role);

// The reverse, for names of stored files; nullopt where an escape is broken.
std::optional<std::string> unquote_role(std::string_view quoted);

// "snapshot.json", or "7.snapshot.json" where a version is given; the name is quoted.
std::string metadata_file(std::string_view role, std::optional<std::uint64_t> version = {});

// "dir/file", or "dir/<hash>.file" where a hash is given. Not quoted.
std::string target_file_path(std::string_view path, std::string_view hash = {});

// A delegated role may not bear a top-level role's name or none.
bool is_delegated_role_name(std::string_view role);

}  // namespace canary::tuf
