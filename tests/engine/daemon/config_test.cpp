// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/config.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/temporary_directory.h"

using namespace linecheck::engine;
namespace scheduler = linecheck::scheduler;

namespace {

struct Written {
  linecheck::tests::TemporaryDirectory directory;
  std::filesystem::path file = directory.path() / "linecheck.yaml";

  std::optional<Config> load(const std::string& text, scheduler::Problems& problems) {
    std::ofstream(file) << text;
    return load_config(file, problems);
  }
};

bool mentions(const scheduler::Problems& problems, const std::string& words) {
  for (const auto& problem : problems) {
    if (problem.text().find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("config: relative paths are taken from the file's folder, the rest has defaults") {
  Written written;
  scheduler::Problems problems;
  const auto config = written.load("catalog: things\nstate: var\n", problems);
  REQUIRE(config);
  CHECK(config->catalog == written.directory.path() / "things");
  CHECK(config->state == written.directory.path() / "var");
  REQUIRE(config->endpoints.size() == 1);
  CHECK(config->endpoints[0].name == "main");
  CHECK(config->limits.concurrent_calls == 500);
  CHECK_FALSE(config->voices.empty());
}

TEST_CASE("config: what is kept of a call") {
  Written written;
  scheduler::Problems problems;
  const auto config = written.load(
      "catalog: c\nmedia: {recording: {format: ulaw, after: flac, pcap: true, keep: 30d}}\n", problems);
  REQUIRE(config);
  CHECK(config->recording.format == scheduler::RecordingFormat::ulaw);
  CHECK(config->recording.after == scheduler::RecordingAfter::flac);
  CHECK(config->recording.pcap == true);
  CHECK_FALSE(written.load("catalog: c\nmedia: {recording: {format: mp3, aftr: x}}\n", problems));
  CHECK(mentions(problems, "expected wav16 or ulaw"));
  CHECK(mentions(problems, "unknown key; did you mean 'after'?"));
}

TEST_CASE("config: limits, ports and trunks are read") {
  Written written;
  scheduler::Problems problems;
  const auto config = written.load(
      "catalog: c\n"
      "limits: {concurrent_calls: 7, calls_per_second: 2.5, min_free_disk: 3MiB}\n"
      "media: {ports: 12000-12099, workers: 2, realtime: off}\n"
      "sip: {endpoints: [{name: lan, listen: \"udp:127.0.0.1:0\"}]}\n"
      "trunks: [{name: t, endpoint: lan, caller_numbers: [\"+15550100001\"], allow: "
      "[\"sip:*@127.0.0.1\"]}]\n",
      problems);
  for (const auto& problem : problems) MESSAGE(problem.text());
  REQUIRE(config);
  CHECK(config->limits.concurrent_calls == 7);
  CHECK(config->limits.calls_per_second == 2.5);
  CHECK(config->limits.min_free_disk == 3U << 20U);
  CHECK(config->media.port_first == 12000);
  CHECK(config->media.port_last == 12099);
  CHECK(config->media.workers == 2);
  CHECK(config->media.realtime == linecheck::media::Options::Realtime::off);
  CHECK(config->endpoint_index("lan") == 0);
  CHECK_FALSE(config->endpoint_index("wan"));
  REQUIRE(config->trunks.size() == 1);
}

TEST_CASE("config: every problem is said at once, with its place") {
  Written written;
  scheduler::Problems problems;
  const auto config = written.load(
      "catalog: c\n"
      "limts: {}\n"
      "limits: {min_free_disk: lots, calls_per_second: 0}\n"
      "media: {ports: 9-1}\n"
      "trunks: [{name: t, endpoint: nowhere, allow: [\"sip:\"]}]\n"
      "providers: {voices: [{name: cloud, type: openai-speech}]}\n",
      problems);
  CHECK_FALSE(config);
  CHECK(mentions(problems, "linecheck.yaml:2:1"));
  CHECK(mentions(problems, "did you mean 'limits'"));
  CHECK(mentions(problems, "5GiB"));
  CHECK(mentions(problems, "10000-29999"));
  CHECK(mentions(problems, "nowhere"));
  CHECK(mentions(problems, "openai-speech"));
}

TEST_CASE("config: endpoints and trunks") {
  Written written;
  scheduler::Problems problems;
  const auto config = written.load(
      "catalog: c\n"
      "sip:\n"
      "  endpoints:\n"
      "    - {name: a, listen: \"udp:[::]:5060\", external_address: 198.51.100.1, local_networks: "
      "[10.0.0.0/8],\n"
      "       dscp: {sip: cs3, rtp: ef}}\n"
      "    - {name: b, listen: \"tls:127.0.0.1:5061\", tls: {verify: false}, external_address: auto}\n"
      "trunks:\n"
      "  - {name: t, endpoint: b, proxy: \"sips:sbc.example\", keep_alive: 5s}\n",
      problems);
  REQUIRE(config);
  REQUIRE(config->endpoints.size() == 2);
  const SipEndpointConfig& first = config->endpoints[0];
  CHECK(first.external_address == "198.51.100.1");
  CHECK(first.sip_dscp == 24);
  CHECK(first.rtp_dscp == 46);
  CHECK(config->endpoints[1].auto_external);
  CHECK_FALSE(config->endpoints[1].tls.verify);
  CHECK(watched_trunk(config->trunks[0])->keep_alive == std::chrono::seconds(5));

  // What peers are told: outside, inside, and what a trunk has seen.
  CHECK(own_address(first, "10.0.0.2", 5060, "203.0.113.5", "").media == "198.51.100.1");
  CHECK(own_address(first, "10.0.0.2", 5060, "203.0.113.5", "").contact.empty());
  CHECK(own_address(first, "10.0.0.2", 5060, "10.1.1.1", "").media == "10.0.0.2");
  CHECK(own_address(first, "10.0.0.2", 5060, "10.1.1.1", "").contact == "10.0.0.2:5060");
  const SipEndpointConfig& second = config->endpoints[1];
  CHECK(own_address(second, "10.0.0.2", 5061, "203.0.113.5", "").media == "10.0.0.2");
  CHECK(own_address(second, "10.0.0.2", 5061, "203.0.113.5", "198.51.100.9:40000").media == "198.51.100.9");
  CHECK(own_address(second, "10.0.0.2", 5061, "203.0.113.5", "198.51.100.9:40000").contact ==
        "198.51.100.9:40000");
}

TEST_CASE("config: what is wrong with endpoints and trunks") {
  Written written;
  scheduler::Problems problems;
  CHECK_FALSE(written.load(
      "catalog: c\n"
      "sip:\n"
      "  endpoints:\n"
      "    - {name: a, listen: \"sctp:1.2.3.4:5060\", external_address: here, local_networks: [ten],\n"
      "       dscp: {sip: fast}, tls: {ca: /nowhere.pem, key: /nowhere.key, verify: false}}\n"
      "    - {name: b, listen: \"udp:1.2.3.4:5060\"}\n"
      "trunks:\n"
      "  - {name: t, endpoint: b, proxy: \"sip:sbc.example;transport=tls\"}\n",
      problems));
  for (const char* part :
       {"sctp:1.2.3.4:5060", "'here'", "'ten'", "'fast'", "/nowhere.pem", "without a certificate",
        "one of the two is not meant", "asks for tls, but the endpoint 'b' speaks udp"}) {
    CAPTURE(part);
    CHECK(mentions(problems, part));
  }
}

TEST_CASE("config: sizes") {
  CHECK(parse_size("5GiB") == 5ULL << 30U);
  CHECK(parse_size("1kB") == 1000U);
  CHECK(parse_size("12") == 12U);
  CHECK_FALSE(parse_size("much"));
  CHECK_FALSE(parse_size("-1"));
  CHECK_FALSE(parse_size("5 parsecs"));
}

TEST_CASE(
    "config: the HTTP interface is there where it has a section, on loopback unless it is told otherwise") {
  Written written;
  scheduler::Problems problems;
  CHECK_FALSE(written.load("catalog: c\n", problems)->http);
  const auto plain = written.load("catalog: c\nhttp: {}\n", problems);
  REQUIRE(plain);
  REQUIRE(plain->http);
  CHECK(plain->http->address == "127.0.0.1");
  CHECK(plain->http->port == 8642);
  const auto wide = written.load("catalog: c\nhttp: {listen: \"[::]:80\", max_body: 64KiB}\n", problems);
  REQUIRE(wide);
  CHECK(wide->http->address == "::");
  CHECK(wide->http->port == 80);
  CHECK(wide->http->max_body == 65536);
  for (const char* bad : {"listen: 8642", "listen: \"localhost:1\"", "listen: \"127.0.0.1:70000\"",
                          "max_body: 2MiB", "max_connections: 0", "requests_per_second: 0", "lisen: x"}) {
    CAPTURE(bad);
    CHECK_FALSE(written.load("catalog: c\nhttp: {" + std::string(bad) + "}\n", problems));
  }
  problems.clear();
  CHECK_FALSE(written.load("catalog: c\nhttp: {tls: {certificate: a, key: b}}\n", problems));
  CHECK(mentions(problems, "is not available in this version"));
}
