// SPDX-License-Identifier: GPL-3.0-or-later
//
// The daemon's side of the voices: text in, a clip ready to be played out.
//
// Neither espeak-ng nor flite is thread-safe, and espeak-ng carries state from one utterance to the next, so
// both live in a process of their own (voices_process.h) that forks for each utterance. Nothing that a voice
// does can hurt a call: a crash is an error of that one utterance, and the process itself is replaced when it
// dies.
//
// A clip is mono, of the rate that was asked for, its active speech level (ITU-T P.56) is -26 dBov, silence
// before and after it is trimmed to 10 ms, and its audible spans are annotated: turn-taking and latency are
// counted from those, not from the clip's edges.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "engine/persona/voice_choice.h"
#include "media/clip.h"

namespace linecheck::engine {

struct VoicesOptions {
  /// Executed as `program voices --fd N`.
  std::string program = "/proc/self/exe";
  /// Where clips are kept between runs; created if absent; empty: nowhere. A cache that cannot be written is
  /// no error.
  std::filesystem::path cache_directory;
  std::uintmax_t cache_directory_bytes = std::uintmax_t{1}
                                         << 30;  ///< oldest clips go first, checked at the start
  std::size_t memory_cache_bytes = std::size_t{64} << 20;
};

struct SynthResult {
  media::ClipPtr clip;  ///< null on error
  std::string error;    ///< what to tell the user; empty: none
  double took_ms = 0;   ///< from the request to this result
  bool cached = false;
};

/// Counters since the start.
struct VoicesStatistics {
  std::uint64_t requests = 0;
  std::uint64_t memory_hits = 0;
  std::uint64_t disk_hits = 0;
  std::uint64_t merged = 0;       ///< joined an identical request that was in flight
  std::uint64_t synthesized = 0;  ///< clips made by the voices process
  std::uint64_t failed = 0;       ///< requests that ended in an error, refused ones included
  std::uint64_t launches = 0;     ///< of the process
  std::uint64_t deaths = 0;       ///< of the process, unasked
};

class VoicesClient;

class Voices {
 public:
  /// Starts the process and the thread that talks to it; does not wait until it is ready to speak. The
  /// process is spawned afresh (never forked from this one), so it does not matter which threads run already.
  explicit Voices(VoicesOptions options = {});
  /// As shutdown().
  ~Voices();
  Voices(const Voices&) = delete;
  Voices& operator=(const Voices&) = delete;

  using Done = std::function<void(const SynthResult&)>;

  /// Speaks `text`, which is taken as it stands (nothing in it is markup). Thread-safe, returns at once;
  /// `done` is called exactly once, on the voices thread, and must neither block nor throw. Where the voice
  /// or text is refused the error says why.
  void synthesize(VoiceSpec voice, std::string text, Done done);

  [[nodiscard]] VoicesStatistics statistics() const;

  /// The process's id; 0 while there is none.
  [[nodiscard]] pid_t process_id() const;

  /// Fails what is waiting, ends the process and joins the thread. Not from within `done`. May be called
  /// twice.
  void shutdown();

 private:
  std::unique_ptr<VoicesClient> client_;
};

}  // namespace linecheck::engine
