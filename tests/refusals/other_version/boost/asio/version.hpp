// SPDX-License-Identifier: Apache-2.0
// Stands before Boost's own in the include path of a test: an Asio that says it is another version.
#pragma once
#include_next <boost/asio/version.hpp>
#undef BOOST_ASIO_VERSION
#define BOOST_ASIO_VERSION 102700
