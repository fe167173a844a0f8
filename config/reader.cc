// SPDX-License-Identifier: Apache-2.0
// Reading of fields: types, ranges, files and secrets.
// Thread: any but the loop's (looks at files).
#include "config/reader.h"

#include <algorithm>
#include <utility>

#include "config/duration.h"
#include "config/header_rules.h"
#include "config/listen_address.h"
#include "config/nearest.h"
#include "config/read_file.h"

namespace canary::config {
namespace {

constexpr std::size_t kMaxLabelBytes = 100;
constexpr std::size_t kMaxListenAddresses = 16;

std::string joined(std::vector<std::string> const& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string range(std::string const& least, std::string const& most) {
  return "expected " + least + " to " + most + ", got ";
}

std::optional<Url> url_at(yaml::Cursor const& at, bool of_list) {
  auto const text = at.text("a URL");
  if (!text) return std::nullopt;
  auto const url = Url::parse(*text);
  if (url && of_list && url.value().scheme() == Scheme::file) {
    at.fail("a list may read no files: expected http:// or https://, got " + at.got());
    return std::nullopt;
  }
  if (url) return url.value();
  at.fail(url.error());
  return std::nullopt;
}

}  // namespace

Reader::Reader(yaml::Fields& fields, ReadOptions options)
    : fields_(&fields),
      options_(std::move(options)),
      problems_before_(fields.self().problem_count()) {}

void Reader::section(std::string_view name, std::function<void()> const& inside_it) {
  if (auto const at = fields_->find(name)) inside(*at, inside_it);
}

void Reader::inside(yaml::Cursor const& at, std::function<void()> const& read) {
  auto const before = std::exchange(problems_before_, at.problem_count());
  yaml::Fields fields(at);
  auto* const outer = std::exchange(fields_, &fields);
  if (fields.is_mapping()) {
    read();
    fields.refuse_unknown();
  }
  fields_ = outer;
  problems_before_ = before;
}

void Reader::flag(Field field, bool& value) {
  if (auto const at = fields_->find(field.name)) value = at->flag().value_or(value);
}

void Reader::integer(Field field, int& value, int least, int most) {
  auto const at = fields_->find(field.name);
  auto const number = at ? at->integer() : std::nullopt;
  if (!number) return;
  if (*number < least || *number > most) {
    at->fail(range(std::to_string(least), std::to_string(most)) + std::to_string(*number));
    return;
  }
  value = static_cast<int>(*number);
}

void Reader::duration(Field field, milliseconds& value, milliseconds least, milliseconds most) {
  auto const at = fields_->find(field.name);
  auto const text = at ? at->text("a duration such as 30s or 5m") : std::nullopt;
  if (!text) return;
  auto const parsed = parse_duration(*text);
  if (!parsed) {
    at->fail(parsed.error());
  } else if (parsed.value() < least || parsed.value() > most) {
    at->fail(range(to_text(least), to_text(most)) + *text);
  } else {
    value = parsed.value();
  }
}

void Reader::size(Field field, std::uint64_t& value, std::uint64_t least, std::uint64_t most) {
  auto const at = fields_->find(field.name);
  auto const text = at ? at->text("a size such as 64MiB") : std::nullopt;
  if (!text) return;
  auto const parsed = parse_size(*text);
  if (!parsed) {
    at->fail(parsed.error());
  } else if (parsed.value() < least || parsed.value() > most) {
    at->fail(range(size_text(least), size_text(most)) + *text);
  } else {
    value = parsed.value();
  }
}

void Reader::choice(Field field, std::size_t& value, std::vector<std::string> const& names) {
  auto const at = fields_->find(field.name);
  auto const text = at ? at->text(joined(names)) : std::nullopt;
  if (!text) return;
  auto const found = std::ranges::find(names, *text);
  if (found == names.end()) {
    at->fail("expected " + joined(names) + ", got " + at->got(), did_you_mean(*text, names));
    return;
  }
  value = static_cast<std::size_t>(found - names.begin());
}

void Reader::label(Field field, std::string& value) {
  auto const at = fields_->find(field.name);
  auto const text = at ? at->text("a name") : std::nullopt;
  if (!text) return;
  if (text->empty() || text->size() > kMaxLabelBytes || std::ranges::any_of(*text, is_control)) {
    at->fail("expected 1 to " + std::to_string(kMaxLabelBytes) +
             " bytes without control characters, got " + at->got());
    return;
  }
  value = *text;
}

void Reader::text(Field field, std::optional<std::string>& value, std::size_t most,
                  Wrong const& wrong) {
  auto const at = fields_->find(field.name);
  auto const text = at ? at->text("text") : std::nullopt;
  if (!text) return;
  if (text->empty() || text->size() > most) {
    at->fail("expected 1 to " + std::to_string(most) + " bytes, got " +
             (text->empty() ? at->got() : std::to_string(text->size())));
  } else if (auto why = wrong(*text); !why.empty()) {
    at->fail(std::move(why));
  } else {
    value = *text;
  }
}

void Reader::text(Field field, std::string& value, std::size_t most, Wrong const& wrong) {
  std::optional<std::string> given;
  text(field, given, most, wrong);
  if (given) {
    value = *std::move(given);
  } else if (!fields_->find(field.name)) {
    fields_->self().fail("field missing: expected " + std::string(field.name));
  }
}

void Reader::texts(Field field, std::vector<std::string>& value, Most most, Wrong const& wrong) {
  auto const at = fields_->find(field.name);
  if (!at) return;
  auto const list = at->is_scalar() ? std::vector<yaml::Cursor>{*at} : at->list("a list of texts");
  if (!list) return;
  if (list->size() > most.texts) {
    at->fail("expected at most " + std::to_string(most.texts) + " texts, got " +
             std::to_string(list->size()));
    return;
  }
  std::vector<std::string> texts;
  for (auto const& element : *list) {
    auto text = element.text("text");
    if (!text) continue;
    if (text->empty() || text->size() > most.bytes) {
      element.fail("expected 1 to " + std::to_string(most.bytes) + " bytes, got " +
                   (text->empty() ? element.got() : std::to_string(text->size())));
    } else if (auto why = wrong(*text); !why.empty()) {
      element.fail(std::move(why));
    } else {
      texts.push_back(std::move(*text));
    }
  }
  value = std::move(texts);
}

void Reader::url(Field field, Url& value) {
  auto const at = fields_->find(field.name);
  if (!at) {
    fields_->self().fail("field missing: expected " + std::string(field.name) + ", a URL");
  } else if (auto parsed = url_at(*at, options_.list.has_value())) {
    value = *std::move(parsed);
  }
}

void Reader::url(Field field, std::optional<Url>& value) {
  auto const at = fields_->find(field.name);
  if (!at) return;
  if (auto parsed = url_at(*at, options_.list.has_value())) value = std::move(parsed);
}

std::optional<std::filesystem::path> Reader::path_at(yaml::Cursor const& at, bool readable) {
  auto const text = at.text("a path");
  if (!text) return std::nullopt;
  if (text->empty() || text->find('\0') != std::string::npos) {
    at.fail("expected a path, got " + at.got());
    return std::nullopt;
  }
  if (options_.list) return path_of_list(at, *text, readable);
  auto path = (options_.folder / *text).lexically_normal();
  if (readable && options_.use_files) {
    if (auto const why = why_unreadable(path)) {
      at.fail("expected a readable file: " + *why);
      return std::nullopt;
    }
  }
  return path;
}

void Reader::folder(Field field, std::filesystem::path& value) {
  auto const at = fields_->find(field.name);
  if (!at) return;
  if (auto path = path_at(*at, false)) value = *std::move(path);
}

void Reader::folder(Field field, std::optional<std::filesystem::path>& value) {
  auto const at = fields_->find(field.name);
  if (!at) return;
  if (auto path = path_at(*at, false)) value = std::move(path);
}

void Reader::file(Field field, std::filesystem::path& value) {
  auto const at = fields_->find(field.name);
  if (!at) {
    fields_->self().fail("field missing: expected " + std::string(field.name) + ", a file's path");
  } else if (auto path = path_at(*at, true)) {
    value = *std::move(path);
  }
}

void Reader::file(Field field, std::optional<std::filesystem::path>& value) {
  auto const at = fields_->find(field.name);
  if (!at) return;
  if (auto path = path_at(*at, true)) value = std::move(path);
}

void Reader::addresses(Field field, std::vector<std::string>& value) {
  auto const at = fields_->find(field.name);
  auto const list = at ? at->list("a list of addresses") : std::nullopt;
  if (!list) return;
  if (list->empty() || list->size() > kMaxListenAddresses) {
    at->fail("expected 1 to " + std::to_string(kMaxListenAddresses) + " addresses, got " +
             std::to_string(list->size()));
    return;
  }
  std::vector<std::string> addresses;
  for (auto const& element : *list) {
    auto const text = element.text("an address and port such as 127.0.0.1:9732");
    if (!text) continue;
    auto const address = parse_listen_address(*text);
    if (!address) {
      element.fail(address.error());
    } else if (std::ranges::find(addresses, *text) != addresses.end()) {
      element.fail("the same address twice, got " + element.got());
    } else {
      addresses.push_back(*text);
    }
  }
  value = std::move(addresses);
}

void Reader::proxy(Field field, HttpSettings& value) {
  auto const at = fields_->find(field.name);
  auto const text = at ? at->text("environment, none or http://host:port") : std::nullopt;
  if (!text) return;
  if (*text == "environment" || *text == "none") {
    value.proxy.reset();
    value.proxy_from_environment = *text == "environment";
    return;
  }
  if (options_.list) {  // which would get the credentials that the defaults have for theirs
    at->fail("a list may name no proxy: expected environment or none");
    return;
  }
  if (text->find('@') != std::string::npos) {
    at->fail(
        "credentials are refused here: expected environment, none or http://host:port, and "
        "user:password by proxy_credentials: {file: PATH} or {environment: NAME}");
    return;
  }
  auto const url = Url::parse(*text);
  if (!url) {
    at->fail("expected environment, none or http://host:port: " + url.error());
  } else if (url.value().scheme() != Scheme::http || url.value().target() != "/") {
    at->fail("expected environment, none or http://host:port, got \"" + url.value().text() + "\"");
  } else {
    value.proxy = *text;
    value.proxy_from_environment = false;
  }
}

void Reader::require(bool holds, std::string_view name, std::string message) {
  if (holds || fields_->self().problem_count() != problems_before_) return;
  auto const at = fields_->find(name);
  (at ? *at : fields_->self()).fail(std::move(message));
}

void Reader::headers(Field field, HttpSettings& value) {
  auto const at = fields_->find(field.name);
  if (!at) return;
  inside(*at, [&] {
    std::map<std::string, std::string> spelled;  // lower case to how it was written first
    for (auto const& [header_name, cursor] : fields_->all()) {
      auto const [first, added] = spelled.emplace(lower_case(header_name), header_name);
      if (!added) {
        cursor.fail("the same header twice, first as " + first->second);
      } else if (auto const wrong = check_header_name(header_name)) {
        cursor.fail(*wrong);
      } else {
        header(cursor, header_name, value);
      }
    }
  });
}

// Messages here never repeat a value: what is wrong may be a secret.
void Reader::header(yaml::Cursor const& at, std::string const& name, HttpSettings& value) {
  auto const same = [&](auto const& entry) { return lower_case(entry.first) == lower_case(name); };
  if (at.kind() == yaml::Item::Kind::mapping) {
    std::erase_if(value.headers, same);
    std::erase_if(value.secret_headers, same);
    auto const fits_anyway = [](std::string const&) { return std::string{}; };
    if (auto secret = secret_at(at, fits_anyway)) value.secret_headers[name] = *std::move(secret);
    return;
  }
  if (!at.is_scalar()) {
    at.fail("expected text, {file: PATH} or {environment: NAME}, got " + at.got());
    return;
  }
  if (is_secret_header(name) || is_credential(*at.text("text"))) {
    at.fail("a secret is refused in the file itself: expected {file: PATH} or {environment: NAME}");
    return;
  }
  auto const text = *at.text("text");
  if (auto const wrong = check_header_value(text)) {
    at.fail(*wrong);
    return;
  }
  std::erase_if(value.headers, same);
  std::erase_if(value.secret_headers, same);
  value.headers[name] = text;
}

void Reader::credentials(Field field, std::optional<Secret>& value) {
  auto const at = fields_->find(field.name);
  if (!at) return;
  if (at->kind() != yaml::Item::Kind::mapping) {
    at->fail(
        "a secret is refused in the file itself: expected {file: PATH} or {environment: NAME} that "
        "holds user:password");
    return;
  }
  auto const fit = [](std::string const& text) -> std::string {
    return text.find(':') == std::string::npos ? "expected user:password" : "";
  };
  if (auto secret = secret_at(*at, fit)) value = std::move(secret);
}

std::optional<Secret> Reader::secret_at(yaml::Cursor const& at,
                                        std::string (*fit)(std::string const& value)) {
  std::optional<Secret> result;
  if (options_.list) {
    at.fail("a list may name no secrets, which are this machine's");
    return result;
  }
  inside(at, [&] {
    auto const file = fields_->find("file");
    auto const variable = fields_->find("environment");
    if (file.has_value() == variable.has_value()) {
      return at.fail("expected exactly one of file and environment");
    }
    auto const& source = file ? *file : *variable;
    Secret secret;
    if (file) {
      auto const path = path_at(*file, false);
      if (!path) return;
      secret.file = *path;
    } else {
      auto const variable_name = variable->text("the name of an environment variable");
      if (!variable_name) return;
      secret.variable = *variable_name;
    }
    if (options_.use_files) {
      auto read = file ? read_secret(secret.file) : variable_value(secret.variable);
      if (!read) return source.fail(read.error().text);
      secret.value = std::move(read).value();
      if (auto wrong = fit(secret.value); !wrong.empty()) return source.fail(std::move(wrong));
    }
    result = std::move(secret);
  });
  return result;
}

Result<std::string, ReadError> Reader::variable_value(std::string const& name) const {
  auto const found = options_.environment->find(name);
  if (found == options_.environment->end()) {
    return ReadError{"the environment variable " + name + " is not set"};
  }
  if (auto wrong = check_secret(found->second); !wrong.empty()) return ReadError{wrong};
  return std::string{found->second};
}

}  // namespace canary::config
