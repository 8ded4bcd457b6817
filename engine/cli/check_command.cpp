// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "engine/agent/behaviour.h"
#include "engine/cli/commands.h"
#include "engine/cli/files.h"
#include "engine/daemon/preflight.h"
#include "scheduler/catalog.h"
#include "scheduler/job.h"
#include "scheduler/yaml.h"

namespace linecheck::engine::cli {
namespace {

namespace fs = std::filesystem;

enum class Kind { config, catalog, reference_agent, job, unreadable };

/// By what is in it, so that a user need not say.
Kind kind_of(const fs::path& path, scheduler::Problems& problems) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return Kind::catalog;
  const auto document = scheduler::load_document(path, problems);
  if (!document) return Kind::unreadable;
  if (document->find("behaviours") != nullptr) return Kind::reference_agent;
  if (document->find("catalog") != nullptr || document->find("trunks") != nullptr) return Kind::config;
  return Kind::job;
}

class Checker {
 public:
  explicit Checker(const CheckArguments& arguments) : arguments_(arguments) {}

  void check(const fs::path& path) {
    switch (kind_of(path, problems_)) {
      case Kind::unreadable:
        return;
      case Kind::config:
        load_settings(path.string(), problems_);
        return;
      case Kind::reference_agent:
        load_reference_agent(path.string(), problems_);
        return;
      case Kind::catalog:
        check_catalog_at(path);
        return;
      case Kind::job:
        check_job_at(path);
        return;
    }
  }

  int report() const {
    if (arguments_.json) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const auto& problem : problems_) {
        nlohmann::ordered_json item;
        item["file"] = problem.mark.file;
        item["line"] = problem.mark.line;
        item["column"] = problem.mark.column;
        item["field"] = problem.field;
        item["message"] = problem.message;
        list.push_back(std::move(item));
      }
      std::cout << list.dump(2) << "\n";
    } else if (problems_.empty()) {
      std::cout << "ok\n";
    } else {
      print_problems(problems_);
    }
    return problems_.empty() ? 0 : kExitRefused;
  }

 private:
  /// The configuration that jobs and catalogues are checked against, read once.
  const Settings* against() {
    if (loaded_) return &*loaded_;
    if (tried_) return nullptr;
    tried_ = true;
    const std::string file = find_config(arguments_.config);
    if (file.empty()) {
      problems_.push_back({{}, "", "a job is checked against a configuration: name one with -c"});
      return nullptr;
    }
    loaded_ = load_settings(file, problems_);
    return loaded_ ? &*loaded_ : nullptr;
  }

  void check_catalog_at(const fs::path& path) {
    std::vector<scheduler::Trunk> trunks;
    Config config;
    config.voices = default_voice_providers();
    if (!arguments_.config.empty()) {
      if (const Settings* loaded = against()) config = loaded->config;
    }
    const auto catalog = scheduler::load_catalog(path, config.trunks, problems_);
    check_catalog(catalog, config, problems_);
  }

  void check_job_at(const fs::path& path) {
    const Settings* loaded = against();
    if (loaded == nullptr) return;
    if (const auto job = scheduler::load_job(path, *loaded->catalog, problems_)) {
      check_job(*job, *loaded->catalog, loaded->config, problems_);
    } else {
      check_threshold_names(path, problems_);
    }
  }

  const CheckArguments& arguments_;
  scheduler::Problems problems_;
  std::optional<Settings> loaded_;
  bool tried_ = false;
};

}  // namespace

int check(const CheckArguments& arguments) {
  Checker checker(arguments);
  for (const std::string& path : arguments.paths) checker.check(path);
  return checker.report();
}

}  // namespace linecheck::engine::cli
