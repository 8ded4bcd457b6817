// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scheduler/simulation_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace linecheck::tests {

namespace {

using Bytes = std::vector<unsigned char>;

constexpr std::size_t kSector = 512;

/// One write, or the new length of a file that was cut.
struct Change {
  std::size_t offset = 0;
  Bytes bytes;
  bool cuts = false;

  void apply(Bytes& to) const {
    if (cuts) return to.resize(offset);
    if (offset == to.size()) {  // as a log grows
      to.insert(to.end(), bytes.begin(), bytes.end());
      return;
    }
    to.resize(std::max(to.size(), offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(offset));
  }
};

/// The locks are those of SQLite's own file systems; who holds one is told apart by its handle.
struct File {
  Bytes now, synced;
  std::vector<Change> unsynced;

  int shared = 0;
  const void* reserved = nullptr;
  const void* exclusive = nullptr;  ///< or pending

  std::vector<std::unique_ptr<Bytes>> index;  ///< the memory that connections in WAL mode share
  int index_users = 0;
  std::array<int, SQLITE_SHM_NLOCK> index_shared{};
  std::array<const void*, SQLITE_SHM_NLOCK> index_owner{};
};

}  // namespace

class SimulatedDisk::Inside {
 public:
  explicit Inside(std::uint64_t seed);
  ~Inside();

  /// False: the process is dead.
  bool operate();
  std::size_t roll(std::size_t below) { return static_cast<std::size_t>(random() % below); }

  sqlite3_vfs vfs{};
  sqlite3_vfs* before = nullptr;
  std::mt19937_64 random;
  std::map<std::string, std::shared_ptr<File>> files;
  std::function<void()> on_sync = [] {};
  bool full = false;
  bool stopped = false;
  int left = -1;  ///< operations until it stops; < 0: it does not
  std::uint64_t syncs = 0;
};

bool SimulatedDisk::Inside::operate() {
  if (left > 0 && --left == 0) stopped = true;
  return !stopped;
}

namespace {

/// What SQLite keeps of an open file.
struct Handle {
  sqlite3_file base;
  SimulatedDisk::Inside* disk;
  std::shared_ptr<File> file;
  int level;  ///< SQLITE_LOCK_...
  bool has_index;
  std::array<bool, SQLITE_SHM_NLOCK> shares;
};

Handle& of(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file);
}

SimulatedDisk::Inside& of(sqlite3_vfs* vfs) {
  return *static_cast<SimulatedDisk::Inside*>(vfs->pAppData);
}

// ---- contents ----

int read(sqlite3_file* file, void* to, int n, sqlite3_int64 offset) {
  const Handle& handle = of(file);
  if (handle.disk->stopped) return SQLITE_IOERR_READ;
  const Bytes& bytes = handle.file->now;
  const auto size = static_cast<std::size_t>(n);
  const auto begin = std::min(static_cast<std::size_t>(offset), bytes.size());
  const std::size_t there = std::min(size, bytes.size() - begin);
  std::memset(to, 0, size);
  if (there > 0) std::memcpy(to, bytes.data() + begin, there);
  return there == size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

void change(File& file, Change change) {
  change.apply(file.now);
  file.unsynced.push_back(std::move(change));
}

int write(sqlite3_file* file, const void* from, int n, sqlite3_int64 offset) {
  const Handle& handle = of(file);
  if (!handle.disk->operate()) return SQLITE_IOERR_WRITE;
  const auto begin = static_cast<std::size_t>(offset);
  const auto size = static_cast<std::size_t>(n);
  if (handle.disk->full && begin + size > handle.file->now.size()) return SQLITE_FULL;
  const auto* bytes = static_cast<const unsigned char*>(from);
  change(*handle.file, {begin, Bytes(bytes, bytes + size), false});
  return SQLITE_OK;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  const Handle& handle = of(file);
  if (!handle.disk->operate()) return SQLITE_IOERR_TRUNCATE;
  change(*handle.file, {static_cast<std::size_t>(size), {}, true});
  return SQLITE_OK;
}

int sync(sqlite3_file* file, int) {
  const Handle& handle = of(file);
  if (!handle.disk->operate()) return SQLITE_IOERR_FSYNC;
  handle.disk->on_sync();
  ++handle.disk->syncs;
  for (const Change& one : handle.file->unsynced) one.apply(handle.file->synced);
  handle.file->unsynced.clear();
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(of(file).file->now.size());
  return SQLITE_OK;
}

// ---- locks ----

int lock(sqlite3_file* file, int level) {
  Handle& handle = of(file);
  File& locked = *handle.file;
  if (handle.level >= level) return SQLITE_OK;
  if (locked.exclusive && locked.exclusive != &handle) return SQLITE_BUSY;
  if (handle.level == SQLITE_LOCK_NONE) {
    ++locked.shared;
    handle.level = SQLITE_LOCK_SHARED;
  }
  if (level == SQLITE_LOCK_SHARED) return SQLITE_OK;
  if (locked.reserved && locked.reserved != &handle) return SQLITE_BUSY;
  locked.reserved = &handle;
  handle.level = std::max(handle.level, SQLITE_LOCK_RESERVED);
  if (level == SQLITE_LOCK_RESERVED) return SQLITE_OK;
  locked.exclusive = &handle;
  handle.level = SQLITE_LOCK_PENDING;
  if (locked.shared > 1) return SQLITE_BUSY;
  handle.level = level;
  return SQLITE_OK;
}

int unlock(sqlite3_file* file, int level) {
  Handle& handle = of(file);
  File& locked = *handle.file;
  if (handle.level <= level) return SQLITE_OK;
  if (locked.exclusive == &handle) locked.exclusive = nullptr;
  if (locked.reserved == &handle) locked.reserved = nullptr;
  if (level == SQLITE_LOCK_NONE) --locked.shared;
  handle.level = level;
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* held) {
  *held = of(file).file->reserved ? 1 : 0;
  return SQLITE_OK;
}

// ---- the shared memory of WAL mode ----

int map_index(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  Handle& handle = of(file);
  auto& index = handle.file->index;
  if (!std::exchange(handle.has_index, true)) ++handle.file->index_users;
  const auto wanted = static_cast<std::size_t>(region);
  *memory = nullptr;
  if (wanted >= index.size() && !extend) return SQLITE_OK;
  while (wanted >= index.size()) index.push_back(std::make_unique<Bytes>(static_cast<std::size_t>(size)));
  *memory = index[wanted]->data();
  return SQLITE_OK;
}

int lock_index(sqlite3_file* file, int offset, int n, int flags) {
  Handle& handle = of(file);
  File& locked = *handle.file;
  for (auto i = static_cast<std::size_t>(offset); i < static_cast<std::size_t>(offset + n); ++i) {
    const bool mine = locked.index_owner[i] == &handle;
    if (flags & SQLITE_SHM_UNLOCK) {
      if (mine) locked.index_owner[i] = nullptr;
      if (std::exchange(handle.shares[i], false)) --locked.index_shared[i];
      continue;
    }
    const int others = locked.index_shared[i] - (handle.shares[i] ? 1 : 0);
    if (locked.index_owner[i] && !mine) return SQLITE_BUSY;
    if ((flags & SQLITE_SHM_EXCLUSIVE) && others > 0) return SQLITE_BUSY;
  }
  if (flags & SQLITE_SHM_UNLOCK) return SQLITE_OK;
  for (auto i = static_cast<std::size_t>(offset); i < static_cast<std::size_t>(offset + n); ++i) {
    if (flags & SQLITE_SHM_EXCLUSIVE) {
      locked.index_owner[i] = &handle;
    } else if (!std::exchange(handle.shares[i], true)) {
      ++locked.index_shared[i];
    }
  }
  return SQLITE_OK;
}

void index_barrier(sqlite3_file*) {
}

int unmap_index(sqlite3_file* file, int) {
  Handle& handle = of(file);
  lock_index(file, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
  if (std::exchange(handle.has_index, false) && --handle.file->index_users == 0) handle.file->index.clear();
  return SQLITE_OK;
}

int close(sqlite3_file* file) {
  unmap_index(file, 0);
  unlock(file, SQLITE_LOCK_NONE);
  of(file).~Handle();
  return SQLITE_OK;
}

int control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file*) {
  return static_cast<int>(kSector);
}

int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;  // as SQLite takes it of every disk
}

sqlite3_io_methods methods() {
  sqlite3_io_methods io{};
  io.iVersion = 2;
  io.xClose = close;
  io.xRead = read;
  io.xWrite = write;
  io.xTruncate = truncate;
  io.xSync = sync;
  io.xFileSize = file_size;
  io.xLock = lock;
  io.xUnlock = unlock;
  io.xCheckReservedLock = check_reserved;
  io.xFileControl = control;
  io.xSectorSize = sector_size;
  io.xDeviceCharacteristics = characteristics;
  io.xShmMap = map_index;
  io.xShmLock = lock_index;
  io.xShmBarrier = index_barrier;
  io.xShmUnmap = unmap_index;
  return io;
}

// ---- names ----

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  static const sqlite3_io_methods kMethods = methods();
  SimulatedDisk::Inside& disk = of(vfs);
  file->pMethods = nullptr;
  if (disk.stopped) return SQLITE_CANTOPEN;
  std::shared_ptr<File> found;
  if (!name) {
    found = std::make_shared<File>();  // a temporary one
  } else if (const auto it = disk.files.find(name); it != disk.files.end()) {
    found = it->second;
  } else if (flags & SQLITE_OPEN_CREATE) {
    found = disk.files[name] = std::make_shared<File>();
  } else {
    return SQLITE_CANTOPEN;
  }
  new (file) Handle{{&kMethods}, &disk, std::move(found), SQLITE_LOCK_NONE, false, {}};
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int) {
  SimulatedDisk::Inside& disk = of(vfs);
  if (!disk.operate()) return SQLITE_IOERR_DELETE;
  return disk.files.erase(name) > 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

int access(sqlite3_vfs* vfs, const char* name, int, int* answer) {
  const auto& files = of(vfs).files;
  const auto it = files.find(name);
  *answer = it != files.end() && !it->second->now.empty() ? 1 : 0;
  return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int n, char* out) {
  for (int i = 0; i < n; ++i) out[i] = static_cast<char>(of(vfs).random());
  return n;
}

int sleep(sqlite3_vfs*, int microseconds) {
  return microseconds;
}

int current_time(sqlite3_vfs*, double* day) {
  *day = 2460000;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

SimulatedDisk::Inside::Inside(std::uint64_t seed) : before(sqlite3_vfs_find(nullptr)), random(seed) {
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(Handle);
  vfs.mxPathname = 512;
  vfs.zName = "linecheck-simulation";
  vfs.pAppData = this;
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  vfs.xFullPathname = full_name;
  vfs.xRandomness = randomness;
  vfs.xSleep = sleep;
  vfs.xCurrentTime = current_time;
  vfs.xGetLastError = last_error;
  sqlite3_vfs_register(&vfs, 1);
  sqlite3_randomness(0, nullptr);  // it begins anew, from our numbers
}

SimulatedDisk::Inside::~Inside() {
  sqlite3_vfs_unregister(&vfs);
  sqlite3_vfs_register(before, 1);
  sqlite3_randomness(0, nullptr);
}

SimulatedDisk::SimulatedDisk(std::uint64_t seed) : inside_(std::make_unique<Inside>(seed)) {
}
SimulatedDisk::~SimulatedDisk() = default;

void SimulatedDisk::on_sync(std::function<void()> work) {
  inside_->on_sync = std::move(work);
}
void SimulatedDisk::set_full(bool full) {
  inside_->full = full;
}
void SimulatedDisk::stop() {
  inside_->stopped = true;
}
void SimulatedDisk::stop_after(int operations) {
  inside_->left = operations;
}
bool SimulatedDisk::stopped() const {
  return inside_->stopped;
}
std::uint64_t SimulatedDisk::syncs() const {
  return inside_->syncs;
}

void SimulatedDisk::cut_power() {
  enum { nothing, everything, the_beginning, some };
  const std::size_t what = inside_->roll(4);
  for (auto& [name, file] : inside_->files) {
    const std::size_t count = file->unsynced.size();
    const std::size_t first = what == the_beginning ? inside_->roll(count + 1) : count;
    for (std::size_t i = 0; i < first; ++i) {
      Change& one = file->unsynced[i];
      if (what == nothing || (what == some && inside_->roll(2) == 0)) continue;
      const std::size_t sectors = one.bytes.size() / kSector;
      if (what == some && sectors > 0 && inside_->roll(4) == 0)
        one.bytes.resize(inside_->roll(sectors) * kSector);
      one.apply(file->synced);
    }
    file->unsynced.clear();
    file->now = file->synced;
  }
}

void SimulatedDisk::start_again() {
  inside_->stopped = false;
  inside_->left = -1;
  inside_->full = false;
}

}  // namespace linecheck::tests
