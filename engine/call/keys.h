// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keys that are heard, by whatever carries them. A gateway may send the same press as telephone-event and as
// sound, or as an INFO too; and a caller may press the same key twice. Each press that one transport has told
// of takes up at most one press of each other transport, the nearest of the same key within half a second: so
// a key heard twice is one, and two presses stay two.
#pragma once

#include <optional>
#include <vector>

#include "engine/call/call_record.h"
#include "media/leg_report.h"
#include "sip/events.h"

namespace linecheck::engine {

/// Of a call: what is heard beyond it is not listed.
inline constexpr std::size_t kMostKeys = 1000;

/// A key in the body of an INFO that was read at `t_ms`; nullopt: it holds none. INFO says no beginning: it
/// is taken to be when the INFO came.
[[nodiscard]] std::optional<media::DigitEvent> key_of_info(const sip::InfoReceived& info, double t_ms);

class HeardKeys {
 public:
  /// False: the press is known already, by another transport.
  bool add(const media::DigitEvent& key);
  [[nodiscard]] const std::vector<media::DigitEvent>& keys() const { return keys_; }

 private:
  std::vector<media::DigitEvent> keys_;
};

/// The same for all keys of a call: those that we sent as they are, those that were heard folded together, by
/// rising start, with the gaps between them. Where one press was heard by several transports, its times are
/// of the first of rfc4733, inband, info.
[[nodiscard]] std::vector<media::DigitEvent> fold_keys(std::vector<media::DigitEvent> keys);

/// Keys that we sent by INFO went down when their INFO left, which the trace says better than the leg, whose
/// clock only said that it was time.
void time_info_keys(std::vector<media::DigitEvent>& keys, const std::vector<TracedMessage>& trace);

}  // namespace linecheck::engine
