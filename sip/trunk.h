// SPDX-License-Identifier: GPL-3.0-or-later
//
// What an endpoint knows of a trunk beyond single calls: whether it is registered, and whether it answers.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace linecheck::sip {

struct Credentials {
  std::string username;
  std::string password;
};

struct TrunkOptions {
  std::string name;
  std::string proxy;    ///< sip: URI; requests go there
  std::string address;  ///< IP address of the proxy, where its name is not to be looked up
  std::string domain;   ///< of the address-of-record; empty: the proxy's host
  std::optional<Credentials> auth;
  bool registers = false;
  std::string user;                         ///< of the address-of-record; empty: the user name of `auth`
  std::chrono::seconds expires{3600};       ///< asked for; the registrar may shorten it
  std::chrono::milliseconds keep_alive{0};  ///< between OPTIONS; 0: none are sent
  std::chrono::milliseconds retry_first{
      2000};  ///< after a registration that failed; doubled up to retry_most
  std::chrono::milliseconds retry_most{60'000};
};

enum class TrunkState {
  unknown,   ///< nothing was heard yet
  up,        ///< registered and answering, as far as either is wanted
  degraded,  ///< an OPTIONS was missed, or answered with 5xx
  down,      ///< not registered, or three OPTIONS missed in a row
};
[[nodiscard]] std::string_view name(TrunkState state);

/// Reported with each change of state, of reason or of the address that the peer sees.
struct TrunkChanged {
  std::string name;
  TrunkState state = TrunkState::unknown;
  std::string reason;  ///< plain words; empty when up
  std::string
      seen_address;  ///< ours as the peer saw it (received and rport, RFC 3581): address:port; may be empty
};

/// The state machine alone, without a wire.
class TrunkHealth {
 public:
  explicit TrunkHealth(const TrunkOptions& options)
      : registers_(options.registers), probes_(options.keep_alive.count() > 0) {}

  void registered();
  void registration_failed(std::string reason);
  void answered();
  void missed(std::string reason);

  [[nodiscard]] TrunkState state() const;
  [[nodiscard]] std::string reason() const;

 private:
  static constexpr int kMissesToDown = 3;
  bool registers_;
  bool probes_;
  TrunkState registration_ = TrunkState::unknown;
  std::string registration_reason_;
  TrunkState probe_ = TrunkState::unknown;
  std::string probe_reason_;
  int misses_ = 0;
};

}  // namespace linecheck::sip
