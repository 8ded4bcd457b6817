// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/store_writer.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace linecheck::engine {

void StoreWriter::flush() {
  writing_ = true;
  ++batches_;
  writes_ += gathering_.size();
  auto items = std::make_shared<Items>(std::exchange(gathering_, {}));
  auto busy = boost::asio::make_work_guard(control_);
  boost::asio::post(database_, [this, items, busy = std::move(busy)] {
    std::exception_ptr error;
    try {
      store_.batch([&] {
        for (const auto& item : *items) item->work();
      });
    } catch (...) {
      error = std::current_exception();
    }
    boost::asio::post(control_, [this, items, error] { written(*items, error); });
  });
}

void StoreWriter::written(const Items& items, const std::exception_ptr& error) {
  for (const auto& item : items) {
    item->error = error;
    item->done = true;
    item->ready.cancel();
  }
  writing_ = false;
  if (!gathering_.empty()) flush();
}

}  // namespace linecheck::engine
