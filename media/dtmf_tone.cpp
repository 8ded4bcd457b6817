// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/dtmf_tone.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

namespace linecheck::media {
namespace {

constexpr std::string_view kKeys = "123A456B789C*0#D";  // as they lie on the keypad
constexpr double kRowHz[] = {697, 770, 852, 941};
constexpr double kColumnHz[] = {1209, 1336, 1477, 1633};
constexpr int kRampMs = 2;
// A sine that fills G.711's range is +3.14 dBm0 (mu-law +3.17; G.711 section 5).
constexpr double kFullScaleDbm0 = 3.14;

}  // namespace

void dtmf_tone(char digit, int rate, std::int64_t from, std::int64_t length,
               std::span<std::int16_t> audio) noexcept {
  const std::size_t key = std::min(kKeys.find(digit), kKeys.size() - 1);
  // Two tones of half the power each.
  const double amplitude =
      32767 * std::pow(10.0, (kDtmfLevelDbm0 - kFullScaleDbm0) / 20) / std::numbers::sqrt2;
  const double low = 2 * std::numbers::pi * kRowHz[key / 4] / rate;
  const double high = 2 * std::numbers::pi * kColumnHz[key % 4] / rate;
  const double ramp = rate / 1000.0 * kRampMs;
  double at = static_cast<double>(from);
  for (std::int16_t& sample : audio) {
    const double edge = std::min({1.0, (at + 1) / ramp, (static_cast<double>(length) - at) / ramp});
    sample = static_cast<std::int16_t>(
        std::lround(amplitude * std::max(0.0, edge) * (std::sin(low * at) + std::sin(high * at))));
    at += 1;
  }
}

}  // namespace linecheck::media
