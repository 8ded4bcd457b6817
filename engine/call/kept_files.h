// SPDX-License-Identifier: GPL-3.0-or-later
//
// What becomes of a call's files once it is measured: the sound is packed where that is wished for, the SIP
// messages join the captured packets. On the pool: it reads and writes whole files.
#pragma once

#include <string>
#include <vector>

#include "engine/call/call_record.h"
#include "scheduler/model.h"

namespace linecheck::engine {

/// Packs a recording with libsndfile beside itself (call.flac, call.opus) and removes the original, but only
/// when the new file is whole: as long as the original, and on the disk. Changes `path`. Returns what went
/// wrong, in words: then the original stays.
std::string pack_recording(std::string& path, scheduler::RecordingAfter how);

/// Puts the call's SIP messages among the packets of `path`, by their times. `local`: our address, where a
/// message's own is none. `wall_minus_mono_ns`: from the trace's clock to the wall's. Returns what went
/// wrong.
std::string complete_capture(const std::string& path, const CallRecord& call, const std::string& local,
                             std::int64_t wall_minus_mono_ns);

}  // namespace linecheck::engine
