// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/config.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "scheduler/reader.h"
#include "scheduler/recording.h"
#include "scheduler/trunks.h"

namespace linecheck::engine {
namespace {

namespace fs = std::filesystem;
using scheduler::Field;
using scheduler::Reader;

fs::path resolved(const fs::path& base, const std::string& path) {
  return (base / path).lexically_normal();
}

void read_ports(Reader& media, Config& config) {
  std::string text;
  if (!media.read("ports", text)) return;
  unsigned first = 0;
  unsigned last = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%u-%u%c", &first, &last, &rest) != 2 || first < 1024 || last > 65535 ||
      last < first + 1) {
    media.problem("ports", "a range such as 10000-29999 is expected");
    return;
  }
  config.media.port_first = static_cast<std::uint16_t>(first);
  config.media.port_last = static_cast<std::uint16_t>(last);
}

void read_workers(Reader& media, Config& config) {
  const auto field = media.field("workers");
  if (!field || (field->node().kind == scheduler::Node::Kind::scalar && field->node().text == "auto")) return;
  field->get(config.media.workers, scheduler::between(1, 256));
}

void read_media(Reader& media, Config& config) {
  using Realtime = media::Options::Realtime;
  read_ports(media, config);
  read_workers(media, config);
  media.choice("realtime", config.media.realtime,
               {{"auto", Realtime::automatic}, {"off", Realtime::off}, {"require", Realtime::require}});
  media.choice("io", config.media.io, {{"auto", media::IoPath::automatic}, {"plain", media::IoPath::plain}});
  media.choice("rtp", config.media.rtp, {{"direct", media::RtpPath::direct}, {"ortp", media::RtpPath::ortp}});
  media.read("bind", config.media.bind_address);
  media.object("recording", [&](Reader& recording) {
    scheduler::read_recording(recording, config.recording);
    // Retention is the daemon's; a job in the foreground keeps what it writes.
    (void)recording.field("keep");
    (void)recording.field("keep_failed");
  });
}

void read_limits(Reader& limits, Config& config) {
  limits.read("concurrent_calls", config.limits.concurrent_calls, scheduler::at_least(1));
  limits.read("calls_per_second", config.limits.calls_per_second, scheduler::more_than(0));
  limits.read("drain_timeout", config.limits.drain_timeout, scheduler::between(0, 86400));
  std::string text;
  const auto size = limits.field("min_free_disk");
  if (size && size->get_as_written(text)) {
    if (const auto bytes = parse_size(text)) {
      config.limits.min_free_disk = *bytes;
    } else {
      size->problem("a size such as 5GiB or 200MiB is expected");
    }
  }
}

void read_http(Reader& http, Config& config) {
  HttpConfig& settings = config.http.emplace();
  std::string listen;
  if (http.read("listen", listen)) {
    const std::size_t colon = listen.rfind(':');
    std::string host = colon == std::string::npos ? "" : listen.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    unsigned port = 0;
    char rest = 0;
    const char* const digits = colon == std::string::npos ? "" : listen.c_str() + colon + 1;
    boost::system::error_code error;
    boost::asio::ip::make_address(host, error);
    if (error || std::sscanf(digits, "%u%c", &port, &rest) != 1 || port > 65535) {
      http.problem("listen", "an IP address and a port are expected, such as 127.0.0.1:8642");
    }
    settings.address = host;
    settings.port = static_cast<std::uint16_t>(port);
  }
  http.read("max_connections", settings.max_connections, scheduler::between(1, 10'000));
  http.read("requests_per_second", settings.requests_per_second, scheduler::more_than(0));
  std::string text;
  const auto size = http.field("max_body");
  if (size && size->get_as_written(text)) {
    const auto bytes = parse_size(text);
    if (bytes && *bytes >= 1024 && *bytes <= scheduler::kMaxFileBytes) {
      settings.max_body = *bytes;
    } else {
      size->problem("a size from 1KiB to 1MiB is expected");
    }
  }
  http.unavailable("tls", "TLS of the HTTP interface (a proxy in front of it can do that)");
}

void read_voices(const Field& field, Config& config) {
  VoiceProvider provider;
  Reader reader(field);
  reader.require("name", provider.name);
  if (reader.require("type", provider.type) && provider.type != "flite" && provider.type != "espeak-ng") {
    reader.problem("type",
                   "'" + provider.type + "' is not available in this version; flite and espeak-ng are");
  }
  reader.finish();
  config.voices.push_back(std::move(provider));
}

}  // namespace

std::optional<std::size_t> Config::endpoint_index(const std::string& name) const {
  if (name.empty() && !endpoints.empty()) return 0;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (endpoints[i].name == name) return i;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_size(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !(number >= 0) || number > 1e15) return std::nullopt;
  std::string unit(end);
  unit.erase(std::remove(unit.begin(), unit.end(), ' '), unit.end());
  constexpr std::pair<const char*, double> kUnits[] = {
      {"", 1},     {"B", 1},      {"kB", 1e3},          {"MB", 1e6},
      {"GB", 1e9}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024.0 * 1024 * 1024}};
  for (const auto& [name, factor] : kUnits) {
    if (unit == name) return static_cast<std::uint64_t>(number * factor);
  }
  return std::nullopt;
}

std::optional<Config> load_config(const fs::path& file, scheduler::Problems& problems) {
  const std::size_t before = problems.size();
  const auto document = scheduler::load_document(file, problems);
  if (!document) return std::nullopt;
  const fs::path base = fs::absolute(file).parent_path();
  Config config;
  Reader reader(*document, problems);
  std::string path;
  if (reader.require("catalog", path)) config.catalog = resolved(base, path);
  path = "state";
  reader.read("state", path);
  config.state = resolved(base, path);
  reader.object("limits", [&](Reader& limits) { read_limits(limits, config); });
  reader.object("media", [&](Reader& media) { read_media(media, config); });
  reader.object("sip", [&](Reader& sip) {
    sip.each("endpoints",
             [&](const Field& item) { config.endpoints.push_back(read_sip_endpoint(item, base.string())); });
  });
  if (config.endpoints.empty()) config.endpoints.emplace_back();
  if (const auto trunks = reader.field("trunks")) config.trunks = scheduler::parse_trunks(*trunks);
  reader.object("providers", [&](Reader& providers) {
    providers.each("voices", [&](const Field& item) { read_voices(item, config); });
    // Ears are only asked by conditions on the agent's words, which the catalogue refuses in this version.
    (void)providers.field("ears");
  });
  reader.object("watch", [&](Reader& watch) {
    if (watch.require("directory", path)) config.watch.directory = resolved(base, path);
    watch.read("poll", config.watch.poll, scheduler::between(1, 3600));
    watch.read("owners", config.watch.owners);
  });
  reader.object("http", [&](Reader& http) { read_http(http, config); });
  reader.finish();
  check_trunks(config, problems);
  if (config.voices.empty()) config.voices = default_voice_providers();
  if (problems.size() != before) return std::nullopt;
  return config;
}

}  // namespace linecheck::engine
