// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/clip_cache.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace linecheck::engine {
namespace {

namespace fs = std::filesystem;

/// Rises whenever a clip of the same key would come out differently: layout of the file, trimming, level,
/// annotation.
constexpr int kFormat = 1;
constexpr std::string_view kMagic = "lcclip\r\n";
constexpr const char* kSuffix = ".clip";

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

template <typename T>
void put(std::string& out, const T* values, std::size_t count) {
  out.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

template <typename T>
bool take(std::string_view& in, T* values, std::size_t count) {
  if (in.size() / sizeof(T) < count) return false;
  if (count > 0) std::memcpy(values, in.data(), count * sizeof(T));
  in.remove_prefix(count * sizeof(T));
  return true;
}

bool take_count(std::string_view& in, std::uint32_t& count) {
  return take(in, &count, 1) && count <= in.size();
}

std::string serialize(const std::string& key, const media::Clip& clip) {
  std::string out(kMagic);
  const auto key_size = static_cast<std::uint32_t>(key.size());
  const auto rate = static_cast<std::int32_t>(clip.rate);
  const auto spans = static_cast<std::uint32_t>(clip.speech.size());
  const auto samples = static_cast<std::uint32_t>(clip.samples.size());
  put(out, &key_size, 1);
  out += key;
  put(out, &rate, 1);
  put(out, &spans, 1);
  for (const media::Span& span : clip.speech) {
    put(out, &span.start_ms, 1);
    put(out, &span.end_ms, 1);
  }
  put(out, &samples, 1);
  put(out, clip.samples.data(), clip.samples.size());
  const std::uint64_t checksum = fnv1a(out);
  put(out, &checksum, 1);
  return out;
}

media::ClipPtr parse(std::string_view in, const std::string& key, std::string_view text) {
  std::uint64_t checksum = 0;
  if (in.size() < kMagic.size() + sizeof checksum) return nullptr;
  std::memcpy(&checksum, in.data() + in.size() - sizeof checksum, sizeof checksum);
  in.remove_suffix(sizeof checksum);
  if (fnv1a(in) != checksum || !in.starts_with(kMagic)) return nullptr;
  in.remove_prefix(kMagic.size());

  auto clip = std::make_shared<media::Clip>();
  std::uint32_t count = 0;
  if (!take_count(in, count) || in.substr(0, count) != key) return nullptr;
  in.remove_prefix(count);
  std::int32_t rate = 0;
  if (!take(in, &rate, 1) || !take_count(in, count)) return nullptr;
  clip->rate = rate;
  clip->speech.resize(count);
  for (media::Span& span : clip->speech) {
    if (!take(in, &span.start_ms, 1) || !take(in, &span.end_ms, 1)) return nullptr;
  }
  if (!take_count(in, count)) return nullptr;
  clip->samples.resize(count);
  if (!take(in, clip->samples.data(), count) || !in.empty()) return nullptr;
  clip->text = text;
  return clip;
}

}  // namespace

std::string clip_key(const VoiceSpec& voice, std::string_view text) {
  std::array<char, 64> numbers{};
  std::snprintf(numbers.data(), numbers.size(), "%d\n%.4f\n%d\n%d\n", kFormat, voice.speed, voice.pitch,
                voice.rate);
  std::string key(numbers.data());
  key += voice.engine;
  key += '\n';
  key += voice.voice;
  key += '\n';
  key += text;
  return key;
}

std::size_t MemoryClipCache::size_of(const Entry& entry) {
  return sizeof(media::Clip) + entry.clip->samples.size() * sizeof(std::int16_t) +
         entry.clip->speech.size() * sizeof(media::Span) + 2 * entry.key.size();
}

media::ClipPtr MemoryClipCache::find(const std::string& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->clip;
}

void MemoryClipCache::insert(const std::string& key, media::ClipPtr clip) {
  if (index_.contains(key)) return;
  entries_.push_front({key, std::move(clip)});
  index_.emplace(entries_.front().key, entries_.begin());
  bytes_ += size_of(entries_.front());
  while (bytes_ > limit_ && !entries_.empty()) {
    bytes_ -= size_of(entries_.back());
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

DiskClipCache::DiskClipCache(fs::path directory, std::uintmax_t limit) : directory_(std::move(directory)) {
  if (directory_.empty()) return;
  std::error_code ignored;
  fs::create_directories(directory_, ignored);
  prune(limit);
}

fs::path DiskClipCache::path_of(const std::string& key) const {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%016llx%s", static_cast<unsigned long long>(fnv1a(key)), kSuffix);
  return directory_ / name.data();
}

media::ClipPtr DiskClipCache::find(const std::string& key, std::string_view text) const {
  if (directory_.empty()) return nullptr;
  std::ifstream file(path_of(key), std::ios::binary | std::ios::ate);
  if (!file) return nullptr;
  const std::streamoff size = file.tellg();
  if (size <= 0) return nullptr;
  std::string content(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  if (!file.read(content.data(), size)) return nullptr;
  return parse(content, key, text);
}

void DiskClipCache::insert(const std::string& key, const media::Clip& clip) const {
  if (directory_.empty()) return;
  const fs::path path = path_of(key);
  const fs::path beside = path.string() + "." + std::to_string(::getpid()) + ".tmp";
  std::error_code ignored;
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    const std::string content = serialize(key, clip);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    if (!file) {
      fs::remove(beside, ignored);
      return;
    }
  }
  fs::rename(beside, path, ignored);
  if (ignored) fs::remove(beside, ignored);
}

void DiskClipCache::prune(std::uintmax_t limit) const {
  struct File {
    fs::path path;
    std::uintmax_t size;
    fs::file_time_type written;
  };
  std::vector<File> files;
  std::uintmax_t total = 0;
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const std::uintmax_t size = entry->file_size(gone);
    const fs::file_time_type written = entry->last_write_time(gone);
    if (gone || entry->path().extension() != kSuffix) continue;
    files.push_back({entry->path(), size, written});
    total += size;
  }
  if (total <= limit) return;
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.written < b.written; });
  for (const File& file : files) {
    if (total <= limit / 10 * 8) break;
    std::error_code ignored;
    if (fs::remove(file.path, ignored)) total -= file.size;
  }
}

}  // namespace linecheck::engine
