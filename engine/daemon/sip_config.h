// SPDX-License-Identifier: GPL-3.0-or-later
//
// The `sip:` section of linecheck.yaml, and what the SIP part is told of endpoints and trunks.
#pragma once

#include <string>
#include <vector>

#include "scheduler/model.h"
#include "scheduler/reader.h"
#include "sip/endpoint.h"
#include "sip/network.h"

namespace linecheck::engine {

struct Config;

struct SipEndpointConfig {
  std::string name = "main";
  std::string listen = "udp:0.0.0.0:5060";
  sip::TlsOptions tls;           ///< absolute paths
  std::string external_address;  ///< an IP address; empty: the socket's own, or what a trunk sees (auto)
  bool auto_external = false;    ///< `auto`: what trunks see of us, once one has said so
  std::vector<sip::Network> local_networks;  ///< peers there are told the socket's own address
  std::vector<sip::Network> callers;         ///< who may call us at all; empty: nobody
  double caller_calls_per_second = 100;      ///< of each address
  int sip_dscp = -1;
  int rtp_dscp = -1;

  [[nodiscard]] std::string transport() const { return listen.substr(0, listen.find(':')); }
};

SipEndpointConfig read_sip_endpoint(const scheduler::Field& field, const std::string& base_folder);

/// Names, addresses and transports of trunks that do not fit the endpoints; what their allow lists cannot
/// mean.
void check_trunks(const Config& config, scheduler::Problems& problems);

/// `cs3`, `ef`, `af31`, a number of 0..63; nullopt: none of these.
std::optional<int> parse_dscp(const std::string& text);

[[nodiscard]] sip::EndpointOptions endpoint_options(const Config& config, const SipEndpointConfig& endpoint);

/// What the endpoint is to watch of a trunk; nullopt: nothing. Throws std::runtime_error where its password
/// can't be read.
[[nodiscard]] std::optional<sip::TrunkOptions> watched_trunk(const scheduler::Trunk& trunk);

/// Which of our addresses a peer is told: in SDP, and with `port` in Contact where that differs from the
/// endpoint's own.
struct OwnAddress {
  std::string media;    ///< an IP address
  std::string contact;  ///< address:port; empty: the endpoint's
};
/// `own`: the one that the kernel sends from towards the peer at `host`. `seen`: what the trunk's peer saw of
/// us, or empty.
[[nodiscard]] OwnAddress own_address(const SipEndpointConfig& endpoint, const std::string& own,
                                     std::uint16_t port, const std::string& host, const std::string& seen);

}  // namespace linecheck::engine
