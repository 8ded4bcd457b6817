// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/http/keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <stdexcept>
#include <utility>

namespace linecheck::engine::http {

using scheduler::Database;
using scheduler::Query;

namespace {

constexpr int kKeysVersion = 1;
constexpr std::size_t kPrefixLength = 11;  ///< "lc_" and 8 digits
constexpr std::size_t kSecretLength = kPrefixLength + 1 + 64;
constexpr std::int64_t kUsedEveryMs = 60'000;
constexpr int kMostOfOneName = 2;
constexpr std::size_t kMostBuckets = 10'000;

constexpr char kKeyTables[] = R"sql(
CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  prefix TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL,                 -- SHA-256 of the whole key, hexadecimal
  name TEXT NOT NULL,
  project INTEGER,
  scope INTEGER NOT NULL,
  created_unix_ms INTEGER NOT NULL,
  expires_unix_ms INTEGER,
  last_used_unix_ms INTEGER,
  revoked_unix_ms INTEGER
);
)sql";

std::string hexadecimal(std::span<const unsigned char> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string random_hexadecimal(std::size_t bytes) {
  std::array<unsigned char, 32> random{};
  if (RAND_bytes(random.data(), static_cast<int>(bytes)) != 1) {
    throw std::runtime_error("the system has no random numbers");
  }
  return hexadecimal(std::span(random).first(bytes));
}

std::string hash_of_key(std::string_view secret) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(secret.data(), secret.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  return hexadecimal(std::span(digest).first(length));
}

std::optional<std::int64_t> maybe(const Query& row, int column) {
  return row.null(column) ? std::nullopt : std::optional(row.integer(column));
}

ApiKey key_row(const Query& row) {
  ApiKey key;
  key.id = row.integer(0);
  key.prefix = row.text(1);
  key.name = row.text(2);
  key.project = maybe(row, 3);
  key.scope = static_cast<KeyScope>(std::clamp<std::int64_t>(row.integer(4), 0, 2));
  key.created_ms = row.integer(5);
  key.expires_ms = maybe(row, 6);
  key.last_used_ms = maybe(row, 7);
  key.revoked_ms = maybe(row, 8);
  return key;
}

}  // namespace

const char* to_string(KeyScope scope) {
  constexpr const char* kScopes[] = {"read", "run", "admin"};
  return kScopes[static_cast<std::size_t>(scope)];
}

std::optional<KeyScope> scope_named(std::string_view name) {
  for (const KeyScope scope : {KeyScope::read, KeyScope::run, KeyScope::admin}) {
    if (name == to_string(scope)) return scope;
  }
  return std::nullopt;
}

KeyStore::KeyStore(const std::string& database_path)
    : db_(std::make_unique<Database>(database_path, Database::Mode::read_write)) {
  db_->install("keys", kKeysVersion, kKeyTables);
}

KeyStore::Created KeyStore::create(const ApiKey& wanted, std::int64_t now_ms) {
  Created created;
  created.key = wanted;
  created.key.created_ms = now_ms;
  created.key.prefix = "lc_" + random_hexadecimal(4);
  created.secret = created.key.prefix + "_" + random_hexadecimal(32);
  const std::string hash = hash_of_key(created.secret);
  const std::lock_guard guard(lock_);
  db_->begin(Database::Durability::durable);
  try {
    {
      Query same = db_->query(
          "SELECT count(*) FROM api_keys WHERE name = ? AND revoked_unix_ms IS NULL "
          "AND (expires_unix_ms IS NULL OR expires_unix_ms > ?)");
      same.bind(wanted.name).bind(now_ms);
      same.step();
      if (same.integer(0) >= kMostOfOneName) {
        throw std::invalid_argument("there are two active keys named '" + wanted.name +
                                    "': revoke one of them first");
      }
    }
    Query insert = db_->query(
        "INSERT INTO api_keys (prefix, hash, name, project, scope, created_unix_ms, expires_unix_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)");
    insert.bind(created.key.prefix).bind(hash).bind(wanted.name).bind(wanted.project);
    insert.bind(static_cast<std::int64_t>(wanted.scope)).bind(now_ms).bind(wanted.expires_ms).run();
    created.key.id = db_->last_id();
    db_->commit();
  } catch (...) {
    db_->rollback();
    throw;
  }
  return created;
}

std::vector<ApiKey> KeyStore::list() const {
  const std::lock_guard guard(lock_);
  Query row = db_->query(
      "SELECT id, prefix, name, project, scope, created_unix_ms, expires_unix_ms, last_used_unix_ms, "
      "revoked_unix_ms FROM api_keys ORDER BY id");
  std::vector<ApiKey> keys;
  while (row.step()) keys.push_back(key_row(row));
  return keys;
}

bool KeyStore::revoke(std::int64_t id, std::int64_t now_ms) {
  const std::lock_guard guard(lock_);
  db_->begin(Database::Durability::durable);
  try {
    const int changed =
        db_->query("UPDATE api_keys SET revoked_unix_ms = ? WHERE id = ? AND revoked_unix_ms IS NULL")
            .bind(now_ms)
            .bind(id)
            .run();
    db_->commit();
    return changed == 1;
  } catch (...) {
    db_->rollback();
    throw;
  }
}

std::optional<ApiKey> KeyStore::check(std::string_view secret, std::int64_t now_ms) {
  if (secret.size() != kSecretLength) return std::nullopt;
  const std::string hash = hash_of_key(secret);
  const std::lock_guard guard(lock_);
  ApiKey key;
  {
    Query row = db_->query(
        "SELECT id, prefix, name, project, scope, created_unix_ms, expires_unix_ms, last_used_unix_ms, "
        "revoked_unix_ms, hash FROM api_keys WHERE prefix = ?");
    row.bind(secret.substr(0, kPrefixLength));
    if (!row.step()) return std::nullopt;
    key = key_row(row);
    const std::string stored = row.text(9);
    if (stored.size() != hash.size() || CRYPTO_memcmp(stored.data(), hash.data(), hash.size()) != 0) {
      return std::nullopt;
    }
  }
  if (!key.active(now_ms)) return std::nullopt;
  if (!key.last_used_ms || now_ms - *key.last_used_ms >= kUsedEveryMs) {
    try {
      db_->begin(Database::Durability::ordered);
      db_->query("UPDATE api_keys SET last_used_unix_ms = ? WHERE id = ?").bind(now_ms).bind(key.id).run();
      db_->commit();
    } catch (const scheduler::StoreError&) {
      db_->rollback();  // a full disk is no reason to turn a good key away
    }
  }
  return key;
}

int RateLimit::take(const std::string& name, std::int64_t now_ns) {
  const auto refilled = [&](const Bucket& bucket) {
    return std::min(burst_, bucket.tokens + static_cast<double>(now_ns - bucket.at_ns) / 1e9 * per_second_);
  };
  if (buckets_.size() >= kMostBuckets && !buckets_.contains(name)) {
    std::erase_if(buckets_, [&](const auto& entry) { return refilled(entry.second) >= burst_; });
    if (buckets_.size() >= kMostBuckets) buckets_.erase(buckets_.begin());
  }
  const auto [entry, added] = buckets_.try_emplace(name, Bucket{burst_, now_ns});
  Bucket& bucket = entry->second;
  bucket.tokens = refilled(bucket);
  bucket.at_ns = now_ns;
  if (bucket.tokens < 1) return std::max(1, static_cast<int>(std::ceil((1 - bucket.tokens) / per_second_)));
  bucket.tokens -= 1;
  return 0;
}

}  // namespace linecheck::engine::http
