// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/trunks.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/scheduler/problems_text.h"

using namespace linecheck::scheduler;

namespace {

std::vector<Trunk> trunks_of(const std::string& text, Problems& problems) {
  const auto document = parse_document(text, "f", problems);
  REQUIRE(document);
  auto trunks = parse_trunks(Field(*document, "trunks", problems));
  sort_problems(problems);
  return trunks;
}

std::string problems_of(const std::string& text) {
  Problems problems;
  trunks_of(text, problems);
  return problems_text(problems);
}

}  // namespace

TEST_CASE("a good trunk") {
  Problems problems;
  const auto trunks = trunks_of(
      "- name: carrier\n"
      "  endpoint: main\n"
      "  proxy: sip:sbc.example.net;transport=udp\n"
      "  auth: {username: u, password_file: /run/secret}\n"
      "  address: 192.0.2.10\n"
      "  domain: example.net\n"
      "  register: true\n"
      "  register_expires: 10m\n"
      "  keep_alive: 30s\n"
      "  caller_numbers: [\"+15550100001\", {range: \"+15550100098-+15550100101\"}, {range: \"008-011\"}]\n"
      "  identity: pai\n"
      "  number_format:\n"
      "    called: [{prefix: \"+1\", replace: \"\"}, {prefix: \"+\", replace: \"011\"}]\n"
      "    caller: [{prefix: \"+\", replace: \"\"}]\n"
      "  redirects: follow\n"
      "  session_timer: 30m\n"
      "  codecs: [opus, g722, pcma, pcmu]\n"
      "  srtp: off\n"
      "  dtmf: inband\n"
      "  allow: [\"+1555*\", \"sip:*@agents.example.net\"]\n"
      "  max_calls: 100\n"
      "  calls_per_second: 0.5\n"
      "- name: plain\n",
      problems);
  REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
  REQUIRE(trunks.size() == 2);
  const Trunk& carrier = trunks[0];
  CHECK(carrier.caller_numbers == std::vector<std::string>{"+15550100001", "+15550100098", "+15550100099",
                                                           "+15550100100", "+15550100101", "008", "009",
                                                           "010", "011"});
  CHECK(carrier.codecs == std::vector<Codec>{Codec::opus, Codec::g722, Codec::pcma, Codec::pcmu});
  CHECK(carrier.auth->password_file == "/run/secret");
  CHECK(carrier.allow.size() == 2);
  CHECK(carrier.dtmf == KeysBy::inband);
  CHECK(trunks[1].dtmf == KeysBy::rfc4733);
  CHECK(carrier.address == "192.0.2.10");
  CHECK(carrier.domain == "example.net");
  CHECK(carrier.registers);
  CHECK(carrier.register_expires == Millis(600'000));
  CHECK(carrier.keep_alive == Millis(30'000));
  CHECK(carrier.identity == CallerIdentity::pai);
  CHECK(carrier.follow_redirects);
  CHECK(carrier.session_timer == Millis(1'800'000));
  CHECK(with_rules(carrier.called_format, "+15550001") == "5550001");
  CHECK(with_rules(carrier.called_format, "+4930123") == "0114930123");
  CHECK(with_rules(carrier.called_format, "1001") == "1001");
  CHECK(with_rules(carrier.caller_format, "+15550001") == "15550001");
  CHECK_FALSE(trunks[1].registers);
  CHECK_FALSE(trunks[1].keep_alive);
  CHECK(trunks[1].identity == CallerIdentity::from);
  CHECK(carrier.max_calls == 100);
  CHECK(carrier.calls_per_second == 0.5);
  CHECK(trunks[1].codecs == std::vector<Codec>{Codec::pcmu, Codec::pcma});
  CHECK(trunks[1].allow.empty());  // nothing may be dialled
}

TEST_CASE("what is refused of a trunk") {
  CHECK(
      problems_of("- proxy: tel:5551234\n"
                  "  auth: {username: u, password: p}\n"
                  "  register: maybe\n"
                  "  caller_numbers: [+15550100001, \"12a\", {range: \"+1\"}, {range: \"+19-+12\"}, \"+12\", "
                  "\"+12\"]\n"
                  "  identity: secret\n"
                  "  codecs: [opus, g722, pcmu, pcmu, speex]\n"
                  "  srtp: maybe\n"
                  "  allow: [\"+1*5\", \"*\", \"http://x\"]\n"
                  "  max_calls: 0\n"
                  "  calls_per_second: 0\n"
                  "  maxcalls: 3\n") ==
      "f:1:3: trunks[0].name: is missing\n"
      "f:1:10: trunks[0].proxy: 'tel:5551234' is not a SIP URI: it must begin with sip:\n"
      "f:2:33: trunks[0].auth.password: a password is never written here: put it in a file and name that as "
      "password_file\n"
      "f:3:13: trunks[0].register: expected true or false, found the text 'maybe'\n"
      "f:4:20: trunks[0].caller_numbers[0]: expected text, found the number +15550100001: put it in quotes\n"
      "f:4:34: trunks[0].caller_numbers[1]: '12a' is not a telephone number: an optional + and 2 to 15 "
      "digits\n"
      "f:4:49: trunks[0].caller_numbers[2].range: expected two numbers of the same length, such as "
      "+15550100100-+15550100199\n"
      "f:4:64: trunks[0].caller_numbers[3].range: the range ends before it begins\n"
      "f:4:83: trunks[0].caller_numbers[5]: the number +12 is here twice\n"
      "f:5:13: trunks[0].identity: expected from, pai, rpid or privacy, found the text 'secret'\n"
      "f:6:30: trunks[0].codecs[3]: the codec pcmu is here twice\n"
      "f:6:36: trunks[0].codecs[4]: expected opus, g722, pcmu or pcma, found the text 'speex'\n"
      "f:7:9: trunks[0].srtp: expected off, offer or require, found the text 'maybe'\n"
      "f:8:11: trunks[0].allow[0]: a pattern of numbers is a number, or its beginning and a * at the end: "
      "+1555*\n"
      "f:8:19: trunks[0].allow[1]: expected a number such as +1555* or a URI such as sip:*@host, found '*'\n"
      "f:8:24: trunks[0].allow[2]: expected a number such as +1555* or a URI such as sip:*@host, found "
      "'http://x'\n"
      "f:9:14: trunks[0].max_calls: must be at least 1, not 0\n"
      "f:10:21: trunks[0].calls_per_second: must be more than 0, not 0\n"
      "f:11:3: trunks[0].maxcalls: unknown key; did you mean 'max_calls'?\n");
  CHECK(problems_of("- {name: a}\n- {name: a}\n") ==
        "f:2:10: trunks[1].name: the trunk 'a' is already on line 1\n");
  CHECK(problems_of("- {name: a, caller_numbers: [{range: \"+100000000000000-+999999999999999\"}]}\n") ==
        "f:1:38: trunks[0].caller_numbers[0].range: holds 900000000000000 numbers, and a pool at most "
        "100000\n");
  CHECK(problems_of("name: a\n") == "f:1:1: trunks: expected a list, found a map\n");
}

TEST_CASE("what is refused of a trunk's registration and formats") {
  CHECK(
      problems_of("- {name: a, register: true}\n") ==
      "f:1:23: trunks[0].register: a trunk that registers needs the registrar's URI as its proxy\n"
      "f:1:23: trunks[0].register: a trunk that registers needs `auth`: its user name is the address that it "
      "registers\n");
  CHECK(problems_of("- {name: a, keep_alive: 10s, address: host, domain: \"a b\"}\n") ==
        "f:1:25: trunks[0].keep_alive: there is no proxy that could be asked\n"
        "f:1:39: trunks[0].address: 'host' is not an IP address\n"
        "f:1:53: trunks[0].domain: 'a b' is not the name of a host\n");
  CHECK(problems_of(
            "- name: a\n  number_format: {called: [{prefix: x, replace: \"0\\r\\n\"}, {prefix: \"+\"}]}\n") ==
        "f:2:37: trunks[0].number_format.called[0].prefix: the beginning of a number is expected: digits, "
        "perhaps "
        "after a +\n"
        "f:2:49: trunks[0].number_format.called[0].replace: what a number shall begin with is expected: "
        "digits, "
        "perhaps after a +; \"\" for nothing\n"
        "f:2:59: trunks[0].number_format.called[1].replace: is missing\n");
}

TEST_CASE("SIP URIs") {
  for (const char* good : {"sip:agent@agents.example.net", "sip:127.0.0.1:5080", "sip:x@[::1]:5060",
                           "sip:+1555@host", "sip:a.b-c@host;transport=tls", "sips:a@host"}) {
    CAPTURE(good);
    CHECK(sip_uri_problem(good).empty());
  }
  for (const char* bad : {"", "sip:", "agent@host", "sips:", "sip:@host", "sip:a@", "sip:a@b@c",
                          "sip:a@host:0", "sip:a@host:70000", "sip:a@host:5060x", "sip:a@ho st",
                          "sip:a@host?Subject=x", "sip:<a@host>", "sip:a@[::1"}) {
    CAPTURE(bad);
    CHECK_FALSE(sip_uri_problem(bad).empty());
  }
}

TEST_CASE("telephone numbers") {
  CHECK(is_phone_number("+15550100001"));
  CHECK(is_phone_number("1001"));
  for (const char* bad : {"", "+", "1", "+1 555", "555-1234", "+1234567890123456", "abc", "1+2"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_phone_number(bad));
  }
}

TEST_CASE("encryption of a trunk's media") {
  Problems problems;
  const auto trunks = trunks_of(
      "- name: a\n  srtp: require\n  srtp_suites: [AEAD_AES_256_GCM, AES_CM_128_HMAC_SHA1_80]\n  rtcp_mux: "
      "true\n"
      "- name: b\n  srtp: offer\n"
      "- name: c\n",
      problems);
  REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
  CHECK(trunks[0].srtp == Srtp::require);
  CHECK(trunks[0].srtp_suites == std::vector<std::string>{"AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80"});
  CHECK(trunks[0].rtcp_mux);
  CHECK(trunks[1].srtp == Srtp::offer);
  CHECK(trunks[1].srtp_suites.empty());
  CHECK(trunks[2].srtp == Srtp::off);
  CHECK_FALSE(trunks[2].rtcp_mux);
  const std::string refused =
      problems_of("- name: a\n  srtp_suites: [AEAD_AES_128_GCM, AEAD_AES_128_GCM, ROT13]\n");
  CHECK(refused.find("f:2:35: trunks[0].srtp_suites[1]: the suite AEAD_AES_128_GCM is here twice\n") !=
        std::string::npos);
  CHECK(refused.find("trunks[0].srtp_suites[2]: expected ") != std::string::npos);
}
