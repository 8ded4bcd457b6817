// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stores that the conformance suite runs against, each behind a fixture with
//   store()   the store, open
//   reopen()  as a new process after the old one ended in order
//   crash()   as a new process after kill -9: what the files held at that instant is all there is
// A new implementation of JobStore adds its fixture to STORE_FIXTURES.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "scheduler/sqlite_job_store.h"
#include "tests/temporary_directory.h"

namespace linecheck::tests {

class SqliteFixture {
 public:
  SqliteFixture() { open(); }

  scheduler::JobStore& store() { return *store_; }

  void reopen() {
    store_.reset();
    open();
  }

  // Copies the database with its log while the store is open, as a dead process leaves them.
  void crash() {
    namespace fs = std::filesystem;
    const fs::path from = folder();
    ++generation_;
    fs::create_directory(folder());
    for (const char* name : {"jobs.db", "jobs.db-wal"}) {
      if (fs::exists(from / name)) fs::copy_file(from / name, folder() / name);
    }
    store_.reset();
    open();
  }

  [[nodiscard]] std::string file() const { return (folder() / "jobs.db").string(); }

 private:
  [[nodiscard]] std::filesystem::path folder() const {
    return directory_.path() / std::to_string(generation_);
  }
  void open() {
    std::filesystem::create_directories(folder());
    store_ = std::make_unique<scheduler::SqliteJobStore>(file());
  }

  TemporaryDirectory directory_;
  int generation_ = 0;
  std::unique_ptr<scheduler::SqliteJobStore> store_;
};

}  // namespace linecheck::tests

#define STORE_FIXTURES linecheck::tests::SqliteFixture
