// SPDX-License-Identifier: GPL-3.0-or-later
//
// Call progress tones by country, after "Various tones used in national networks" (ITU-T E.180, supplement
// 2), fax after T.30 (CNG, CED). Where a country uses several, the most common one. Modulated tones (Japan's
// ringback) are in it as the pair that carries most of their energy.
#include "media/tones/plan.h"

namespace linecheck::media::tones {
namespace {

using enum ToneEvent::Kind;

constexpr PlannedTone kPlan[] = {
    {"us", dial, 350, 440, {}},
    {"us", ringback, 440, 480, {2000, 4000}},
    {"us", busy, 480, 620, {500, 500}},
    {"us", congestion, 480, 620, {250, 250}},
    {"gb", dial, 350, 450, {}},
    {"gb", ringback, 400, 450, {400, 200, 400, 2000}},
    {"gb", busy, 400, 0, {375, 375}},
    {"gb", congestion, 400, 0, {400, 350, 225, 525}},
    {"de", dial, 425, 0, {}},
    {"de", ringback, 425, 0, {1000, 4000}},
    {"de", busy, 425, 0, {480, 480}},
    {"de", congestion, 425, 0, {240, 240}},
    {"fr", dial, 440, 0, {}},
    {"fr", ringback, 440, 0, {1500, 3500}},
    {"fr", busy, 440, 0, {500, 500}},
    {"fr", congestion, 440, 0, {250, 250}},
    {"it", dial, 425, 0, {200, 200, 600, 1000}},
    {"it", ringback, 425, 0, {1000, 4000}},
    {"it", busy, 425, 0, {500, 500}},
    {"it", congestion, 425, 0, {200, 200}},
    {"es", dial, 425, 0, {}},
    {"es", ringback, 425, 0, {1500, 3000}},
    {"es", busy, 425, 0, {200, 200}},
    {"es", congestion, 425, 0, {200, 200, 200, 200, 200, 600}},
    {"nl", dial, 425, 0, {}},
    {"nl", ringback, 425, 0, {1000, 4000}},
    {"nl", busy, 425, 0, {500, 500}},
    {"nl", congestion, 425, 0, {250, 250}},
    {"se", dial, 425, 0, {}},
    {"se", ringback, 425, 0, {1000, 5000}},
    {"se", busy, 425, 0, {250, 250}},
    {"se", congestion, 425, 0, {250, 750}},
    {"ch", dial, 425, 0, {}},
    {"ch", ringback, 425, 0, {1000, 4000}},
    {"ch", busy, 425, 0, {500, 500}},
    {"ch", congestion, 425, 0, {200, 200}},
    {"at", dial, 420, 0, {}},
    {"at", ringback, 420, 0, {1000, 5000}},
    {"at", busy, 420, 0, {400, 400}},
    {"at", congestion, 420, 0, {200, 200}},
    {"pl", dial, 425, 0, {}},
    {"pl", ringback, 425, 0, {1000, 4000}},
    {"pl", busy, 425, 0, {500, 500}},
    {"ru", dial, 425, 0, {}},
    {"ru", ringback, 425, 0, {800, 3200}},
    {"ru", busy, 425, 0, {350, 350}},
    {"ru", congestion, 425, 0, {175, 175}},
    {"au", ringback, 413, 438, {400, 200, 400, 2000}},
    {"au", busy, 425, 0, {375, 375}},
    {"nz", ringback, 400, 450, {400, 200, 400, 2000}},
    {"nz", busy, 400, 0, {500, 500}},
    {"nz", congestion, 400, 0, {250, 250}},
    {"za", busy, 400, 0, {500, 500}},
    {"za", congestion, 400, 0, {250, 250}},
    {"jp", dial, 400, 0, {}},
    {"jp", ringback, 384, 416, {1000, 2000}},
    {"jp", busy, 400, 0, {500, 500}},
    {"cn", dial, 450, 0, {}},
    {"cn", ringback, 450, 0, {1000, 4000}},
    {"cn", busy, 450, 0, {350, 350}},
    {"cn", congestion, 450, 0, {700, 700}},
    {"in", busy, 400, 0, {750, 750}},
    {"in", congestion, 400, 0, {250, 250}},
    {"br", dial, 425, 0, {}},
    {"br", ringback, 425, 0, {1000, 4000}},
    {"br", busy, 425, 0, {250, 250}},
    {"br", congestion, 425, 0, {750, 250, 250, 250}},
    {"mx", dial, 425, 0, {}},
    {"mx", ringback, 425, 0, {1000, 4000}},
    {"mx", busy, 425, 0, {250, 250}},
    {"", fax_calling, 1100, 0, {500, 3000}},
    {"", fax_answering, 2100, 0, {}},
};

}  // namespace

std::span<const PlannedTone> tone_plan() {
  return kPlan;
}

}  // namespace linecheck::media::tones
