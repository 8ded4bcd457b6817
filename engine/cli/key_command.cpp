// SPDX-License-Identifier: GPL-3.0-or-later
//
// `linecheck key`: works on the state's database, whether a daemon runs or not; a running one takes a new key
// at once, and a revoked one no longer.
#include <iomanip>
#include <iostream>
#include <stdexcept>

#include "engine/call/time.h"
#include "engine/cli/commands.h"
#include "engine/cli/files.h"
#include "engine/http/keys.h"
#include "engine/store/state_directory.h"
#include "scheduler/reader.h"

namespace linecheck::engine::cli {
namespace {

/// `90d`: the durations of the files have no days.
std::optional<std::int64_t> lifetime_ms(const std::string& text) {
  if (text.ends_with('d')) {
    const auto hours = scheduler::parse_duration(text.substr(0, text.size() - 1) + "h");
    if (!hours) return std::nullopt;
    return hours->count() * 24;
  }
  const auto duration = scheduler::parse_duration(text);
  return duration ? std::optional(duration->count()) : std::nullopt;
}

std::string day_of(std::optional<std::int64_t> unix_ms, const char* otherwise) {
  return unix_ms ? utc_text(*unix_ms).substr(0, 16) + "Z" : otherwise;
}

void print_keys(const std::vector<http::ApiKey>& keys) {
  const std::int64_t now = unix_ms();
  for (const http::ApiKey& key : keys) {
    std::cout << std::setw(4) << key.id << "  " << key.prefix << "...  " << std::left << std::setw(6)
              << http::to_string(key.scope) << std::setw(9)
              << (key.revoked_ms    ? "revoked"
                  : key.active(now) ? "active"
                                    : "expired")
              << std::right << "project " << (key.project ? std::to_string(*key.project) : "any")
              << ", expires " << day_of(key.expires_ms, "never") << ", last used "
              << day_of(key.last_used_ms, "never") << "  " << key.name << "\n";
  }
}

}  // namespace

int manage_keys(const KeyArguments& arguments) {
  const std::string config = find_config(arguments.config);
  if (config.empty()) {
    std::cerr << "linecheck: no configuration: name one with -c\n";
    return kExitRefused;
  }
  scheduler::Problems problems;
  const auto settings = load_config(config, problems);
  if (!settings) {
    print_problems(problems);
    return kExitRefused;
  }
  try {
    const StateDirectory state(settings->state);
    http::KeyStore keys(state.database().string());
    if (arguments.action == "list") {
      print_keys(keys.list());
      return 0;
    }
    if (arguments.action == "revoke") {
      if (keys.revoke(arguments.id, unix_ms())) {
        std::cout << "key " << arguments.id << " is revoked\n";
        return 0;
      }
      std::cerr << "linecheck: there is no key " << arguments.id << " that could be revoked\n";
      return kExitRefused;
    }
    http::ApiKey wanted;
    wanted.name = arguments.name;
    wanted.project = arguments.project;
    wanted.scope = http::scope_named(arguments.scope).value_or(http::KeyScope::read);
    if (!arguments.expires.empty()) {
      const auto lifetime = lifetime_ms(arguments.expires);
      if (!lifetime || *lifetime <= 0) {
        std::cerr << "linecheck: --expires " << arguments.expires
                  << ": a time such as 90d or 12h is expected\n";
        return kExitRefused;
      }
      wanted.expires_ms = unix_ms() + *lifetime;
    }
    const auto created = keys.create(wanted, unix_ms());
    std::cout << created.secret << "\n";
    std::cerr << "key " << created.key.id << " ('" << created.key.name << "', "
              << http::to_string(created.key.scope) << "): it is shown this once; only its hash is kept\n";
    return 0;
  } catch (const std::invalid_argument& error) {
    std::cerr << "linecheck: " << error.what() << "\n";
    return kExitRefused;
  } catch (const std::exception& error) {
    std::cerr << "linecheck: " << error.what() << "\n";
    return kExitEnvironment;
  }
}

}  // namespace linecheck::engine::cli
