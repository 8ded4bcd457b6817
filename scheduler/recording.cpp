// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/recording.h"

namespace linecheck::scheduler {

void read_recording(Reader& map, RecordingChoice& choice) {
  RecordingFormat format = RecordingFormat::wav16;
  if (map.choice("format", format, {{"wav16", RecordingFormat::wav16}, {"ulaw", RecordingFormat::ulaw}})) {
    choice.format = format;
  }
  RecordingAfter after = RecordingAfter::keep;
  if (map.choice(
          "after", after,
          {{"keep", RecordingAfter::keep}, {"flac", RecordingAfter::flac}, {"opus", RecordingAfter::opus}})) {
    choice.after = after;
  }
  map.read("pcap", choice.pcap);
}

RecordingChoice chosen(const RecordingChoice& job, const RecordingChoice& configuration) {
  RecordingChoice both = configuration;
  if (job.format) both.format = job.format;
  if (job.after) both.after = job.after;
  if (job.pcap) both.pcap = job.pcap;
  return both;
}

}  // namespace linecheck::scheduler
