// SPDX-License-Identifier: GPL-3.0-or-later
//
// Writes the recordings, in batches of half a second, away from the media workers: the only part of the
// engine that waits for the disk. It also sees legs off: a leg is closed when its recording is complete.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "media/capture_ring.h"
#include "media/leg.h"
#include "media/pcap_writer.h"
#include "media/recording_ring.h"
#include "media/wav_writer.h"

namespace linecheck::media {

/// What is written of a leg.
struct LegFiles {
  std::string recording;
  WavFormat format = WavFormat::pcm16;
  std::shared_ptr<RecordingRing> ring;  ///< null: no recording
  std::string capture;
  std::shared_ptr<CaptureRing> packets;  ///< null: no capture
  Address local;                         ///< of the leg's RTP, as the remote sees it; its RTCP is one above
  std::int64_t wall_minus_mono_ns = 0;
};

class Recorder {
 public:
  /// Called on the recorder's thread for each leg that is over, with its report complete.
  using OnClosed = std::function<void(std::unique_ptr<Leg>)>;

  explicit Recorder(OnClosed on_closed) : on_closed_(std::move(on_closed)) {}

  /// Any thread but a worker. The files are created with the next service().
  void add(LegId leg, LegFiles files);
  /// The same for a recording alone.
  void add(LegId leg, std::string path, std::shared_ptr<RecordingRing> ring) {
    LegFiles files;
    files.recording = std::move(path);
    files.ring = std::move(ring);
    add(leg, std::move(files));
  }

  // One thread:

  /// Writes what has gathered: whole batches only.
  void service();
  /// The worker is done with this leg.
  void close(std::unique_ptr<Leg> leg);

 private:
  // Fewer and larger writes would cost less, and keep more audio in memory for each call.
  static constexpr std::size_t kBatch = 4 * RecordingBlock::kFrames;  // 510 ms at 8 kHz

  struct Recording {
    LegFiles files;
    std::unique_ptr<WavWriter> sound;     // null: no recording
    std::unique_ptr<PcapWriter> capture;  // null: none
  };

  void adopt_new();
  void write(Recording& recording, std::size_t at_least);
  void write_capture(Recording& recording);
  std::string end_sound(Recording& recording);
  std::string end_capture(Recording& recording);

  OnClosed on_closed_;
  std::mutex mutex_;
  std::vector<std::pair<LegId, Recording>> new_;
  std::map<LegId, Recording> recordings_;
  std::vector<RecordingRing::Frame> batch_;
  std::vector<std::uint8_t> packet_;
  std::vector<std::uint8_t> records_;
};

}  // namespace linecheck::media
