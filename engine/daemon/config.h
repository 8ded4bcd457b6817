// SPDX-License-Identifier: GPL-3.0-or-later
//
// linecheck.yaml: where things are, how calls go out, how many at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/daemon/sip_config.h"
#include "engine/persona/voice_choice.h"
#include "media/engine.h"
#include "scheduler/model.h"

namespace linecheck::engine {

struct Limits {
  int concurrent_calls = 500;
  double calls_per_second = 50;
  std::uint64_t min_free_disk = 200ULL << 20;        ///< bytes; below it no call starts
  std::chrono::milliseconds drain_timeout{120'000};  ///< for calls in progress when the daemon is stopped
};

struct WatchConfig {
  std::filesystem::path directory;  ///< absolute; empty: none is watched
  std::chrono::milliseconds poll{60'000};
  std::vector<std::string> owners;  ///< users whose files are taken; empty: everybody's
};

/// The HTTP interface of the daemon; other machines reach it only where it is told to listen for them.
struct HttpConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8642;
  int max_connections = 256;
  std::uint64_t max_body = 1ULL << 20;  ///< bytes
  double requests_per_second = 100;     ///< of each key
};

struct Config {
  std::filesystem::path catalog;  ///< absolute
  std::filesystem::path state;    ///< absolute
  Limits limits;
  WatchConfig watch;
  std::optional<HttpConfig> http;  ///< absent: there is none
  media::Options media;
  scheduler::RecordingChoice recording;
  std::vector<SipEndpointConfig> endpoints;
  std::vector<scheduler::Trunk> trunks;
  std::vector<VoiceProvider> voices;

  [[nodiscard]] std::optional<std::size_t> endpoint_index(const std::string& name) const;
};

/// Relative paths are taken from the file's folder. nullopt with at least one problem where it is wrong.
std::optional<Config> load_config(const std::filesystem::path& file, scheduler::Problems& problems);

/// `5GiB`, `200MiB`, `1GB`, or a number of bytes.
std::optional<std::uint64_t> parse_size(const std::string& text);

}  // namespace linecheck::engine
