// SPDX-License-Identifier: GPL-3.0-or-later
//
// The watch directory as files: which of them are complete, how they are taken, where they end. No clock, no
// events; every method blocks for the disk. A file is in one place at a time, whenever the process dies:
//
//   <dir>/job.yaml --take--> accepted/job.yaml --finish--> done/job.yaml    beside done/job.yaml.json
//                                              --refuse--> failed/job.yaml  beside failed/job.yaml.error
//
// What stands beside a file is written before the file is moved, so a file in done/ or failed/ never lacks
// it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace linecheck::engine {

struct JobFolderOptions {
  std::filesystem::path directory;
  std::vector<std::string> owners;  ///< user names whose files are taken; empty: everybody's
};

/// A file that was moved to accepted/.
struct TakenFile {
  std::string name;      ///< in accepted/
  std::string original;  ///< as it was dropped
  std::string text;
  std::string key;      ///< original name and SHA-256 of the text: the same drop twice is one job
  std::string refusal;  ///< not empty: it can't be a job, and why
};

class JobFolder {
 public:
  /// Makes the directory and those in it. Throws StateError.
  explicit JobFolder(JobFolderOptions options);

  /// Names that could be jobs, sorted. Dot files, `*.tmp`, `*.part`, `*~` and other endings are left alone.
  [[nodiscard]] std::vector<std::string> waiting() const;
  [[nodiscard]] static bool is_job_name(const std::string& name);

  enum class Look {
    complete,
    being_written,  ///< somebody has it open; its closing will be announced
    uncertain,      ///< the file system can't say; complete once it has been quiet for a while
    gone
  };
  [[nodiscard]] Look look(const std::string& name) const;
  /// Seconds since the file was written to, by the wall clock.
  [[nodiscard]] double quiet_seconds(const std::string& name) const;
  /// Whether it has more than one name, as a file has that was dropped by a hard link.
  [[nodiscard]] bool is_linked(const std::string& name) const;

  /// Moves it to accepted/ and reads it; false when it is gone. Throws StateError.
  bool take(const std::string& name, TakenFile& taken) const;
  /// What an earlier process left in accepted/.
  [[nodiscard]] std::vector<TakenFile> taken() const;

  /// Where the report of a file is to be written, before finish().
  [[nodiscard]] std::filesystem::path report_path(const TakenFile& file) const;
  /// `report` is what report_path() said.
  void finish(const TakenFile& file, const std::filesystem::path& report) const;
  void refuse(const TakenFile& file, const std::string& problems) const;

  [[nodiscard]] const std::filesystem::path& directory() const { return options_.directory; }

 private:
  [[nodiscard]] TakenFile read(const std::string& name) const;

  JobFolderOptions options_;
};

}  // namespace linecheck::engine
