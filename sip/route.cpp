// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/route.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/nua_tag.h>
#include <strings.h>

#include <vector>

#include "sip/digest.h"
#include "sip/sofia.h"
#include "sip/uri.h"

namespace linecheck::sip {

std::string route_to(const std::string& proxy, const std::string& address, bool v6) {
  std::string uri = proxy;
  if (uri.starts_with("sips:")) {
    // TLS on this hop; the secured scheme would ask for it on all that follow (RFC 3261, 26.2.2).
    uri.erase(3, 1);
    if (uri.find(";transport=") == std::string::npos) uri += ";transport=tls";
  }
  if (!address.empty())
    uri += ";maddr=" +
           (address.find(':') != std::string::npos && address.front() != '[' ? "[" + address + "]" : address);
  else
    uri = with_numeric_localhost(uri, v6);
  if (uri.find(";lr") == std::string::npos) uri += ";lr";
  return "<" + uri + ">";
}

std::string host_and_port(const std::string& uri) {
  std::string rest = uri.substr(uri.find(':') + 1);
  rest = rest.substr(0, rest.find_first_of(";?"));
  const auto at = rest.rfind('@');
  return at == std::string::npos ? rest : rest.substr(at + 1);
}

bool answer_challenges(nua_handle_t* handle, const sip_t* sip, const Credentials& credentials,
                       std::set<std::string>& realms) {
  if (sip == nullptr) return false;
  constexpr std::size_t kMostRealms = 4;
  std::vector<std::string> answers;
  for (const msg_auth_t* challenge : {sip->sip_www_authenticate, sip->sip_proxy_authenticate}) {
    for (; challenge != nullptr; challenge = challenge->au_next) {
      const char* realm = msg_header_find_param(challenge->au_common, "realm=");
      if (realm == nullptr || *realm != '"' || challenge->au_scheme == nullptr ||
          strcasecmp(challenge->au_scheme, "Digest") != 0)
        continue;
      if (answers.size() == kMostRealms || !realms.insert(realm).second) continue;
      answers.push_back(std::string("Digest:") + realm + ":" + shielded(credentials.username) + ":" +
                        shielded(credentials.password));
    }
  }
  if (answers.empty()) return false;
  // All at once: the request leaves as soon as it has one of them.
  const std::size_t count = answers.size();
  answers.resize(kMostRealms);
  nua_authenticate(handle, NUTAG_AUTH(answers[0].c_str()), TAG_IF(count > 1, NUTAG_AUTH(answers[1].c_str())),
                   TAG_IF(count > 2, NUTAG_AUTH(answers[2].c_str())),
                   TAG_IF(count > 3, NUTAG_AUTH(answers[3].c_str())), TAG_END());
  return true;
}

std::string local_trouble(int status) {
  const std::string complaint = take_transport_complaint();
  if (!complaint.empty()) return ": " + complaint;
  return status == 408 ? ": no answer came" : "";
}

}  // namespace linecheck::sip
