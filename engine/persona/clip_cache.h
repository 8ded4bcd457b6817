// SPDX-License-Identifier: GPL-3.0-or-later
//
// Clips that were made before: the most recently used ones in memory, all of them in a folder. Used by one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/persona/voice_choice.h"
#include "media/clip.h"

namespace linecheck::engine {

/// All that decides a clip's samples, the format of the folder included.
std::string clip_key(const VoiceSpec& voice, std::string_view text);

/// Bounded by the size of the samples; the least recently used clip goes first.
class MemoryClipCache {
 public:
  explicit MemoryClipCache(std::size_t bytes) : limit_(bytes) {}

  media::ClipPtr find(const std::string& key);
  void insert(const std::string& key, media::ClipPtr clip);

 private:
  struct Entry {
    std::string key;
    media::ClipPtr clip;
  };
  static std::size_t size_of(const Entry& entry);

  std::size_t limit_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  ///< most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

/// One file for each clip, named by the hash of its key, written beside and renamed into place so that
/// neither a crash nor a second daemon leaves half of one. A file carries its key and a checksum: what is
/// damaged or of another key is not found. Every failure is just a miss, for a cache that does not work must
/// not end a call.
class DiskClipCache {
 public:
  /// Makes `directory` and, when its files have more than `limit` bytes, removes the oldest until they have
  /// 80 % of it. An empty path: a cache that never finds anything.
  DiskClipCache(std::filesystem::path directory, std::uintmax_t limit);

  media::ClipPtr find(const std::string& key, std::string_view text) const;
  void insert(const std::string& key, const media::Clip& clip) const;

  [[nodiscard]] std::filesystem::path path_of(const std::string& key) const;

 private:
  void prune(std::uintmax_t limit) const;

  std::filesystem::path directory_;
};

}  // namespace linecheck::engine
