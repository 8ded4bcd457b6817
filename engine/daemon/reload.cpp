// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/reload.h"

#include <array>
#include <functional>
#include <set>
#include <string_view>

#include "scheduler/yaml.h"

namespace linecheck::engine {
namespace {

constexpr std::array<std::string_view, 6> kFixed{"state", "media", "sip", "providers", "watch", "http"};

std::size_t hash_of(const scheduler::Node& node) {
  return std::hash<std::string>{}(node.json());
}

template <class T>
void add_objects(const char* what, const std::map<scheduler::Id, T>& objects, Fingerprints& prints) {
  std::set<std::string> files;
  for (const auto& [id, object] : objects) files.insert(object.mark.file);
  for (const std::string& file : files) {
    scheduler::Problems ignored;
    for (const scheduler::Node& document : scheduler::load_documents(file, ignored)) {
      const scheduler::Node* id = document.find("id");
      if (id != nullptr) prints[what + (" " + id->text)] = hash_of(document);
    }
  }
}

}  // namespace

Fingerprints fingerprints_of(const std::filesystem::path& config_file, const scheduler::Catalog& catalog) {
  Fingerprints prints;
  scheduler::Problems ignored;
  if (const auto document = scheduler::load_document(config_file, ignored)) {
    for (const auto& entry : document->entries) {
      if (entry.key != "trunks") prints[entry.key] = hash_of(entry.value);
    }
    if (const scheduler::Node* trunks = document->find("trunks")) {
      for (const scheduler::Node& trunk : trunks->items) {
        const scheduler::Node* name = trunk.find("name");
        if (name != nullptr) prints["trunk " + name->text] = hash_of(trunk);
      }
    }
  }
  add_objects("agent", catalog.agents, prints);
  add_objects("scenario", catalog.scenarios, prints);
  add_objects("personality", catalog.personalities, prints);
  add_objects("test profile", catalog.test_profiles, prints);
  return prints;
}

std::vector<std::string> what_takes_a_restart(const Fingerprints& old, const Fingerprints& now) {
  std::vector<std::string> parts;
  const auto of = [](const Fingerprints& prints, std::string_view part) {
    const auto found = prints.find(std::string(part));
    return found == prints.end() ? std::size_t{0} : found->second;
  };
  for (const std::string_view part : kFixed) {
    if (of(old, part) != of(now, part)) parts.emplace_back(part);
  }
  return parts;
}

std::vector<std::string> differences(const Fingerprints& old, const Fingerprints& now) {
  std::vector<std::string> lines;
  for (const auto& [part, print] : now) {
    const auto before = old.find(part);
    if (before == old.end()) {
      lines.push_back(part + " added");
    } else if (before->second != print) {
      lines.push_back(part + " changed");
    }
  }
  for (const auto& [part, print] : old) {
    if (!now.contains(part)) lines.push_back(part + " removed");
  }
  return lines;
}

}  // namespace linecheck::engine
