// SPDX-License-Identifier: GPL-3.0-or-later
//
// Compound RTCP packets. What was understood of one, and is written again, is understood in the same way.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "media/rtcp_packet.h"

using namespace linecheck::media;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint32_t kOurs = 1;
  const auto heard = parse_rtcp({data, size}, kOurs);
  if (!heard) return 0;
  RtcpWriter writer;
  if (heard->sender_info) {
    writer.sender_report(heard->sender, *heard->sender_info, heard->about_us);
  } else {
    writer.receiver_report(heard->sender, heard->about_us);
  }
  writer.canonical_name(heard->sender, "fuzz@127.0.0.1");
  if (heard->bye) writer.bye(heard->sender);
  const auto again = parse_rtcp(writer.view(), kOurs);
  if (!again || again->sender != heard->sender || again->bye != heard->bye) std::abort();
  if (again->sender_info.has_value() != heard->sender_info.has_value()) std::abort();
  if (heard->sender_info && again->sender_info->ntp != heard->sender_info->ntp) std::abort();
  if (again->about_us.has_value() != heard->about_us.has_value()) std::abort();
  if (heard->about_us && (again->about_us->cumulative_lost != heard->about_us->cumulative_lost ||
                          again->about_us->jitter != heard->about_us->jitter)) {
    std::abort();
  }
  return 0;
}
