// SPDX-License-Identifier: Apache-2.0
#include "probes/http/json_value.h"

#include <limits>
#include <new>
#include <utility>

#include <boost/json/memory_resource.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace canary::http {
namespace {

namespace json = boost::json;

constexpr std::size_t kShown = 120;

// What the parser takes is counted.
class Bounded final : public json::memory_resource {
 public:
  explicit Bounded(std::size_t most) : left_(most) {}

 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    if (size > left_) throw std::bad_alloc{};
    left_ -= size;
    return ::operator new(size, std::align_val_t{alignment});
  }
  void do_deallocate(void* memory, std::size_t size, std::size_t alignment) override {
    left_ += size;
    // Without its size: monotonic_resource of Boost 1.81 leaves out its own header.
    ::operator delete(memory, std::align_val_t{alignment});
  }
  bool do_is_equal(json::memory_resource const& other) const noexcept override {
    return this == &other;
  }
  std::size_t left_;
};

bool is_equal(json::value const& a, json::value const& b) {
  bool const number = a.is_number() && b.is_number();
  if (number && (a.is_double() || b.is_double())) {
    return a.to_number<double>() == b.to_number<double>();
  }
  return a == b;
}

json::value meant(std::string const& text) {
  json::error_code error;
  auto value = json::parse(text, error);
  return error ? json::value(json::string(text)) : value;
}

std::string shown(json::value const& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  std::string text = json::serialize(value);
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  return text;
}

}  // namespace

struct JsonDocument::Impl {
  Bounded bounded{kJsonMemory};
  json::monotonic_resource memory{std::size_t{4096}, json::storage_ptr{&bounded}};
  json::value value = json::value(json::storage_ptr(&memory));
};

JsonDocument::JsonDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

bool is_pointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') continue;
    bool const escape = i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1');
    if (!escape) return false;
  }
  return true;
}

Result<JsonDocument, JsonDocument::Refusal> JsonDocument::parse(std::string_view text) {
  auto impl = std::make_unique<Impl>();
  json::parse_options options;
  options.max_depth = kJsonDepth;
  json::error_code error;
  try {
    impl->value = json::parse({text.data(), text.size()}, error, &impl->memory, options);
  } catch (std::bad_alloc const&) {
    return Refusal{true, "the body has more JSON values than fit into " +
                             std::to_string(kJsonMemory >> 20) + " MiB"};
  }
  if (error) return Refusal{false, "the body is no JSON: " + error.message()};
  return JsonDocument{std::move(impl)};
}

std::string JsonDocument::differs(std::string const& pointer, std::string const& wanted) const {
  json::error_code error;
  auto const* const found = impl_->value.find_pointer(pointer, error);
  if (found == nullptr) return "there is none";
  if (wanted.empty() || is_equal(*found, meant(wanted))) return {};
  return "there is " + shown(*found);
}

}  // namespace canary::http
