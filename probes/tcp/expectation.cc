// SPDX-License-Identifier: Apache-2.0
#include "probes/tcp/expectation.h"

#include <algorithm>
#include <utility>

namespace canary::tcp {

Expectation::Expectation(Spec const& spec)
    : starts_with_(spec.starts_with), contains_(spec.contains), matches_(spec.matches) {
  if (!matches_) return;
  auto compiled = probes::Pattern::compile(*matches_);
  if (compiled) pattern_ = std::move(compiled).value();  // else refused when it was read
}

bool Expectation::found(std::string_view heard) {
  if (found_ || !contains_) return true;
  std::size_t const overlap = std::min(searched_, contains_->size() - 1);
  found_ = heard.find(*contains_, searched_ - overlap) != std::string_view::npos;
  searched_ = heard.size();
  return found_;
}

void Expectation::looked(std::size_t heard, bool matched) {
  next_look_ = heard + heard / 16 + 1;
  matched_ = matched;
}

Answer Expectation::so_far(std::string_view heard) {
  bool begun = true;
  if (starts_with_) {
    begun = heard.starts_with(*starts_with_);
    if (!begun && !starts_with_->starts_with(heard)) return Answer::unmet;
  }
  bool const text = found(heard);
  return begun && text && (matched_ || !pattern_) ? Answer::met : Answer::more;
}

Answer Expectation::at_end(std::string_view heard, End end) {
  Answer const answer = so_far(heard);
  if (answer != Answer::more) return answer;
  if (heard.empty() || end == End::overdue) return Answer::unclear;
  bool const begun = !starts_with_ || heard.starts_with(*starts_with_);
  return !begun && end == End::silent ? Answer::unclear : Answer::unmet;
}

std::string Expectation::missing(std::string_view heard) const {
  std::string text;
  auto const add = [&](std::string_view what, std::string const& wanted) {
    text += text.empty() ? "that it " : " and ";
    text.append(what).append(" \"").append(wanted).append("\"");
  };
  if (starts_with_ && !heard.starts_with(*starts_with_)) add("begins with", *starts_with_);
  if (contains_ && !found_) add("contains", *contains_);
  if (pattern_ && !matched_) add("matches", *matches_);
  return text;
}

}  // namespace canary::tcp
