// SPDX-License-Identifier: Apache-2.0
// How the URL libraries of clients turn a folder and a name into a request: urllib3, Go's net/url
// and the WHATWG's parser (Node.js, Rust's url).
// Thread: none (pure). Source: their code; tests/tuf/client_requests.tsv holds them to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canary::tuf {

bool is_alnum(char c);
bool is_unreserved(char c);  // of RFC 3986
bool is_in(char c, std::string_view set);
inline constexpr std::string_view kSubDelimiters = "!$&'()*+,;=";  // of RFC 3986

// Appends "%2F" for '/'.
void escape(std::string& text, char c);
// The byte that an escape at `at` stands for; nullopt: there is none.
std::optional<char> escaped_byte(std::string_view text, std::size_t at);

// "/a/b" of {"a", "b"}.
std::string joined(std::vector<std::string_view> const& segments);
// 1 for ".", 2 for "..", 0 for anything else.
int literal_dots(std::string_view segment);

// Each gives path and query for `folder` + "/" + `name`, a fragment cut off.
// urllib3: `more` are characters that stay as they are besides its own.
std::string urllib3_request(std::string_view folder, std::string_view name, std::string_view more);
// nullopt: an escape that is none, or a control character, which net/url refuses.
std::optional<std::string> go_request(std::string_view folder, std::string_view name);
// `whole` is what whatwg_trimmed() left of both. An empty query is not sent.
std::string whatwg_request(std::string_view whole);
// Without the blanks and control characters around, nor tabs and line ends anywhere.
std::string whatwg_trimmed(std::string_view text);

}  // namespace canary::tuf
