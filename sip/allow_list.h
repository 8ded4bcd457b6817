// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which destinations may be dialled. Denies by default: an empty list permits nothing, and whatever is not
// plainly one of the shapes below is refused, so that no escape, parameter or line break slips past a
// pattern.
//
//   patterns                     permit
//   "+15551234", "1001"          that number, exactly
//   "+1555*"                     numbers that start so (only digits may follow)
//   "sip:alice@host:5060"        that user at that host and that port
//   "sip:alice@host"             that user at that host, any port
//   "sip:*@host", "sip:+1555*@host"   any user / users that start so, at that host
//   "sip:host:5060"              the host itself, without a user
//
// "*" alone is no pattern: "+*" means any international number, "sip:*@host" any user of a host.
//
// Hosts are compared whole, ASCII case ignored; users exactly. `sips:` matches only `sips:`. Numbers match
// only number patterns, URIs only URI patterns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linecheck::sip {

class AllowList {
 public:
  AllowList() = default;
  /// Throws std::invalid_argument naming the first pattern that has none of the shapes above.
  explicit AllowList(const std::vector<std::string>& patterns);

  [[nodiscard]] bool permits(std::string_view uri_or_number) const;

  /// Like permits(), but a number pattern also permits its numbers at the trunk's own proxy: the user part of
  /// `uri` is then judged as a number, provided that its host is the proxy's, and its port too where it has
  /// one.
  [[nodiscard]] bool permits_at(std::string_view uri, std::string_view proxy) const;

  /// What is wrong with a pattern, for checking a configuration; nullopt: nothing.
  [[nodiscard]] static std::optional<std::string> pattern_problem(std::string_view pattern);

 private:
  struct Pattern {
    bool secure = false;  ///< sips:
    bool number = false;  ///< not a URI
    bool has_user = false;
    bool user_prefix = false;  ///< user is followed by *
    std::string user;
    std::string host;  ///< lower case
    std::optional<std::uint16_t> port;
  };
  static std::optional<Pattern> parse(std::string_view text);

  std::vector<Pattern> patterns_;
};

}  // namespace linecheck::sip
