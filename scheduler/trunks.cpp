// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/trunks.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <set>
#include <unordered_set>

#include "scheduler/ascii.h"
#include "scheduler/reader.h"

namespace linecheck::scheduler {
namespace {

/// The caller numbers of a trunk, each once.
class NumberPool {
 public:
  explicit NumberPool(std::vector<std::string>& numbers) : numbers_(numbers) {}

  void add(const Field& item) {
    if (item.node().kind == Node::Kind::map) {
      Reader map(item);
      std::string range;
      if (map.require("range", range)) add_range(*map.field("range"), range);
      map.finish();
      return;
    }
    std::string number;
    if (!item.get(number)) return;
    if (!is_phone_number(number)) {
      return item.problem("'" + number + "' is not a telephone number: an optional + and 2 to 15 digits");
    }
    add_number(item, number);
  }

 private:
  void add_range(const Field& field, const std::string& range) {
    const auto dash = range.find('-');
    const std::string first = range.substr(0, dash);
    const std::string last = dash == std::string::npos ? "" : range.substr(dash + 1);
    const bool same_form = first.size() == last.size() && first.starts_with('+') == last.starts_with('+');
    if (!is_phone_number(first) || !is_phone_number(last) || !same_form) {
      return field.problem("expected two numbers of the same length, such as +15550100100-+15550100199");
    }
    const std::size_t sign = first.starts_with('+') ? 1 : 0;
    const std::uint64_t from = value_of(std::string_view(first).substr(sign));
    const std::uint64_t to = value_of(std::string_view(last).substr(sign));
    if (from > to) return field.problem("the range ends before it begins");
    if (to - from >= kMaxCallerNumbers) {
      return field.problem("holds " + std::to_string(to - from + 1) + " numbers, and a pool at most " +
                           std::to_string(kMaxCallerNumbers));
    }
    for (std::uint64_t value = from; value <= to; ++value) {
      std::string digits = std::to_string(value);
      digits.insert(0, first.size() - sign - digits.size(), '0');
      if (!add_number(field, first.substr(0, sign) + digits)) return;
    }
  }

  static std::uint64_t value_of(std::string_view digits) {
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }

  bool add_number(const Field& field, const std::string& number) {
    if (!seen_.insert(number).second) {
      field.problem("the number " + number + " is here twice");
      return false;
    }
    if (numbers_.size() >= kMaxCallerNumbers) {
      field.problem("a pool holds at most " + std::to_string(kMaxCallerNumbers) + " numbers");
      return false;
    }
    numbers_.push_back(number);
    return true;
  }

  std::vector<std::string>& numbers_;
  std::unordered_set<std::string> seen_;
};

void check_allow_pattern(const Field& item, const std::string& pattern) {
  const bool number = is_digit(pattern.empty() ? ' ' : pattern[0]) || pattern.starts_with('+');
  if (number) {
    const bool star = pattern.ends_with('*');
    const std::string_view digits = std::string_view(pattern).substr(
        pattern[0] == '+' ? 1 : 0, pattern.size() - (pattern[0] == '+') - star);
    if (!std::all_of(digits.begin(), digits.end(), is_digit)) {
      item.problem("a pattern of numbers is a number, or its beginning and a * at the end: +1555*");
    }
  } else if (!pattern.starts_with("sip:") && !pattern.starts_with("sips:")) {
    item.problem("expected a number such as +1555* or a URI such as sip:*@host, found '" + pattern + "'");
  }
}

std::optional<SipAuth> parse_auth(Reader& map) {
  SipAuth auth;
  map.require("username", auth.username);
  if (map.has("password")) {
    map.problem("password",
                "a password is never written here: put it in a file and name that as password_file");
  } else {
    map.require("password_file", auth.password_file);
  }
  return auth;
}

/// The suites of RFC 4568, 6188 and 7714, by their names there.
void read_suite(const Field& field, std::vector<std::string>& suites) {
  std::string_view name;
  if (!field.choice(name, {{"AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80"},
                           {"AES_CM_128_HMAC_SHA1_32", "AES_CM_128_HMAC_SHA1_32"},
                           {"AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_80"},
                           {"AES_256_CM_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_32"},
                           {"AEAD_AES_128_GCM", "AEAD_AES_128_GCM"},
                           {"AEAD_AES_256_GCM", "AEAD_AES_256_GCM"}}))
    return;
  if (std::find(suites.begin(), suites.end(), name) != suites.end()) {
    field.problem("the suite " + std::string(name) + " is here twice");
    return;
  }
  suites.emplace_back(name);
}

void read_registration(Reader& map, Trunk& trunk) {
  map.read("register", trunk.registers);
  map.read("register_expires", trunk.register_expires, between(10, 86'400));
  if (!trunk.registers) return;
  if (trunk.proxy.empty())
    map.problem("register", "a trunk that registers needs the registrar's URI as its proxy");
  if (!trunk.auth)
    map.problem("register",
                "a trunk that registers needs `auth`: its user name is the address that it registers");
}

void read_rule(const Field& item, std::vector<PrefixRule>& rules) {
  Reader map(item);
  PrefixRule rule;
  const auto dialable = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '+'; });
  };
  if (map.require("prefix", rule.prefix) && !dialable(rule.prefix))
    map.problem("prefix", "the beginning of a number is expected: digits, perhaps after a +");
  if (map.require("replace", rule.replace) && !dialable(rule.replace))
    map.problem("replace",
                "what a number shall begin with is expected: digits, perhaps after a +; \"\" for nothing");
  map.finish();
  rules.push_back(std::move(rule));
}

Trunk parse_trunk(Reader& map) {
  Trunk trunk;
  trunk.mark = map.mark();
  map.require("name", trunk.name);
  map.read("endpoint", trunk.endpoint);
  if (map.read("proxy", trunk.proxy)) {
    if (const auto why = sip_uri_problem(trunk.proxy); !why.empty()) map.problem("proxy", why);
  }
  map.object("auth", [&](Reader& auth) { trunk.auth = parse_auth(auth); });
  if (map.read("address", trunk.address) &&
      trunk.address.find_first_not_of("0123456789abcdefABCDEF.:") != std::string::npos)
    map.problem("address", "'" + trunk.address + "' is not an IP address");
  if (map.read("domain", trunk.domain)) {
    if (const auto why = sip_uri_problem("sip:" + trunk.domain); !why.empty())
      map.problem("domain", "'" + trunk.domain + "' is not the name of a host");
  }
  read_registration(map, trunk);
  map.read("keep_alive", trunk.keep_alive, between(1, 3600));
  if (trunk.keep_alive && trunk.proxy.empty())
    map.problem("keep_alive", "there is no proxy that could be asked");
  NumberPool pool(trunk.caller_numbers);
  map.each("caller_numbers", [&](const Field& item) { pool.add(item); });
  map.choice("identity", trunk.identity,
             {{"from", CallerIdentity::from},
              {"pai", CallerIdentity::pai},
              {"rpid", CallerIdentity::rpid},
              {"privacy", CallerIdentity::privacy}});
  map.object("number_format", [&](Reader& format) {
    format.each("called", [&](const Field& item) { read_rule(item, trunk.called_format); });
    format.each("caller", [&](const Field& item) { read_rule(item, trunk.caller_format); });
  });
  map.choice("redirects", trunk.follow_redirects, {{"report", false}, {"follow", true}});
  map.read("session_timer", trunk.session_timer, between(90, 86'400));
  std::vector<Codec> codecs;
  if (map.each("codecs", [&](const Field& item) { read_codec(item, codecs); })) trunk.codecs = codecs;
  std::optional<KeysBy> dtmf;
  read_dtmf(map, dtmf);
  trunk.dtmf = dtmf.value_or(trunk.dtmf);
  map.choice("srtp", trunk.srtp, {{"off", Srtp::off}, {"offer", Srtp::offer}, {"require", Srtp::require}});
  map.each("srtp_suites", [&](const Field& item) { read_suite(item, trunk.srtp_suites); });
  map.read("rtcp_mux", trunk.rtcp_mux);
  map.each("allow", [&](const Field& item) {
    std::string pattern;
    if (!item.get(pattern)) return;
    check_allow_pattern(item, pattern);
    trunk.allow.push_back(pattern);
  });
  map.read("max_calls", trunk.max_calls, at_least(1));
  map.read("calls_per_second", trunk.calls_per_second, more_than(0));
  map.finish();
  return trunk;
}

}  // namespace

std::string with_rules(const std::vector<PrefixRule>& rules, const std::string& number) {
  for (const PrefixRule& rule : rules)
    if (number.starts_with(rule.prefix)) return rule.replace + number.substr(rule.prefix.size());
  return number;
}

std::vector<Trunk> parse_trunks(const Field& list) {
  std::vector<Trunk> trunks;
  list.each([&](const Field& item) {
    Reader map(item);
    if (!map.is_map()) return;
    Trunk trunk = parse_trunk(map);
    const auto same = std::find_if(trunks.begin(), trunks.end(),
                                   [&](const Trunk& other) { return other.name == trunk.name; });
    if (!trunk.name.empty() && same != trunks.end()) {
      map.problem("name",
                  "the trunk '" + trunk.name + "' is already on line " + std::to_string(same->mark.line));
    }
    trunks.push_back(std::move(trunk));
  });
  return trunks;
}

bool read_codec(const Field& field, std::vector<Codec>& codecs) {
  std::string name;
  if (!field.get(name)) return false;
  Codec codec{};
  if (!field.choice(
          codec,
          {{"opus", Codec::opus}, {"g722", Codec::g722}, {"pcmu", Codec::pcmu}, {"pcma", Codec::pcma}})) {
    return false;
  }
  if (std::find(codecs.begin(), codecs.end(), codec) != codecs.end()) {
    field.problem("the codec " + name + " is here twice");
    return false;
  }
  codecs.push_back(codec);
  return true;
}

void read_dtmf(Reader& map, std::optional<KeysBy>& dtmf) {
  KeysBy by{};
  if (map.choice("dtmf", by,
                 {{"rfc4733", KeysBy::rfc4733}, {"info", KeysBy::info}, {"inband", KeysBy::inband}})) {
    dtmf = by;
  }
}

bool is_phone_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return text.size() >= 2 && text.size() <= 15 && std::all_of(text.begin(), text.end(), is_digit);
}

std::string sip_uri_problem(std::string_view text) {
  const std::string shown = "'" + std::string(text.substr(0, 60)) + "' ";
  if (!text.starts_with("sip:") && !text.starts_with("sips:"))
    return shown + "is not a SIP URI: it must begin with sip:";
  text.remove_prefix(text.find(':') + 1);
  if (text.find_first_of(" \t\r\n<>\"") != std::string_view::npos) return shown + "holds blanks or < > \"";
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    if (at == 0) return shown + "has nothing before the @";
    if (text.find('@') != at) return shown + "holds two @";
    text.remove_prefix(at + 1);
  }
  text = text.substr(0, text.find(';'));
  if (text.find('?') != std::string_view::npos) return shown + "carries headers, which are not allowed here";
  std::string_view port;
  std::string_view host = text;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return shown + "has a '[' that is never closed";
    host = text.substr(0, end + 1);
    port = text.substr(end + 1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  const auto host_character = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-._[]:").find(c) != std::string_view::npos;
  };
  if (host.empty() || !std::all_of(host.begin(), host.end(), host_character))
    return shown + "has no valid host";
  if (!port.empty()) {
    int number = 0;
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size() || number < 1 || number > 65535) {
      return shown + "has no valid port";
    }
  }
  return {};
}

void read_phone_number(Reader& map, std::string_view key, std::string& out) {
  if (map.read(key, out) && !is_phone_number(out)) {
    map.problem(key, "'" + out + "' is not a telephone number: an optional + and 2 to 15 digits");
    out.clear();
  }
}

}  // namespace linecheck::scheduler
