// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/message_parts.h"

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace linecheck::sip {
namespace {

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string out;
  text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

}  // namespace

ReasonParts reason_of(const sip_t* sip) {
  ReasonParts out;
  if (sip == nullptr) return out;
  for (const sip_reason_t* reason = sip->sip_reason; reason != nullptr; reason = reason->re_next) {
    if (!out.q850 && reason->re_protocol != nullptr && strcasecmp(reason->re_protocol, "Q.850") == 0 &&
        reason->re_cause != nullptr) {
      int cause = 0;
      const char* begin = reason->re_cause;
      if (std::from_chars(begin, begin + std::strlen(begin), cause).ec == std::errc{}) out.q850 = cause;
    }
    if (out.text.empty() && reason->re_text != nullptr) out.text = unquoted(reason->re_text);
  }
  return out;
}

std::optional<int> retry_after_of(const sip_t* sip) {
  if (sip == nullptr || sip->sip_retry_after == nullptr) return std::nullopt;
  return static_cast<int>(sip->sip_retry_after->af_delta);
}

std::string body_of(const sip_t* sip) {
  if (sip == nullptr || sip->sip_payload == nullptr || sip->sip_payload->pl_data == nullptr) return {};
  const sip_content_type_t* type = sip->sip_content_type;
  if (type != nullptr && type->c_type != nullptr && strcasecmp(type->c_type, "application/sdp") != 0)
    return {};
  return {sip->sip_payload->pl_data, static_cast<std::size_t>(sip->sip_payload->pl_len)};
}

std::string uri_text(const url_t* url) {
  if (url == nullptr) return {};
  su_home_t home[1] = {SU_HOME_INIT(home)};
  su_home_init(home);
  const char* text = url_as_string(home, url);
  std::string out = text != nullptr ? text : "";
  su_home_deinit(home);
  return out;
}

std::string user_of(const url_t* url) {
  if (url == nullptr || url->url_user == nullptr) return {};
  std::string out(std::strlen(url->url_user) + 1, '\0');
  url_unescape(out.data(), url->url_user);
  out.resize(std::strlen(out.c_str()));
  return out;
}

std::vector<Header> x_headers_of(const sip_t* sip) {
  std::vector<Header> out;
  if (sip == nullptr) return out;
  for (const sip_unknown_t* unknown = sip->sip_unknown; unknown != nullptr; unknown = unknown->un_next) {
    if (unknown->un_name != nullptr && strncasecmp(unknown->un_name, "X-", 2) == 0)
      out.push_back({unknown->un_name, unknown->un_value != nullptr ? unknown->un_value : ""});
  }
  return out;
}

std::optional<RedirectTarget> redirect_target(const url_t* url) {
  if (url == nullptr || (url->url_type != url_sip && url->url_type != url_sips) || url->url_host == nullptr)
    return std::nullopt;
  RedirectTarget out;
  out.plain = url->url_type == url_sips ? "sips:" : "sip:";
  if (url->url_user != nullptr && *url->url_user != '\0') out.plain += std::string(url->url_user) + "@";
  out.plain += url->url_host;
  if (url->url_port != nullptr && *url->url_port != '\0') out.plain += std::string(":") + url->url_port;
  out.uri = out.plain;
  char transport[8] = "";
  if (url->url_params != nullptr && url_param(url->url_params, "transport", transport, sizeof transport) > 0)
    for (const char* known : {"udp", "tcp", "tls"})
      if (strcasecmp(transport, known) == 0) out.uri += std::string(";transport=") + known;
  return out;
}

std::vector<RedirectTarget> redirect_targets_of(const sip_t* sip) {
  struct Ranked {
    double q;
    RedirectTarget target;
  };
  std::vector<Ranked> ranked;
  for (const sip_contact_t* contact = sip != nullptr ? sip->sip_contact : nullptr; contact != nullptr;
       contact = contact->m_next) {
    auto target = redirect_target(contact->m_url);
    if (!target) continue;
    double q = 1;
    if (contact->m_q != nullptr) {
      const char* end = contact->m_q + std::strlen(contact->m_q);
      if (std::from_chars(contact->m_q, end, q).ec != std::errc{}) q = 0;
    }
    ranked.push_back({q, std::move(*target)});
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.q > b.q; });
  std::vector<RedirectTarget> out;
  for (Ranked& entry : ranked) out.push_back(std::move(entry.target));
  return out;
}

std::string uri_header(std::string_view headers, std::string_view name) {
  while (!headers.empty()) {
    const auto ampersand = headers.find('&');
    const std::string_view item = headers.substr(0, ampersand);
    headers.remove_prefix(ampersand == std::string_view::npos ? headers.size() : ampersand + 1);
    const auto equals = item.find('=');
    if (equals != name.size() || strncasecmp(item.data(), name.data(), name.size()) != 0) continue;
    const std::string escaped(item.substr(equals + 1));
    std::string out(escaped.size() + 1, '\0');
    url_unescape(out.data(), escaped.c_str());
    out.resize(std::strlen(out.c_str()));
    const bool odd = std::any_of(out.begin(), out.end(), [](char c) {
      return c <= ' ' || c == '<' || c == '>' || static_cast<unsigned char>(c) >= 0x7f;
    });
    return odd ? "" : out;
  }
  return {};
}

int sipfrag_status_of(const sip_t* sip) {
  if (sip == nullptr || sip->sip_payload == nullptr || sip->sip_payload->pl_data == nullptr) return 0;
  const std::string_view text(sip->sip_payload->pl_data, static_cast<std::size_t>(sip->sip_payload->pl_len));
  constexpr std::string_view kVersion = "SIP/2.0 ";
  int status = 0;
  if (!text.starts_with(kVersion) || text.size() < kVersion.size() + 3) return 0;
  std::from_chars(text.data() + kVersion.size(), text.data() + kVersion.size() + 3, status);
  return status;
}

FailureKind kind_of(int status) {
  if (status == 415 || status == 488 || status == 606) return FailureKind::media_not_acceptable;
  if (status < 400) return FailureKind::redirected;
  return status >= 500 && status < 600 ? FailureKind::server_error : FailureKind::rejected;
}

std::string header_lines(const std::vector<Header>& headers) {
  std::string out;
  for (const Header& header : headers) out += header.name + ": " + header.value + "\r\n";
  return out;
}

std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out + '"';
}

std::string reason_value(int cause, std::string_view text) {
  return "SIP;cause=" + std::to_string(cause) + ";text=" + quoted_string(text.substr(0, 256));
}

}  // namespace linecheck::sip
