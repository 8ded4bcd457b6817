// SPDX-License-Identifier: GPL-3.0-or-later
#include "hostile.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>

namespace linecheck::sip::test {
namespace {

/// An INVITE as lines, to be spoilt.
struct Message {
  std::string start = "INVITE sip:agent@127.0.0.1 SIP/2.0";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool count_body = true;

  Message(const std::string& via, const std::string& id) {
    headers = {{"Via", "SIP/2.0/UDP " + via + ";branch=z9hG4bK-" + id},
               {"From", "<sip:evil@" + via + ">;tag=1"},
               {"To", "<sip:agent@127.0.0.1>"},
               {"Call-ID", "hostile-" + id},
               {"CSeq", "1 INVITE"},
               {"Contact", "<sip:evil@" + via + ">"},
               {"Max-Forwards", "70"},
               {"Content-Type", "application/sdp"}};
    body =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
        "a=rtpmap:0 PCMU/8000\r\n";
  }
  std::string* find(std::string_view name) {
    for (auto& [key, value] : headers)
      if (key == name) return &value;
    return nullptr;
  }
  void set(const std::string& name, const std::string& value) {
    if (std::string* found = find(name))
      *found = value;
    else
      headers.emplace_back(name, value);
  }
  void drop(std::string_view name) {
    std::erase_if(headers, [&](const auto& header) { return header.first == name; });
  }
  [[nodiscard]] std::string text() const {
    std::string out = start + "\r\n";
    for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
    if (count_body) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return out + "\r\n" + body;
  }
};

using Spoil = std::function<void(Message&)>;

std::vector<std::pair<std::string, Spoil>> spoils() {
  std::vector<std::pair<std::string, Spoil>> out;
  const auto add = [&](std::string kind, Spoil spoil) {
    out.emplace_back(std::move(kind), std::move(spoil));
  };
  const auto with = [&](const std::string& kind, const std::string& name, const std::string& value) {
    add(kind, [name, value](Message& m) { m.set(name, value); });
  };
  const auto starting = [&](const std::string& kind, const std::string& start) {
    add(kind, [start](Message& m) { m.start = start; });
  };
  const std::string long_text(20'000, 'A');
  for (const char* name :
       {"Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Content-Type"}) {
    add(std::string("without ") + name, [name](Message& m) { m.drop(name); });
    add(std::string("two of ") + name, [name](Message& m) { m.headers.emplace_back(name, *m.find(name)); });
    add(std::string("empty ") + name, [name](Message& m) { m.set(name, ""); });
    add(std::string("very long ") + name, [name, long_text](Message& m) { m.set(name, long_text); });
    add(std::string("binary ") + name,
        [name](Message& m) { m.set(name, std::string("\x01\xff\xfe\x80\x7f", 5) + *m.find(name)); });
    add(std::string("folded ") + name, [name](Message& m) { m.set(name, "\r\n " + *m.find(name)); });
    add(std::string("zero byte in ") + name,
        [name](Message& m) { m.set(name, std::string("a\0b", 3) + *m.find(name)); });
  }
  starting("no version", "INVITE sip:agent@127.0.0.1");
  starting("version 3", "INVITE sip:agent@127.0.0.1 SIP/3.0");
  starting("HTTP", "GET / HTTP/1.1");
  starting("no URI", "INVITE  SIP/2.0");
  starting("a URI of brackets", "INVITE <sip:agent@127.0.0.1> SIP/2.0");
  starting("an endless URI", "INVITE sip:" + long_text + "@127.0.0.1 SIP/2.0");
  starting("an endless host", "INVITE sip:agent@" + long_text + " SIP/2.0");
  starting("a URI with endless parameters", "INVITE sip:agent@127.0.0.1;" + long_text + "=1 SIP/2.0");
  starting("an unknown scheme", "INVITE gopher:agent SIP/2.0");
  starting("a tel URI", "INVITE tel:+15551234 SIP/2.0");
  starting("a zero in the user", "INVITE sip:a%00b@127.0.0.1 SIP/2.0");
  starting("half an escape", "INVITE sip:a%4@127.0.0.1 SIP/2.0");
  starting("port 0", "INVITE sip:agent@127.0.0.1:0 SIP/2.0");
  starting("port 99999", "INVITE sip:agent@127.0.0.1:99999 SIP/2.0");
  starting("an open bracket", "INVITE sip:agent@[::1 SIP/2.0");
  starting("another method than CSeq's", "BYE sip:agent@127.0.0.1 SIP/2.0");
  starting("a lower-case method", "invite sip:agent@127.0.0.1 SIP/2.0");
  starting("an endless method", long_text + " sip:agent@127.0.0.1 SIP/2.0");
  starting("a response to nothing", "SIP/2.0 200 OK");
  starting("a response of 999", "SIP/2.0 999 What");
  starting("a response of -1", "SIP/2.0 -1 What");
  starting("a response of 4294967301", "SIP/2.0 4294967301 What");
  starting("an ACK to nothing", "ACK sip:agent@127.0.0.1 SIP/2.0");
  starting("a CANCEL of nothing", "CANCEL sip:agent@127.0.0.1 SIP/2.0");
  starting("a PRACK of nothing", "PRACK sip:agent@127.0.0.1 SIP/2.0");
  starting("a NOTIFY of nothing", "NOTIFY sip:agent@127.0.0.1 SIP/2.0");
  starting("a REGISTER", "REGISTER sip:127.0.0.1 SIP/2.0");
  starting("a SUBSCRIBE", "SUBSCRIBE sip:agent@127.0.0.1 SIP/2.0");
  with("a negative Content-Length", "Content-Length", "-1");
  with("a Content-Length of 4 GiB", "Content-Length", "4294967296");
  with("a Content-Length that is too long", "Content-Length", "60000");
  with("a Content-Length that is too short", "Content-Length", "3");
  with("a Content-Length in words", "Content-Length", "many");
  with("a CSeq of 2^32", "CSeq", "4294967296 INVITE");
  with("a negative CSeq", "CSeq", "-1 INVITE");
  with("a CSeq without a method", "CSeq", "1");
  with("no forwards left", "Max-Forwards", "0");
  with("a negative Max-Forwards", "Max-Forwards", "-5");
  with("a Via of another transport", "Via", "SIP/2.0/CARRIERPIGEON 127.0.0.1;branch=z9hG4bKx");
  with("a Via of a name that does not exist", "Via", "SIP/2.0/UDP nowhere.invalid:5060;branch=z9hG4bKy");
  with("a Via without a host", "Via", "SIP/2.0/UDP ;branch=z9hG4bKz");
  with("a Via with maddr", "Via", "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKm;maddr=127.0.0.2;ttl=1");
  with("a Via with an endless branch", "Via", "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK" + long_text);
  with("a Via with the port of a billion", "Via", "SIP/2.0/UDP 127.0.0.1:1000000000;branch=z9hG4bKb");
  with("From without a tag", "From", "<sip:evil@127.0.0.1>");
  with("From with an open quote", "From", "\"evil <sip:evil@127.0.0.1>;tag=1");
  with("From with an open bracket", "From", "<sip:evil@127.0.0.1;tag=1");
  with("From of an unknown scheme", "From", "<weird:stuff>;tag=1");
  with("To with a tag of no dialog", "To", "<sip:agent@127.0.0.1>;tag=nobody");
  with("Contact *", "Contact", "*");
  with("Contact of a stranger", "Contact", "<sip:victim@192.0.2.1>");
  with("a thousand contacts", "Contact", [] {
    std::string many = "<sip:a@127.0.0.1>";
    for (int i = 0; i < 1000; ++i) many += ",<sip:a@127.0.0.1>";
    return many;
  }());
  with("an unknown extension", "Require", "telepathy");
  with("endless extensions", "Require", long_text);
  with("a Route back to us", "Route", "<sip:127.0.0.1;lr>,<sip:127.0.0.1;lr>,<sip:127.0.0.1;lr>");
  with("a Route to nowhere", "Route", "<sip:192.0.2.1;lr>");
  with("a Record-Route of rubbish", "Record-Route", "<<<>>>");
  with("Replaces of no dialog", "Replaces", "nobody@nowhere;to-tag=1;from-tag=2");
  with("Expires of 2^64", "Expires", "18446744073709551616");
  with("a session timer of nothing", "Session-Expires", "0;refresher=uac");
  with("an endless session timer", "Session-Expires", "99999999999999999999");
  with("Min-SE of rubbish", "Min-SE", "soon");
  with("a Timestamp of rubbish", "Timestamp", "1e999999 -1");
  with("Authorization of rubbish", "Authorization", "Digest username=\"a, realm=, response=\"\"\"");
  with("endless Authorization", "Authorization", "Digest " + long_text);
  with("a Date in another calendar", "Date", "Duodi, 2 Brumaire CCXXXIV");
  with("an encoding nobody has", "Content-Encoding", "rot13");
  with("a body of another type", "Content-Type", "application/octet-stream");
  with("a multipart body without parts", "Content-Type", "multipart/mixed;boundary=x");
  with("a multipart body with an endless boundary", "Content-Type", "multipart/mixed;boundary=" + long_text);
  add("a thousand headers", [](Message& m) {
    for (int i = 0; i < 1000; ++i) m.headers.emplace_back("X-" + std::to_string(i), "v");
  });
  add("a header without a name", [](Message& m) { m.headers.emplace_back("", "value"); });
  add("a header with blanks in its name", [](Message& m) { m.headers.emplace_back("X Y", "value"); });
  add("an endless header name", [long_text](Message& m) { m.headers.emplace_back(long_text, "value"); });
  add("fifty Vias", [](Message& m) {
    for (int i = 0; i < 50; ++i)
      m.headers.emplace_back("Via", "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK" + std::to_string(i));
  });
  const auto body = [&](const std::string& kind, const std::string& text) {
    add(kind, [text](Message& m) { m.body = text; });
  };
  const std::string head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
  body("no body", "");
  body("a body of zeros", std::string(1000, '\0'));
  body("a body of noise", long_text);
  body("an SDP without media", head);
  body("an SDP of version 9", "v=9\r\n");
  body("an SDP with a port of 99999", head + "m=audio 99999 RTP/AVP 0\r\n");
  body("an SDP with a negative port", head + "m=audio -1 RTP/AVP 0\r\n");
  body("an SDP with no formats", head + "m=audio 9 RTP/AVP\r\n");
  body("an SDP with a payload type of 999", head + "m=audio 9 RTP/AVP 999\r\n");
  body("an SDP with a host name",
       "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 evil.invalid\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n");
  body("an SDP with a clock rate of nothing", head + "m=audio 9 RTP/AVP 96\r\na=rtpmap:96 PCMU/0\r\n");
  body("an SDP with a thousand streams", [&] {
    std::string many = head;
    for (int i = 0; i < 1000; ++i) many += "m=audio 9 RTP/AVP 0\r\n";
    return many;
  }());
  body("an SDP with an endless line", head + "a=" + long_text + "\r\nm=audio 9 RTP/AVP 0\r\n");
  body("an SDP without line ends", "v=0 o=- 1 1 IN IP4 127.0.0.1 s=- m=audio 9 RTP/AVP 0");
  return out;
}

}  // namespace

std::vector<HostileMessage> hostile_messages(const std::string& via) {
  std::vector<HostileMessage> out;
  for (const auto& [kind, spoil] : spoils()) {
    Message message(via, std::to_string(out.size()));
    spoil(message);
    if (message.find("Content-Length") != nullptr) message.count_body = false;
    out.push_back({kind, message.text()});
  }
  const std::string good = Message(via, "cut").text();
  out.push_back({"nothing", ""});
  out.push_back({"two line ends", "\r\n\r\n"});
  out.push_back({"a start line alone", good.substr(0, good.find("\r\n"))});
  out.push_back({"half a message", good.substr(0, good.size() / 2)});
  out.push_back({"bare line feeds", [&] {
                   std::string text = good;
                   std::erase(text, '\r');
                   return text;
                 }()});
  out.push_back({"two messages in one datagram", good + good});
  out.push_back({"60,000 bytes of zeros", std::string(60'000, '\0')});
  out.push_back({"60,000 bytes of line ends", std::string(60'000, '\n')});
  return out;
}

std::string mutated(const std::string& message, std::mt19937_64& random) {
  std::string out = message;
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); };
  const std::size_t changes = 1 + below(6);
  for (std::size_t i = 0; i < changes; ++i) {
    const std::size_t at = below(out.size());
    switch (below(7)) {
      case 0:
        if (!out.empty()) out[at] = static_cast<char>(random());
        break;
      case 1:
        out.insert(at, 1, static_cast<char>(random()));
        break;
      case 2:
        out.erase(at, 1 + below(20));
        break;
      case 3:
        out.insert(at, out.substr(below(out.size()), below(60)));
        break;
      case 4:
        out.insert(at, std::string_view(" \t\r\n;,:<>\"\\=@%?&()[]{}").substr(below(22), 1));
        break;
      case 5:
        out.insert(at, std::to_string(random()));
        break;
      default:
        if (below(4) == 0) out.resize(at);
    }
  }
  if (out.size() > 60'000) out.resize(60'000);
  return out;
}

}  // namespace linecheck::sip::test
