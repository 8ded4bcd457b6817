// SPDX-License-Identifier: GPL-3.0-or-later
//
// Conversational quality from packet loss and delay: the E-model of ITU-T G.107, reduced to what an RTP
// measurement can know (all other parameters at G.107's defaults, for which Ro - Is = 93.2).
#pragma once

#include <optional>
#include <string>

namespace linecheck::engine {

struct EModelInput {
  std::string codec;        ///< "pcmu", "pcma" in any case; also "PCMU/8000"
  double loss_percent = 0;  ///< Ppl
  double burst_ratio = 1;   ///< BurstR of G.107 7.5: measured mean burst / mean burst of random loss; >= 1
  std::optional<double> one_way_delay_ms;  ///< mouth to ear; absent: loss only
  bool concealment = true;                 ///< the receiver conceals lost packets (G.711 appendix I)
};

struct EModelResult {
  double r = 0;
  double mos = 0;
  double delay_impairment = 0;
  double equipment_impairment = 0;
};

/// nullopt for a codec whose Ie and Bpl are not known.
[[nodiscard]] std::optional<EModelResult> mos_cqe(const EModelInput& input);

/// Idd of G.107 7.4 (2011 and later editions; 3.4 before): nothing up to 100 ms.
[[nodiscard]] double delay_impairment(double one_way_delay_ms);

/// MOS from R, G.107 annex B.
[[nodiscard]] double mos_from_r(double r);

/// G.107 7.5: how much burstier than random loss of the same rate; at least 1. `mean_burst` in packets.
[[nodiscard]] double burst_ratio(double loss_percent, double mean_burst);

}  // namespace linecheck::engine
