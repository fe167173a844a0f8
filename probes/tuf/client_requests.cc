// SPDX-License-Identifier: Apache-2.0
// Four clients' ways from a name to a request line.
// Thread: none (pure).
#include "probes/tuf/client_requests.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "probes/tuf/role_name.h"
#include "probes/tuf/url_dialects.h"

namespace canary::tuf {
namespace {

// The name's place where snapshots are consistent, by each client's idea of a last segment.
std::string python_name(TargetName target) { return target_file_path(target.path, target.hash); }

std::string go_name(TargetName target) {
  if (target.hash.empty()) return std::string(target.path);
  std::string_view base = target.path;
  while (base.ends_with('/')) base.remove_suffix(1);
  base = base.substr(base.rfind('/') + 1);
  if (base.empty()) base = target.path.empty() ? "." : "/";
  std::string const tail = "/" + std::string(base);
  std::string name;
  if (target.path.ends_with(tail)) {
    name = target.path.substr(0, target.path.size() - base.size());
  }
  return name.append(target.hash).append(".").append(base);
}

// Node's path.parse().
std::string js_name(TargetName target) {
  if (target.hash.empty()) return std::string(target.path);
  std::string_view base = target.path;
  bool const absolute = base.starts_with('/');
  std::size_t const begin = absolute ? 1 : 0;
  while (base.size() > begin && base.ends_with('/')) base.remove_suffix(1);
  std::size_t const slash = base.rfind('/');
  bool const in_folder = slash != std::string_view::npos && slash >= begin;
  std::string folder(in_folder ? base.substr(0, slash) : base.substr(0, begin));
  base = in_folder ? base.substr(slash + 1) : base.substr(begin);
  if (!folder.empty()) folder += '/';
  return folder.append(target.hash).append(".").append(base);
}

// tough resolves a name as a path before anything else; nullopt: it takes no such name.
std::optional<std::string> tough_resolved(std::string_view path) {
  if (path == "..") return std::nullopt;
  bool const absolute = path.starts_with('/');
  std::vector<std::string_view> kept;
  while (true) {
    std::size_t const slash = path.find('/');
    std::string_view const segment = path.substr(0, slash);
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!segment.empty() && literal_dots(segment) == 0) kept.push_back(segment);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  if (kept.empty()) return std::nullopt;
  std::string const resolved = joined(kept);
  return absolute ? resolved : resolved.substr(1);
}

// What stands before a ':' where the text is a URL of its own.
std::string_view scheme_of(std::string_view text) {
  std::size_t const colon = text.find(':');
  std::string_view const scheme = text.substr(0, colon);
  bool const fits =
      colon != std::string_view::npos && !scheme.empty() && is_alnum(scheme[0]) &&
      (scheme[0] > '9') &&
      std::ranges::all_of(scheme, [](char c) { return is_alnum(c) || is_in(c, "+-."); });
  return fits ? scheme : std::string_view{};
}

// The name joined to the folder as a reference; nullopt: it leads elsewhere, which tough refuses.
std::optional<std::string> tough_request(RequestFolder folder, std::string_view name) {
  std::string reference = whatwg_trimmed(name);
  if (std::string_view const scheme = scheme_of(reference); !scheme.empty()) {
    if (scheme != folder.scheme || scheme == "file") return std::nullopt;
    reference.erase(0, scheme.size() + 1);
  }
  if (reference.starts_with('/') || reference.starts_with('\\')) return std::nullopt;
  std::string const base = std::string(folder.path) + "/";
  std::string request = whatwg_request(base + reference);
  if (!request.starts_with(base)) return std::nullopt;
  return request;
}

std::optional<std::string> tough_target(RequestFolder folder, TargetName target,
                                        bool hash_before_folder) {
  std::optional<std::string> resolved = tough_resolved(target.path);
  if (!resolved) return std::nullopt;
  if (!target.hash.empty() && hash_before_folder) {
    resolved->insert(0, std::string(target.hash) + ".");
  } else if (!target.hash.empty()) {
    resolved = target_file_path(*resolved, target.hash);
  }
  return tough_request(folder, *resolved);
}

// Two spellings of one request become one text. What a server may tell apart stays: an escaped
// delimiter is another thing than the delimiter, and '+' is a blank to some.
std::string same_for_servers(std::string_view request) {
  std::string plain;
  for (std::size_t i = 0; i < request.size(); ++i) {
    auto const byte = escaped_byte(request, i);
    if (!byte) {
      plain += request[i];
      continue;
    }
    if (is_in(*byte, "/?#%+")) {
      escape(plain, *byte);
    } else {
      plain += *byte;
    }
    i += 2;
  }
  if (plain.ends_with('?')) plain.pop_back();
  return plain;
}

// Names without anything that a client could stumble over: nearly all.
bool is_plain(std::string_view path) {
  if (path.empty() || path.starts_with('/') || path.ends_with('/')) return false;
  if (path.find("//") != std::string_view::npos || path.starts_with('.') ||
      path.find("/.") != std::string_view::npos) {
    return false;
  }
  return std::ranges::all_of(path, [](char c) {
    return is_unreserved(c) || is_in(c, kSubDelimiters) || c == '@' || c == '/';
  });
}

using Asked = std::pair<ClientKind, std::optional<std::string>>;

std::string who(std::vector<ClientKind> const& clients) {
  std::string text;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (i > 0) text += i + 1 == clients.size() ? " and " : ", ";
    text += to_text(clients[i]);
  }
  return text;
}

// "python-tuf and go-tuf ask for /t/a%5Cb, tough and tuf-js for /t/a/b"; nullopt where all ask for
// the same and `cut` says that it is the whole name.
std::optional<std::string> difference(std::vector<Asked> const& asked, bool cut) {
  struct Group {
    std::optional<std::string> request;
    std::vector<ClientKind> clients;
  };
  std::vector<Group> groups;
  for (auto const& [client, request] : asked) {
    auto const same = [&](Group const& group) {
      if (!group.request || !request) return group.request.has_value() == request.has_value();
      return same_for_servers(*group.request) == same_for_servers(*request);
    };
    auto found = std::ranges::find_if(groups, same);
    if (found == groups.end()) found = groups.insert(groups.end(), Group{request, {}});
    found->clients.push_back(client);
  }
  if (groups.size() == 1 && !cut) return std::nullopt;
  if (groups.size() == 1) {
    return "every client asks for " + groups[0].request.value_or("nothing") +
           ", which is not the whole name";
  }
  std::string text = "clients do not agree on the file of this name: ";
  bool first = true;
  for (Group const& group : groups) {
    if (!first) text += ", ";
    bool const many = group.clients.size() > 1;
    text += who(group.clients);
    if (group.request) {
      text += (many ? " ask for " : " asks for ") + *group.request;
    } else {
      text += many ? " refuse it" : " refuses it";
    }
    first = false;
  }
  return text;
}

}  // namespace

std::string_view to_text(ClientKind client) {
  switch (client) {
    case ClientKind::python_tuf:
      return "python-tuf";
    case ClientKind::go_tuf:
      return "go-tuf";
    case ClientKind::tough:
      return "tough";
    case ClientKind::tuf_js:
      return "tuf-js";
  }
  return "";
}

std::optional<std::string> request_of(ClientKind client, RequestFolder folder, TargetName target) {
  switch (client) {
    case ClientKind::python_tuf:
      return urllib3_request(folder.path, python_name(target), "");
    case ClientKind::go_tuf:
      return go_request(folder.path, go_name(target));
    case ClientKind::tough:
      return tough_target(folder, target, true);
    case ClientKind::tuf_js: {
      std::string name = js_name(target);
      if (name.starts_with('/')) name.erase(0, 1);
      std::string const whole = std::string(folder.path).append("/").append(name);
      return whatwg_request(whatwg_trimmed(whole));
    }
  }
  return std::nullopt;
}

std::string role_request_of(ClientKind client, RequestFolder folder, std::string_view role,
                            std::optional<std::uint64_t> version) {
  std::string_view kept;  // beside the unreserved ones
  if (client == ClientKind::go_tuf) kept = "$&+:=@";
  if (client == ClientKind::tuf_js) kept = "!'()*";
  std::string request = std::string(folder.path).append("/");
  if (version) request.append(std::to_string(*version)).append(".");
  for (char const c : role) {
    if (is_unreserved(c) || is_in(c, kept)) {
      request += c;
    } else {
      escape(request, c);
    }
  }
  return request.append(".json");
}

std::string target_request(std::string_view folder, TargetName target) {
  return urllib3_request(folder, python_name(target), "[]");
}

std::optional<std::string> odd_target_name(RequestFolder folder, TargetName target) {
  if (is_plain(target.path)) return std::nullopt;
  std::vector<Asked> asked;
  asked.reserve(kClientKinds.size());
  for (ClientKind const client : kClientKinds) {
    asked.emplace_back(client, client == ClientKind::tough ? tough_target(folder, target, false)
                                                           : request_of(client, folder, target));
  }
  return difference(asked, target.path.find_first_of("?#") != std::string_view::npos);
}

std::optional<std::string> odd_role_name(RequestFolder folder, std::string_view role) {
  if (is_plain(role) && role.find('+') == std::string_view::npos) return std::nullopt;
  std::vector<Asked> asked;
  asked.reserve(kClientKinds.size());
  for (ClientKind const client : kClientKinds) {
    asked.emplace_back(client, role_request_of(client, folder, role, std::nullopt));
  }
  return difference(asked, false);
}

}  // namespace canary::tuf
