// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/html.h"

#include <cctype>
#include <cstdint>
#include <random>

#include "engine/report/assets.h"
#include "engine/report/html_data.h"
#include "engine/report/overview.h"
#include "engine/report/words.h"

namespace linecheck::engine::report {
namespace {

/// JSON that can stand inside <script>: nothing in it can end the element or open a comment, and the two line
/// separators that old parsers refuse are escaped.
std::string for_script(const nlohmann::json& document) {
  const std::string plain = document.dump();
  std::string out;
  out.reserve(plain.size() + plain.size() / 16);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    switch (plain[i]) {
      case '<':
        out += "\\u003c";
        break;
      case '>':
        out += "\\u003e";
        break;
      case '&':
        out += "\\u0026";
        break;
      default:
        if (plain.compare(i, 3, "\xE2\x80\xA8") == 0 || plain.compare(i, 3, "\xE2\x80\xA9") == 0) {
          out += plain[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
          i += 2;
        } else {
          out += plain[i];
        }
    }
  }
  return out;
}

std::string random_nonce() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::random_device device;
  std::string nonce;
  for (int word = 0; word < 4; ++word) {
    std::uint32_t bits = device();
    for (int i = 0; i < 8; ++i, bits >>= 4U) nonce += kHex[bits & 0xFU];
  }
  return nonce;
}

std::string alphanumeric(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) out += c;
  }
  return out;
}

}  // namespace

std::string html_report(const Result& result, const HtmlOptions& options) {
  const PageData page = page_data(result, options);
  const std::string nonce = options.nonce.empty() ? random_nonce() : alphanumeric(options.nonce);
  const std::string media = page.any_linked ? "blob: 'self' file:" : "blob:";
  const std::string policy = "default-src 'none'; script-src 'nonce-" + nonce + "'; style-src 'nonce-" +
                             nonce + "'; media-src " + media +
                             "; img-src data:; base-uri 'none'; form-action 'none'";
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta http-equiv=\"Content-Security-Policy\" content=\"" + policy + "\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += "<meta name=\"color-scheme\" content=\"light dark\">\n";
  out += "<meta name=\"referrer\" content=\"no-referrer\">\n";
  out += "<title>" + xml_escaped(verdict_word(result) + ": " + result.name) + "</title>\n";
  out += "<link rel=\"icon\" href=\"data:,\">\n";
  out += "<style nonce=\"" + nonce + "\">\n";
  out += kPageStyle;
  out += "</style>\n</head>\n<body>\n";
  out += "<noscript><p>" + xml_escaped(headline(result, overview_of(result))) +
         " The rest of this report is drawn by its script: allow scripts to see it, or read result.json.</p>"
         "</noscript>\n";
  out += "<div id=\"app\"></div>\n";
  out += "<script type=\"application/json\" id=\"data\">" + for_script(page.document) + "</script>\n";
  for (const auto& [id, sound] : page.sounds) {
    out += "<script type=\"text/plain\" id=\"sound-" + std::to_string(id) + "\">";
    out += sound;
    out += "</script>\n";
  }
  out += "<script nonce=\"" + nonce + "\">\n(() => {\n'use strict';\n";
  out += kPageScript;
  out += "})();\n</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace linecheck::engine::report
