// SPDX-License-Identifier: GPL-3.0-or-later
//
// Results and runs as the interface shows them, made from what is stored and from what the daemon says about
// those in progress. Blocks for the disk; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/daemon/open_result.h"
#include "engine/http/message.h"
#include "engine/store/result_store.h"

namespace linecheck::engine::http {

inline constexpr const char* kBase = "/test_framework/v1";
inline constexpr std::size_t kShownRuns = 1000;  ///< in a result; more are read page by page

/// A result in progress at one moment: values that any thread may read.
struct OpenView {
  std::int64_t id = 0;
  std::int64_t first_run_id = 0;
  CallBasis basis;
  std::optional<std::int64_t> project;
  std::string status;
  std::string created_at;
  report::ProgressState progress;

  [[nodiscard]] const scheduler::Job& job() const { return *basis.job; }
};

/// Where and how large a page is, from `page` and `page_size`.
struct Page {
  std::size_t number = 1;
  std::size_t size = 20;
  [[nodiscard]] std::size_t offset() const { return (number - 1) * size; }
};

class Stored {
 public:
  Stored(const std::string& database_path, std::filesystem::path state);

  /// `{count, next, previous, results}`; nullopt: there is no such page.
  [[nodiscard]] std::optional<Json> results(const std::vector<OpenView>& open, const ResultFilter& filter,
                                            const Page& page, const std::string& url) const;
  [[nodiscard]] Json open_result(const OpenView& open) const;
  /// A finished one, as result.json has it; nullopt: there is none that the project may see.
  [[nodiscard]] std::optional<Json> finished_result(std::int64_t id,
                                                    std::optional<std::int64_t> project) const;

  /// A finished run with its result's project; nullopt: there is none.
  [[nodiscard]] std::optional<Json> finished_run(std::int64_t id, std::optional<std::int64_t> project) const;
  [[nodiscard]] Json open_run(const OpenView& open, std::int64_t id) const;
  /// Those of one result in plan order.
  [[nodiscard]] std::optional<Json> runs_of(std::int64_t result, const std::optional<OpenView>& open,
                                            std::optional<std::int64_t> project, const Page& page,
                                            const std::string& url) const;
  /// The file of a run's recording, if there is one.
  [[nodiscard]] std::optional<std::filesystem::path> recording(std::int64_t run,
                                                               std::optional<std::int64_t> project) const;

  /// Finished runs over all results: passed, failed, excused, cancelled.
  [[nodiscard]] std::map<std::string, std::int64_t> outcomes() const;

 private:
  [[nodiscard]] bool visible(std::int64_t result, std::optional<std::int64_t> project) const;

  std::filesystem::path state_;
  ResultStore documents_;
  mutable std::mutex lock_;
  std::unique_ptr<scheduler::Database> db_;
};

/// The 201 of a run request.
[[nodiscard]] Json accepted_json(const OpenView& open);

/// `next` and `previous` around a page of `count`.
void add_pages(Json& json, std::size_t count, const Page& page, const std::string& url);

}  // namespace linecheck::engine::http
