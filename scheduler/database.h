// SPDX-License-Identifier: GPL-3.0-or-later
//
// SQLite's C handles, owned: a connection, a statement in use, a transaction. Nothing here knows what is
// stored.
//
// Threads: a Database belongs to one thread at a time (its owner locks); WAL mode lets connections read while
// another one writes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace linecheck::scheduler {

/// A database that could not be opened, read or written, with the reason as a type and a message that says
/// what to do.
class StoreError : public std::runtime_error {
 public:
  enum class Kind {
    cannot_open,  ///< missing directory, a directory in its place, no permission
    read_only,    ///< file or file system cannot be written
    disk_full,
    locked,        ///< another process holds it
    corrupt,       ///< damaged, or not a database
    newer_schema,  ///< written by a later version
    io,            ///< the disk failed, or a quota or file-size limit is reached
    internal       ///< a mistake of ours
  };
  StoreError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// A prepared statement between two runs. Goes back to its database's cache when it is destroyed; at most one
/// Query for each SQL text may live at a time.
class Query {
 public:
  Query(sqlite3* db, sqlite3_stmt* statement, const std::string& path);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  /// Binds the next parameter, from the left. Text is not copied: it must outlive the query.
  Query& bind(std::int64_t value);
  Query& bind(double value);
  Query& bind(std::string_view text);
  Query& bind(std::nullptr_t null);
  Query& bind(std::optional<std::int64_t> value);
  Query& bind(std::optional<double> value);

  /// The next row; false at the end.
  bool step();
  /// For statements without rows. Returns the number of rows changed.
  int run();
  /// Ready to bind and run again.
  void again();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] bool null(int column) const;

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_;
  const std::string& path_;
  int next_ = 1;
};

class Database {
 public:
  enum class Mode { read_write, read_only };
  /// How much a commit waits for: `ordered` survives a crash of the process and loses at most the newest
  /// commits in a power cut; `durable` is on disk.
  enum class Durability { ordered, durable };

  /// Opens (and creates, when read_write) the file in WAL mode. `busy_ms`: how long a locked database is
  /// waited for.
  Database(const std::string& path, Mode mode, int busy_ms = 5000);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// One or several statements without parameters or rows.
  void execute(const char* sql);
  /// A cached statement. `sql` must have static storage.
  [[nodiscard]] Query query(const char* sql);

  /// BEGIN IMMEDIATE: the write lock is taken at once, so that nothing fails half way for another writer's
  /// sake.
  void begin(Durability durability);
  void commit();
  /// Ends a transaction that failed; never throws, harmless without one.
  void rollback() noexcept;
  [[nodiscard]] bool in_transaction() const;

  [[nodiscard]] std::int64_t last_id() const;
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Brings `component`'s tables up to `version` by running `create` once, and notes it in schema_version.
  /// Throws newer_schema where the file was written by a later version.
  void install(std::string_view component, int version, const char* create);
  /// For a reader: throws unless `component`'s tables are there with this very version.
  void require(std::string_view component, int version);

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::optional<std::int64_t> version_of(std::string_view component);

  std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
  std::map<std::string_view, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
  Durability durability_ = Durability::durable;
};

}  // namespace linecheck::scheduler
