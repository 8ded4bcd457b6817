// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keys of the HTTP interface. A key is shown once, when it is made; kept is its SHA-256 and a part that says
// which one it is, so that a stolen database opens nothing. 256 random bits need no slow hash.
//
//   lc_5f0c2a91_<64 hexadecimal digits>
//
// They live in the state's database, in tables of their own. Threads: any; a lock inside. Blocks for the
// disk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/database.h"

namespace linecheck::engine::http {

/// Each may what those before it may.
enum class KeyScope { read, run, admin };
[[nodiscard]] const char* to_string(KeyScope scope);
[[nodiscard]] std::optional<KeyScope> scope_named(std::string_view name);

struct ApiKey {
  std::int64_t id = 0;
  std::string name;
  std::string prefix;                   ///< its first part, which is no secret
  std::optional<std::int64_t> project;  ///< it sees this one only; absent: all
  KeyScope scope = KeyScope::read;
  std::int64_t created_ms = 0;  ///< milliseconds since 1970, as all of them
  std::optional<std::int64_t> expires_ms;
  std::optional<std::int64_t> last_used_ms;  ///< to the minute
  std::optional<std::int64_t> revoked_ms;

  [[nodiscard]] bool active(std::int64_t now_ms) const {
    return !revoked_ms && (!expires_ms || *expires_ms > now_ms);
  }
};

class KeyStore {
 public:
  /// Opens or creates the tables. Throws scheduler::StoreError.
  explicit KeyStore(const std::string& database_path);

  struct Created {
    ApiKey key;
    std::string secret;  ///< the whole key; nobody can say it again
  };
  /// Two active keys of one name at most, so that one can take over from the other. Throws
  /// std::invalid_argument beyond that.
  Created create(const ApiKey& wanted, std::int64_t now_ms);
  [[nodiscard]] std::vector<ApiKey> list() const;
  /// False: there is none of that number, or it was revoked before.
  bool revoke(std::int64_t id, std::int64_t now_ms);

  /// The key that this is, if it is good now; notes that it was used. The hashes are compared in constant
  /// time.
  std::optional<ApiKey> check(std::string_view secret, std::int64_t now_ms);

 private:
  mutable std::mutex lock_;
  std::unique_ptr<scheduler::Database> db_;
};

/// So many a second of each name, and a burst; what is asked for beyond it waits. Bounded memory. One thread.
class RateLimit {
 public:
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}
  /// 0: go ahead; else whole seconds to wait.
  int take(const std::string& name, std::int64_t now_ns);

 private:
  struct Bucket {
    double tokens = 0;
    std::int64_t at_ns = 0;
  };
  double per_second_;
  double burst_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace linecheck::engine::http
