// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/sip_config.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "engine/daemon/config.h"
#include "engine/daemon/credentials.h"
#include "engine/daemon/preflight.h"
#include "engine/lower_case.h"
#include "sip/allow_list.h"

namespace linecheck::engine {
namespace {

using scheduler::Field;
using scheduler::Problems;
using scheduler::Reader;

std::string absolute(const std::string& base, const std::string& path) {
  return path.empty() ? path : (std::filesystem::path(base) / path).lexically_normal().string();
}

void read_tls(Reader& tls, SipEndpointConfig& endpoint, const std::string& base) {
  const auto read_file = [&](const char* key, std::string& out) {
    if (!tls.read(key, out)) return;
    out = absolute(base, out);
    std::error_code ignored;
    if (!std::filesystem::exists(out, ignored)) tls.problem(key, "the file '" + out + "' does not exist");
  };
  read_file("ca", endpoint.tls.ca_file);
  read_file("certificate", endpoint.tls.certificate_file);
  read_file("key", endpoint.tls.key_file);
  tls.read("verify", endpoint.tls.verify);
  if (!endpoint.tls.key_file.empty() && endpoint.tls.certificate_file.empty())
    tls.problem("key", "a key without a certificate");
  if (!endpoint.tls.verify && !endpoint.tls.ca_file.empty())
    tls.problem("ca", "a list of authorities, and verify: false: one of the two is not meant");
}

void read_dscp(Reader& dscp, SipEndpointConfig& endpoint) {
  const auto read = [&](const char* key, int& out) {
    const auto field = dscp.field(key);
    std::string text;
    if (!field || !field->get_as_written(text)) return;
    if (const auto value = parse_dscp(text))
      out = *value;
    else
      field->problem("'" + text + "' is no class of service: a name such as cs3, af31 or ef, or 0 to 63");
  };
  read("sip", endpoint.sip_dscp);
  read("rtp", endpoint.rtp_dscp);
}

/// `udp`, `tcp` or `tls`, as a URI asks for it; empty: it does not.
std::string transport_of(const std::string& uri) {
  if (uri.starts_with("sips:")) return "tls";
  constexpr std::string_view kParameter = ";transport=";
  const auto at = uri.find(kParameter);
  if (at == std::string::npos) return {};
  const std::string rest = uri.substr(at + kParameter.size());
  return rest.substr(0, rest.find_first_of(";?"));
}

void check_trunk(const scheduler::Trunk& trunk, const Config& config, Problems& problems) {
  const auto problem = [&](const char* key, std::string message) {
    problems.push_back({trunk.mark, "trunks." + trunk.name + "." + key, std::move(message)});
  };
  const auto index = config.endpoint_index(trunk.endpoint);
  if (!index) {
    problem("endpoint", "there is no sip endpoint '" + trunk.endpoint + "'");
  } else if (const std::string wanted = transport_of(trunk.proxy); !wanted.empty()) {
    const SipEndpointConfig& endpoint = config.endpoints[*index];
    if (wanted != endpoint.transport())
      problem("proxy", "asks for " + wanted + ", but the endpoint '" + endpoint.name + "' speaks " +
                           endpoint.transport() + ": name another endpoint, one that listens on " + wanted +
                           ":...");
  }
  for (const std::string& pattern : trunk.allow) {
    if (const auto wrong = sip::AllowList::pattern_problem(pattern))
      problem("allow", "'" + pattern + "': " + *wrong);
  }
  if (!trunk.address.empty() && !sip::is_ip_address(trunk.address))
    problem("address", "'" + trunk.address + "' is not an IP address");
}

}  // namespace

std::optional<int> parse_dscp(const std::string& text) {
  const std::string lower = lower_case(text);
  int value = 0;
  const auto [end, error] = std::from_chars(lower.data(), lower.data() + lower.size(), value);
  if (error == std::errc{} && end == lower.data() + lower.size())
    return value >= 0 && value <= 63 ? std::optional<int>(value) : std::nullopt;
  if (lower == "ef") return 46;  // RFC 3246
  if (lower == "be" || lower == "default") return 0;
  const auto digit = [&](std::size_t at) { return lower.size() > at ? lower[at] - '0' : -1; };
  if (lower.size() == 3 && lower.starts_with("cs") && digit(2) >= 0 && digit(2) <= 7)
    return digit(2) * 8;  // RFC 2474
  if (lower.size() == 4 && lower.starts_with("af") && digit(2) >= 1 && digit(2) <= 4 && digit(3) >= 1 &&
      digit(3) <= 3)
    return digit(2) * 8 + digit(3) * 2;  // RFC 2597
  return std::nullopt;
}

SipEndpointConfig read_sip_endpoint(const Field& field, const std::string& base_folder) {
  SipEndpointConfig endpoint;
  Reader reader(field);
  reader.require("name", endpoint.name);
  if (reader.require("listen", endpoint.listen)) {
    const std::string transport = endpoint.transport();
    if (transport != "udp" && transport != "tcp" && transport != "tls")
      reader.problem("listen",
                     "'" + endpoint.listen + "' is not udp:, tcp: or tls: with an address and a port");
  }
  const bool tls = reader.object("tls", [&](Reader& map) { read_tls(map, endpoint, base_folder); });
  if (tls && endpoint.transport() != "tls")
    reader.problem("tls", "only an endpoint that listens on tls:... has this");
  std::string external;
  if (reader.read("external_address", external)) {
    if (external == "auto")
      endpoint.auto_external = true;
    else if (sip::is_ip_address(external))
      endpoint.external_address = external;
    else
      reader.problem("external_address", "'" + external + "' is neither an IP address nor `auto`");
  }
  const auto network = [](std::vector<sip::Network>& networks) {
    return [&networks](const Field& item) {
      std::string text;
      if (!item.get(text)) return;
      if (const auto read = sip::Network::parse(text))
        networks.push_back(*read);
      else
        item.problem("'" + text + "' is not a network such as 10.0.0.0/8");
    };
  };
  reader.each("local_networks", network(endpoint.local_networks));
  reader.object("incoming", [&](Reader& incoming) {
    incoming.each("from", network(endpoint.callers));
    incoming.read("calls_per_second", endpoint.caller_calls_per_second, scheduler::more_than(0));
  });
  reader.object("dscp", [&](Reader& dscp) { read_dscp(dscp, endpoint); });
  reader.finish();
  return endpoint;
}

void check_trunks(const Config& config, Problems& problems) {
  for (const scheduler::Trunk& trunk : config.trunks) check_trunk(trunk, config, problems);
}

sip::EndpointOptions endpoint_options(const Config& config, const SipEndpointConfig& endpoint) {
  sip::EndpointOptions options;
  options.name = endpoint.name;
  options.listen = endpoint.listen;
  options.tls = endpoint.tls;
  options.external_address = endpoint.external_address;
  options.dscp = endpoint.sip_dscp;
  options.accept_incoming = !endpoint.callers.empty();
  options.sources = endpoint.callers;
  options.source_calls_per_second = endpoint.caller_calls_per_second;
  options.allow = sip::AllowList(endpoint_allow_list(config, endpoint.name));
  return options;
}

std::optional<sip::TrunkOptions> watched_trunk(const scheduler::Trunk& trunk) {
  if (trunk.proxy.empty() || (!trunk.registers && !trunk.keep_alive)) return std::nullopt;
  sip::TrunkOptions options;
  options.name = trunk.name;
  options.proxy = trunk.proxy;
  options.address = trunk.address;
  options.domain = trunk.domain;
  options.auth = credentials_of(trunk);
  options.registers = trunk.registers;
  options.expires = std::chrono::duration_cast<std::chrono::seconds>(trunk.register_expires);
  options.keep_alive = trunk.keep_alive.value_or(scheduler::Millis{0});
  return options;
}

OwnAddress own_address(const SipEndpointConfig& endpoint, const std::string& own, std::uint16_t port,
                       const std::string& host, const std::string& seen) {
  const bool local = std::any_of(endpoint.local_networks.begin(), endpoint.local_networks.end(),
                                 [&](const sip::Network& network) { return network.contains(host); });
  if (!local && !endpoint.external_address.empty()) return {endpoint.external_address, {}};
  if (local && !endpoint.external_address.empty()) {
    const std::string bracketed = own.find(':') != std::string::npos ? "[" + own + "]" : own;
    return {own, bracketed + ":" + std::to_string(port)};
  }
  if (!local && endpoint.auto_external && !seen.empty() && sip::host_of_address(seen) != own)
    return {sip::host_of_address(seen), seen};
  return {own, {}};
}

}  // namespace linecheck::engine
