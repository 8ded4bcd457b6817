// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/http/keys.h"

#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tests/temporary_directory.h"

using namespace linecheck;
using engine::http::ApiKey;
using engine::http::KeyScope;
using engine::http::KeyStore;

namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;

ApiKey wanted_key(const std::string& name) {
  ApiKey key;
  key.name = name;
  key.scope = KeyScope::run;
  key.project = 1376;
  return key;
}

}  // namespace

TEST_CASE("keys: one that was made is good until it is revoked or has expired") {
  const tests::TemporaryDirectory directory;
  KeyStore keys(directory.file("keys.db"));
  ApiKey wanted = wanted_key("ci");
  wanted.expires_ms = kNow + 1000;
  const auto created = keys.create(wanted, kNow);
  CHECK(created.secret.size() == 76);
  const auto found = keys.check(created.secret, kNow + 999);
  REQUIRE(found);
  CHECK(found->name == "ci");
  CHECK(found->project == 1376);
  CHECK(found->scope == KeyScope::run);
  CHECK_FALSE(keys.check(created.secret, kNow + 1000));
  const auto lasting = keys.create(wanted_key("other"), kNow);
  CHECK(keys.check(lasting.secret, kNow));
  CHECK(keys.revoke(lasting.key.id, kNow));
  CHECK_FALSE(keys.revoke(lasting.key.id, kNow));
  CHECK_FALSE(keys.revoke(99, kNow));
  CHECK_FALSE(keys.check(lasting.secret, kNow));
  CHECK(keys.list().size() == 2);
}

TEST_CASE("keys: every other text is none") {
  const tests::TemporaryDirectory directory;
  KeyStore keys(directory.file("keys.db"));
  const std::string good = keys.create(wanted_key("ci"), kNow).secret;
  const std::string other = keys.create(wanted_key("ci"), kNow).secret;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == '0' ? '1' : '0';
    CHECK_FALSE(keys.check(bad, kNow));
  }
  CHECK_FALSE(keys.check("", kNow));
  CHECK_FALSE(keys.check(good + "0", kNow));
  CHECK_FALSE(keys.check(good.substr(0, good.size() - 1), kNow));
  CHECK_FALSE(keys.check(good.substr(0, 12) + other.substr(12), kNow));
  CHECK_FALSE(keys.check(std::string(good.size(), '\0'), kNow));
}

TEST_CASE("keys: two of a name at most, so that one can take over") {
  const tests::TemporaryDirectory directory;
  KeyStore keys(directory.file("keys.db"));
  const auto first = keys.create(wanted_key("ci"), kNow);
  keys.create(wanted_key("ci"), kNow);
  CHECK_THROWS_AS(keys.create(wanted_key("ci"), kNow), std::invalid_argument);
  keys.create(wanted_key("somebody else"), kNow);
  keys.revoke(first.key.id, kNow);
  CHECK_NOTHROW(keys.create(wanted_key("ci"), kNow));
}

TEST_CASE("keys: the database holds no key, and knows when one was used") {
  const tests::TemporaryDirectory directory;
  const std::string file = directory.file("keys.db");
  std::string secret;
  {
    KeyStore keys(file);
    secret = keys.create(wanted_key("ci"), kNow).secret;
    CHECK_FALSE(keys.list().front().last_used_ms);
    keys.check(secret, kNow + 5);
    CHECK(keys.list().front().last_used_ms == kNow + 5);
    keys.check(secret, kNow + 50'000);
    CHECK(keys.list().front().last_used_ms == kNow + 5);
    keys.check(secret, kNow + 70'000);
    CHECK(keys.list().front().last_used_ms == kNow + 70'000);
  }
  for (const char* suffix : {"", "-wal"}) {
    std::ifstream in(file + suffix, std::ios::binary);
    std::stringstream bytes;
    bytes << in.rdbuf();
    CHECK(bytes.str().find(secret.substr(12)) == std::string::npos);
  }
  KeyStore again(file);  // another process
  CHECK(again.check(secret, kNow));
}

TEST_CASE("keys: scopes have an order and names") {
  CHECK(KeyScope::read < KeyScope::run);
  CHECK(KeyScope::run < KeyScope::admin);
  CHECK(engine::http::scope_named("admin") == KeyScope::admin);
  CHECK_FALSE(engine::http::scope_named("root"));
}

TEST_CASE("rates: a burst, then so many a second, each name by itself, in bounded memory") {
  engine::http::RateLimit limit(2, 3);
  constexpr std::int64_t kSecond = 1'000'000'000;
  for (int i = 0; i < 3; ++i) CHECK(limit.take("a", 0) == 0);
  CHECK(limit.take("a", 0) == 1);
  CHECK(limit.take("b", 0) == 0);
  CHECK(limit.take("a", kSecond / 2) == 0);
  CHECK(limit.take("a", kSecond / 2) == 1);
  for (int i = 0; i < 50'000; ++i) CHECK(limit.take("n" + std::to_string(i), kSecond) == 0);
  engine::http::RateLimit slow(0.1, 1);
  CHECK(slow.take("a", 0) == 0);
  CHECK(slow.take("a", 0) == 10);
}
