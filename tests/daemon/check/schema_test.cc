// SPDX-License-Identifier: Apache-2.0
// config/check.schema.json, the schema of `canaryd check --output json`, is what the kinds declare;
// outputs_test.py holds real output of each to it.
// Thread: main.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "config/finding_words.h"
#include "probes/kind.h"
#include "tests/support/read_file.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;

json::string text(std::string_view value) { return json::string{value}; }

json::object of_type(std::string_view type) { return {{"type", text(type)}}; }

json::object shared(std::string_view name) {
  return {{"$ref", text("#/$defs/" + std::string{name})}};
}

json::object one_of(json::array words) { return {{"enum", std::move(words)}}; }

// All of its members are required but those in `optional`; others are wrong.
json::object closed(json::object members, json::object optional = {}) {
  json::array required;
  for (auto const& member : members) required.push_back(text(member.key()));
  for (auto& member : optional) members[member.key()] = member.value();
  return {{"type", "object"},
          {"required", std::move(required)},
          {"properties", std::move(members)},
          {"additionalProperties", false}};
}

json::object list_of(json::object items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

json::object thing(probes::ThingType const& type) {
  json::object members{{type.name, of_type("string")}};
  for (auto const& number : type.numbers) members[number.field] = of_type("integer");
  json::object optional;
  if (!type.below.empty()) optional[type.below] = of_type("string");
  if (!type.ends.field.empty()) optional[type.ends.field] = shared("instant");
  if (!type.warning.field.empty()) optional[type.warning.field] = of_type("integer");
  if (!type.critical.field.empty()) optional[type.critical.field] = of_type("integer");
  return closed(std::move(members), std::move(optional));
}

json::object sample(probes::SampleFamily const& family) {
  if (family.label.empty()) return {{"type", json::array{"number", "null"}}};
  if (family.values.empty()) {
    return {{"type", "object"}, {"additionalProperties", of_type("number")}};
  }
  json::object members;
  for (auto const& [value, says] : family.values) members[value] = of_type("number");
  return closed(std::move(members));
}

json::object measurements(probes::Declaration const& kind) {
  json::object members;
  for (auto const* const type : kind.things) members[type->plural] = list_of(thing(*type));
  for (auto const* const family : kind.samples) members[family->number.field] = sample(*family);
  members["phase_seconds"] = shared("phase_seconds");
  for (char const* const counter : {"bytes_received", "requests", "retries"}) {
    members[counter] = json::object{{"type", "integer"}, {"minimum", 0}};
  }
  members["tls_not_after"] =
      json::object{{"oneOf", json::array{of_type("null"), shared("instant")}}};
  return closed(std::move(members));
}

json::object finding(probes::Declaration const& kind) {
  json::array checks, reasons{text("none")};
  for (auto const check : kind.checks) checks.push_back(text(check));
  for (auto const check : config::kCommonChecks) checks.push_back(text(check));
  checks.push_back(text("accept"));
  for (auto const& reason : kind.reasons) reasons.push_back(text(reason.word()));
  for (auto const reason : config::kCommonReasons) reasons.push_back(text(reason));
  json::object accepted{{"oneOf", json::array{of_type("null"), shared("accepted")}}};
  return closed({{"check", one_of(std::move(checks))},
                 {"subject", of_type("string")},
                 {"severity", shared("severity")},
                 {"reason", one_of(std::move(reasons))},
                 {"message", of_type("string")},
                 {"evidence", of_type("string")},
                 {"expected", of_type("string")},
                 {"received", of_type("string")},
                 {"url", of_type("string")},
                 {"accepted", std::move(accepted)}},
                {{"explanation", shared("explanation")}});
}

json::object probe(probes::Declaration const& kind) {
  return closed({{"name", of_type("string")},
                 {"repo", of_type("string")},
                 {"kind", json::object{{"const", text(kind.kind)}}},
                 {"severity", shared("severity")},
                 {"complete", of_type("boolean")},
                 {"duration_seconds", json::object{{"type", "number"}, {"minimum", 0}}},
                 {"findings", list_of(finding(kind))},
                 {"measurements", measurements(kind)}});
}

json::object schema() {
  json::object defs;
  defs["severity"] = one_of({"ok", "warning", "critical", "unknown"});
  defs["instant"] =
      json::object{{"type", "string"},
                   {"pattern", "^-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}};
  defs["accepted"] = closed({{"because", of_type("string")}, {"until", shared("instant")}});
  json::object explanation;
  for (char const* const line :
       {"step", "file", "url", "expected", "received", "clients", "advice", "alert"}) {
    explanation[line] = of_type("string");
  }
  defs["explanation"] = closed(std::move(explanation));
  json::object phases;
  for (char const* const phase :
       {"queue", "dns", "connect", "tls", "request", "first_byte", "body", "verify"}) {
    phases[phase] = json::object{{"type", "number"}, {"minimum", 0}};
  }
  defs["phase_seconds"] = closed(std::move(phases));
  json::array kinds;
  for (auto const* const kind : probes::kinds()) {
    std::string const name = "probe_" + std::string{kind->declaration().kind};
    defs[name] = probe(kind->declaration());
    kinds.push_back(shared(name));
  }
  json::object whole =
      closed({{"severity", shared("severity")},
              {"exit_code", one_of({0, 1, 2, 3})},
              {"probes", json::object{{"type", "array"},
                                      {"minItems", 1},
                                      {"items", json::object{{"oneOf", kinds}}}}}});
  json::object out{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                   {"title", "Output of canaryd check --output json"}};
  for (auto const& member : whole) out[member.key()] = member.value();
  out["$defs"] = std::move(defs);
  return out;
}

// Objects and lists of more than a line's length a member a line.
std::string pretty(json::value const& value, std::size_t indent) {
  constexpr std::size_t kLine = 90;
  std::string const flat = json::serialize(value);
  if (value.is_primitive() || flat.size() + indent <= kLine) return flat;
  std::string const inner(indent + 2, ' ');
  std::string out;
  auto const add = [&](std::string const& one) {
    out += (out.empty() ? "\n" : ",\n") + inner + one;
  };
  if (auto const* const object = value.if_object()) {
    for (auto const& member : *object) {
      add(json::serialize(json::value(text(member.key()))) + ": " +
          pretty(member.value(), indent + 2));
    }
    return "{" + out + "\n" + std::string(indent, ' ') + "}";
  }
  for (auto const& each : value.get_array()) add(pretty(each, indent + 2));
  return "[" + out + "\n" + std::string(indent, ' ') + "]";
}

TEST(CheckSchema, IsWhatTheKindsDeclare) {
  std::filesystem::path const file =
      std::filesystem::path{CANARY_SOURCE_DIR} / "config/check.schema.json";
  std::string const written = pretty(schema(), 0) + "\n";
  if (std::getenv("CANARY_WRITE_DOCS") != nullptr) {
    std::ofstream{file} << written;
    return;
  }
  EXPECT_EQ(support::read_file(file), written)
      << "write it anew: CANARY_WRITE_DOCS=1 ctest --preset dev -R CheckSchema";
}

}  // namespace
}  // namespace canary::daemon
