// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is kept of a call's sound and packets: `media.recording` of linecheck.yaml, `recording` of a job.
#pragma once

#include "scheduler/model.h"
#include "scheduler/reader.h"

namespace linecheck::scheduler {

/// {format, after, pcap}: keys that are absent stay as they are. Without finish().
void read_recording(Reader& map, RecordingChoice& choice);

/// What a job says goes before what the configuration says.
[[nodiscard]] RecordingChoice chosen(const RecordingChoice& job, const RecordingChoice& configuration);

}  // namespace linecheck::scheduler
