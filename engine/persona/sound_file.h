// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sound files of any format, rate and number of channels that libsndfile reads, as mono of `rate` Hz.
#pragma once

#include <string>
#include <vector>

namespace linecheck::engine {

/// What lies after that in a file is not read: a clip is held in memory whole.
inline constexpr double kLongestSoundSeconds = 300;

/// Both throw std::runtime_error naming the file and the reason. Samples are in the scale of 16 bits.
double sound_file_seconds(const std::string& path);
std::vector<float> read_sound_file(const std::string& path, double max_seconds, int rate);

}  // namespace linecheck::engine
