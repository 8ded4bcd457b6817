// SPDX-License-Identifier: GPL-3.0-or-later
//
// "Did you mean": the nearest of the words that would have been right.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linecheck::scheduler {

/// Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and swaps of
/// neighbours that turn `a` into `b`, upper and lower case being equal.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `word`, else one that it begins; or empty when none is near (more than a third of
/// the letters differ).
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// `; did you mean 'x'?`, or empty when nothing is near: made to be appended to a message.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// `a, b or c`.
std::string join_or(std::span<const std::string> words);

}  // namespace linecheck::scheduler
