// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace linecheck::media {

/// A 16-bit sample's overload point: a power of its square is 0 dBov (ITU-T G.100.1).
inline constexpr double kFullScale = 32768.0;

}  // namespace linecheck::media
