// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/tls_folder.h"

#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <system_error>

#include "sip/endpoint.h"

namespace linecheck::sip {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

std::string read_file(const std::string& what, const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf()))
    throw EndpointError("tls: the " + what + " '" + path + "' can't be read");
  return text.str();
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

bool holds_certificate(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free);
  return certificate != nullptr;
}

bool holds_key(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), &EVP_PKEY_free);
  return key != nullptr;
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw EndpointError("tls: '" + path.string() + "' can't be written");
}

}  // namespace

TlsFolder::TlsFolder(const TlsOptions& options) {
  const std::string authority_file = options.ca_file.empty() ? kSystemAuthorities : options.ca_file;
  std::string authorities;
  if (options.verify || !options.ca_file.empty()) {
    authorities = read_file("list of authorities", authority_file);
    if (!holds_certificate(authorities))
      throw EndpointError("tls: '" + authority_file + "' holds no certificate in PEM form");
  }
  std::string agent;
  if (!options.certificate_file.empty()) {
    agent = read_file("certificate", options.certificate_file);
    if (!holds_certificate(agent))
      throw EndpointError("tls: '" + options.certificate_file + "' holds no certificate in PEM form");
    if (!options.key_file.empty()) agent += "\n" + read_file("key", options.key_file);
    if (!holds_key(agent))
      throw EndpointError("tls: '" +
                          (options.key_file.empty() ? options.certificate_file : options.key_file) +
                          "' holds no private key in PEM form without a passphrase");
  }
  std::string pattern = (fs::temp_directory_path() / "linecheck-tls-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)  // mode 0700
    throw EndpointError("tls: no temporary folder: " + std::generic_category().message(errno));
  path_ = pattern;
  try {
    write_file(fs::path(path_) / "agent.pem", agent);
    // Sofia cannot start without a list, also where nothing is verified.
    if (authorities.empty())
      authorities = agent.empty() ? read_file("list of authorities", kSystemAuthorities) : agent;
    write_file(fs::path(path_) / "cafile.pem", authorities);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    throw;
  }
}

TlsFolder::~TlsFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace linecheck::sip
