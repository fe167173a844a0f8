// SPDX-License-Identifier: Apache-2.0
// The hook that does nothing: found before the real one by the benchmark's bare build, to measure
// what the real one costs.
#pragma once

namespace boost::asio {
class execution_context;
}
namespace canary::runtime {
class Tables;
}
namespace canary::runtime::tracking {
inline void adopt(boost::asio::execution_context const&, Tables&) {}
}  // namespace canary::runtime::tracking

#define BOOST_ASIO_INHERIT_TRACKED_HANDLER
#define BOOST_ASIO_ALSO_INHERIT_TRACKED_HANDLER
#define BOOST_ASIO_HANDLER_TRACKING_INIT (void)0
#define BOOST_ASIO_HANDLER_LOCATION(arguments) (void)0
#define BOOST_ASIO_HANDLER_CREATION(arguments) (void)0
#define BOOST_ASIO_HANDLER_COMPLETION(arguments) (void)0
#define BOOST_ASIO_HANDLER_INVOCATION_BEGIN(arguments) (void)0
#define BOOST_ASIO_HANDLER_INVOCATION_END (void)0
#define BOOST_ASIO_HANDLER_OPERATION(arguments) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_REGISTRATION(arguments) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_DEREGISTRATION(arguments) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_READ_EVENT 0
#define BOOST_ASIO_HANDLER_REACTOR_WRITE_EVENT 0
#define BOOST_ASIO_HANDLER_REACTOR_ERROR_EVENT 0
#define BOOST_ASIO_HANDLER_REACTOR_EVENTS(arguments) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_OPERATION(arguments) (void)0
