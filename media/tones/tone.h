// SPDX-License-Identifier: GPL-3.0-or-later
//
// Tones as they are reported. Plain values; times in ms from wherever the samples began.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linecheck::media {

/// From dBov to dBm0: a full-scale sine, -3.01 dBov, is +3.14 dBm0 (G.711 section 5).
inline constexpr double kDbm0OfDbov = 6.15;

/// A signalling tone, or the beep of an answering machine.
struct ToneEvent {
  enum class Kind { ringback, busy, congestion, dial, sit, fax_calling, fax_answering, beep, music };
  Kind kind = Kind::beep;
  double start_ms = 0;
  double end_ms = 0;      ///< of its last burst
  double low_hz = 0;      ///< of the first burst
  double high_hz = 0;     ///< the second frequency; 0: there is one
  double level_dbm0 = 0;  ///< of the tone while it sounds
  int bursts = 1;
  std::string cadence;    ///< "480 on, 480 off" as heard; empty where there is one burst
  std::string countries;  ///< whose plan it fits: "de nl"; empty where that says nothing
};

/// "ringback", "busy", ...
[[nodiscard]] std::string_view tone_name(ToneEvent::Kind kind);
[[nodiscard]] std::optional<ToneEvent::Kind> tone_named(std::string_view name);

}  // namespace linecheck::media
