// SPDX-License-Identifier: Apache-2.0
// What Boost.Asio calls for every operation it creates, completes and runs a handler for
// (BOOST_ASIO_CUSTOM_HANDLER_TRACKING). Every translation unit of the program sees this header:
// it changes the layout of Asio's operations. Asio includes it; nobody else does.
// Thread: the loop's, and any thread that posts to the loop.
// Source: boost/asio/detail/handler_tracking.hpp of 1.81, plus BOOST_ASIO_HANDLER_LOCATION, which
// its list of required macros leaves out.
#pragma once

#include <cstddef>
#include <cstdint>

namespace boost::asio {
class execution_context;
}

namespace canary::runtime {
class Tables;
}

namespace canary::runtime::tracking {

// The base of every Asio operation: remembers its record in the table.
class Tracked {
 public:
  mutable std::uint32_t record = 0;  // index + 1; 0 is "not recorded"

 protected:
  Tracked() = default;
  ~Tracked() = default;
};

// Called once for each scheduler ever built. Throws SecondLoop for one that no Loop asked for.
void scheduler_created();

// From now on operations may belong to `context` and to no other. For Loop.
void adopt(boost::asio::execution_context const& context, Tables& tables);

// A source location in force while a composed operation starts its parts.
class Location {
 public:
  Location(char const* file, int line, char const* function) noexcept;
  ~Location();
  Location(Location const&) = delete;
  Location& operator=(Location const&) = delete;

 private:
  char const* file_;
  char const* function_;
  int line_;
  Location* outer_;
  friend void created(boost::asio::execution_context& context, Tracked const& operation,
                      char const* object_type, void const* object, std::uintmax_t native_handle,
                      char const* name);
};

// Throws SecondLoop where `context` is not the Loop's.
void created(boost::asio::execution_context& context, Tracked const& operation,
             char const* object_type, void const* object, std::uintmax_t native_handle,
             char const* name);

// Lives from the moment an operation is complete until its handler has returned.
class Completion {
 public:
  explicit Completion(Tracked const& operation) noexcept;
  ~Completion();
  Completion(Completion const&) = delete;
  Completion& operator=(Completion const&) = delete;

  template <class... Results>
  void begin(Results const&...) noexcept {
    begin_handler();
  }
  void end() noexcept;

 private:
  void begin_handler() noexcept;

  std::uint32_t object_type_ = 0, operation_ = 0, file_ = 0, function_ = 0, line_ = 0;
  std::uint16_t run_;
  std::uint8_t frame_;
  bool running_ = false;
};

template <class... Arguments>
inline void ignore(Arguments const&...) noexcept {}

}  // namespace canary::runtime::tracking

#define BOOST_ASIO_INHERIT_TRACKED_HANDLER : public canary::runtime::tracking::Tracked
#define BOOST_ASIO_ALSO_INHERIT_TRACKED_HANDLER , public canary::runtime::tracking::Tracked
#define BOOST_ASIO_HANDLER_TRACKING_INIT canary::runtime::tracking::scheduler_created()
#define BOOST_ASIO_HANDLER_LOCATION(arguments) \
  canary::runtime::tracking::Location tracked_location arguments
#define BOOST_ASIO_HANDLER_CREATION(arguments) canary::runtime::tracking::created arguments
#define BOOST_ASIO_HANDLER_COMPLETION(arguments) \
  canary::runtime::tracking::Completion tracked_completion arguments
#define BOOST_ASIO_HANDLER_INVOCATION_BEGIN(arguments) tracked_completion.begin arguments
#define BOOST_ASIO_HANDLER_INVOCATION_END tracked_completion.end()
#define BOOST_ASIO_HANDLER_OPERATION(arguments) canary::runtime::tracking::ignore arguments
#define BOOST_ASIO_HANDLER_REACTOR_REGISTRATION(arguments) \
  canary::runtime::tracking::ignore arguments
#define BOOST_ASIO_HANDLER_REACTOR_DEREGISTRATION(arguments) \
  canary::runtime::tracking::ignore arguments
#define BOOST_ASIO_HANDLER_REACTOR_READ_EVENT 1
#define BOOST_ASIO_HANDLER_REACTOR_WRITE_EVENT 2
#define BOOST_ASIO_HANDLER_REACTOR_ERROR_EVENT 4
#define BOOST_ASIO_HANDLER_REACTOR_EVENTS(arguments) canary::runtime::tracking::ignore arguments
#define BOOST_ASIO_HANDLER_REACTOR_OPERATION(arguments) canary::runtime::tracking::ignore arguments
