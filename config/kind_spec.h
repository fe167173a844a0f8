// SPDX-License-Identifier: Apache-2.0
// What a probe is told beyond what all probes have: a value of its kind's own type, held so that
// whoever handles probes need not know the kinds.
// Thread: any (immutable; a copy shares, and is made anew when it is changed).
//
// A kind's type is a plain struct in the kind's folder with
//   static constexpr std::string_view kKind = "tcp";  // its field in a configuration
//   static constexpr bool kFetches = false;           // sends HTTP requests as `http:` says
//   static constexpr bool kRunsPrograms = false;  // of this machine: no list from outside may
//   std::string location() const;   // for people: "tcp://host:873"
//   std::string host() const;       // who is asked: for the limit of runs per host
//   std::size_t connections() const;  // that a run holds at once, at most
//   friend bool operator==(Spec const&, Spec const&) = default;
// and, in its namespace,
//   void describe(config::FieldVisitor&, Spec&);           // every field (config/fields.h)
//   void describe_defaults(config::FieldVisitor&, Spec&);  // those that `defaults` may hold
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

namespace canary::config {

class FieldVisitor;

template <class Spec>
concept IsKindSpec = requires { Spec::kKind; };

class KindSpec {
 public:
  KindSpec() = default;  // of no kind
  template <IsKindSpec Spec>
  KindSpec(Spec spec) : held_(std::make_shared<Held<Spec>>(std::move(spec))) {}

  bool empty() const { return held_ == nullptr; }
  // "tcp"; "" where it is empty, and so on below.
  std::string_view name() const { return held_ ? held_->name() : std::string_view{}; }
  bool fetches() const { return held_ && held_->fetches(); }
  bool runs_programs() const { return held_ && held_->runs_programs(); }
  std::string location() const { return held_ ? held_->location() : std::string{}; }
  std::string host() const { return held_ ? held_->host() : std::string{}; }
  std::size_t connections() const { return held_ ? held_->connections() : 0; }

  // nullptr where it is of another kind.
  template <IsKindSpec Spec>
  Spec const* get() const {
    if (!held_ || held_->type() != typeid(Spec)) return nullptr;
    return &static_cast<Held<Spec> const&>(*held_).value;
  }
  // REQUIRES: it is of that kind.
  template <IsKindSpec Spec>
  Spec& edit() {
    own();
    return static_cast<Held<Spec>&>(*held_).value;
  }

  // Visits its fields; a visitor may change them.
  void visit(FieldVisitor& visitor) {
    if (!held_) return;
    own();
    held_->visit(visitor);
  }
  void visit_defaults(FieldVisitor& visitor) {
    if (!held_) return;
    own();
    held_->visit_defaults(visitor);
  }

  friend bool operator==(KindSpec const& a, KindSpec const& b) {
    if (a.held_ == b.held_) return true;
    return a.held_ && b.held_ && a.held_->equals(*b.held_);
  }

 private:
  struct Holder {
    virtual ~Holder() = default;
    virtual std::string_view name() const = 0;
    virtual bool fetches() const = 0;
    virtual bool runs_programs() const = 0;
    virtual std::string location() const = 0;
    virtual std::string host() const = 0;
    virtual std::size_t connections() const = 0;
    virtual std::type_info const& type() const = 0;
    virtual bool equals(Holder const& other) const = 0;
    virtual std::shared_ptr<Holder> copy() const = 0;
    virtual void visit(FieldVisitor& visitor) = 0;
    virtual void visit_defaults(FieldVisitor& visitor) = 0;
  };
  template <class Spec>
  struct Held final : Holder {
    explicit Held(Spec spec) : value(std::move(spec)) {}
    std::string_view name() const override { return Spec::kKind; }
    bool fetches() const override { return Spec::kFetches; }
    bool runs_programs() const override { return Spec::kRunsPrograms; }
    std::string location() const override { return value.location(); }
    std::string host() const override { return value.host(); }
    std::size_t connections() const override { return value.connections(); }
    std::type_info const& type() const override { return typeid(Spec); }
    bool equals(Holder const& other) const override {
      return other.type() == typeid(Spec) && static_cast<Held const&>(other).value == value;
    }
    std::shared_ptr<Holder> copy() const override { return std::make_shared<Held>(value); }
    void visit(FieldVisitor& visitor) override { describe(visitor, value); }
    void visit_defaults(FieldVisitor& visitor) override { describe_defaults(visitor, value); }
    Spec value;
  };

  void own() {
    if (held_.use_count() > 1) held_ = held_->copy();
  }

  std::shared_ptr<Holder> held_;
};

}  // namespace canary::config
