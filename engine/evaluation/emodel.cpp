// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/emodel.h"

#include <algorithm>
#include <cmath>

#include "engine/lower_case.h"

namespace linecheck::engine {
namespace {

// G.107 with every parameter at its default: Ro - Is.
constexpr double kDefaultR = 93.2;

// ITU-T G.113 appendix I, table I.4: provisional planning values for G.711 under packet loss.
constexpr double kG711Ie = 0;
constexpr double kG711Bpl = 4.3;              // without concealment
constexpr double kG711BplConcealment = 25.1;  // with G.711 appendix I concealment

bool is_g711(std::string_view of) {
  const std::string codec = lower_case(of.substr(0, of.find('/')));
  return codec == "pcmu" || codec == "pcma";
}

}  // namespace

double delay_impairment(double one_way_delay_ms) {
  constexpr double kNoticeableMs = 100;
  if (one_way_delay_ms <= kNoticeableMs) return 0;
  const double x = std::log2(one_way_delay_ms / kNoticeableMs);
  const auto root = [](double v) { return std::pow(1 + std::pow(v, 6), 1.0 / 6); };
  return 25 * (root(x) - 3 * root(x / 3) + 2);
}

double mos_from_r(double r) {
  r = std::clamp(r, 0.0, 100.0);
  return std::clamp(1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r), 1.0, 4.5);
}

double burst_ratio(double loss_percent, double mean_burst) {
  if (loss_percent <= 0 || loss_percent >= 100 || mean_burst <= 0) return 1;
  const double random_burst = 1 / (1 - loss_percent / 100);
  return std::max(1.0, mean_burst / random_burst);
}

std::optional<EModelResult> mos_cqe(const EModelInput& input) {
  if (!is_g711(input.codec)) return std::nullopt;
  const double bpl = input.concealment ? kG711BplConcealment : kG711Bpl;
  const double ppl = std::clamp(input.loss_percent, 0.0, 100.0);
  EModelResult result;
  result.delay_impairment = input.one_way_delay_ms ? delay_impairment(*input.one_way_delay_ms) : 0;
  result.equipment_impairment =
      kG711Ie + (95 - kG711Ie) * ppl / (ppl / std::max(1.0, input.burst_ratio) + bpl);
  result.r = std::clamp(kDefaultR - result.delay_impairment - result.equipment_impairment, 0.0, 100.0);
  result.mos = mos_from_r(result.r);
  return result;
}

}  // namespace linecheck::engine
