// SPDX-License-Identifier: GPL-3.0-or-later
//
// Levels of 16-bit speech. All of them in dBov: 0 dBov is the power of a full-scale square wave (ITU-T
// G.100.1), so a full-scale sine has -3.01 dBov. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace linecheck::media::speech {

/// What digital silence counts as: below the quantisation noise of 16 bits, so that no logarithm of zero is
/// taken.
inline constexpr double kSilenceDbov = -100.0;

/// Level of a mean power (of samples scaled to +-1), never below kSilenceDbov.
[[nodiscard]] double power_to_dbov(double mean_power);
[[nodiscard]] double dbov_to_power(double dbov);

/// RMS level of all samples; kSilenceDbov when there are none.
[[nodiscard]] double rms_dbov(std::span<const std::int16_t> samples);

struct ActiveLevel {
  double active_dbov = kSilenceDbov;     ///< level while speech is active
  double long_term_dbov = kSilenceDbov;  ///< level of everything
  double activity = 0;                   ///< share of the time that is active, 0..1
};

/// ITU-T P.56 method B: two-stage 30 ms envelope, thresholds 6.02 dB apart, 200 ms hangover, 15.9 dB margin.
/// nullopt when the signal is too short or too quiet to have an active level (digital silence).
[[nodiscard]] std::optional<ActiveLevel> active_level(std::span<const std::int16_t> samples, int rate);

/// Share of samples at the rails in runs of two or more, percent. The rail is the largest magnitude that
/// G.711 can carry (A-law 32256, mu-law 32124), so that clipping before the codec is seen too.
[[nodiscard]] double clipped_percent(std::span<const std::int16_t> samples);

}  // namespace linecheck::media::speech
