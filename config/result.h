// SPDX-License-Identifier: Apache-2.0
// How a layer says "a value or the reason there is none": Boost.Outcome with a closed error type
// per layer. A wrong `.value()` stops the program with a stack, it is never undefined behaviour.
// Thread: any.
#pragma once

#include <boost/outcome/result.hpp>
#include <boost/outcome/try.hpp>

namespace canary {

namespace outcome = BOOST_OUTCOME_V2_NAMESPACE;

template <class T, class E>
using Result = outcome::basic_result<T, E, outcome::policy::terminate>;

}  // namespace canary
