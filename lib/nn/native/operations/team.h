// Threads that wait for work by looking for it. A training step is hundreds of short pieces of work, and an answer about one
// image dozens that are shorter still: waking a thread for each would take as long as the work.

#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "../arithmetic/arithmetic.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace cascade {
namespace {

inline void Pause() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

// Looks again and again whether a condition holds or `limit` is over, and after a while lets others work meanwhile: perhaps
// those that it waits for.
template <typename Condition>
bool HoldsWithin(std::chrono::microseconds limit, const Condition& condition) {
  constexpr int64_t patience = 2000, until_clock = 64;
  const auto begun = std::chrono::steady_clock::now();
  for (int64_t looks = 1; !condition(); looks++) {
    Pause();
    if (looks > patience) std::this_thread::yield();
    if (looks % until_clock == 0 && std::chrono::steady_clock::now() - begun > limit) return false;
  }
  return true;
}

// Helpers from a pool of TensorFlow's. They come when there is work to share, look for more for a while after each, which is
// how long the next operation takes to begin, and go back when there is none. Whoever has work never waits for one that has
// not come. Shared work shares out none itself.
class Crew {
 public:
  explicit Crew(tensorflow::thread::ThreadPool* pool) : pool_(pool), helpers_(pool->NumThreads() - 1) {}

  // A pool's, for ever: at the very end of the process helpers may still look for work.
  static Crew& Of(tensorflow::thread::ThreadPool* pool) {
    static std::mutex mutex;
    static auto& crews = *new std::map<tensorflow::thread::ThreadPool*, Crew>();
    const std::lock_guard<std::mutex> lock(mutex);
    return crews.try_emplace(pool, pool).first->second;
  }

  int64_t Helpers() const { return helpers_; }

  // Done when it returns; throws the first of what the work throws. For who has `busy`.
  void Share(int64_t items, const Threads::Work& work) {
    work_ = &work;
    items_ = items;
    next_.store(0);
    done_.store(0);
    number_.fetch_add(1);
    open_.store(true);
    for (int64_t missing = helpers_ - present_.load(); missing > 0; missing--) {
      present_.fetch_add(1);
      pool_->Schedule([this] { Help(); });
    }
    Take();
    Wait([&] { return done_.load() >= items_; });
    // Nobody may look at this work when the next one is put there.
    open_.store(false);
    Wait([&] { return inside_.load() == 0; });
    if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  std::mutex busy;

 private:
  static constexpr std::chrono::microseconds kLinger{150};
  static constexpr int64_t kShares = 8;  // of work, for each thread

  void Help() {
    for (int64_t seen = 0; HoldsWithin(kLinger, [&] { return open_.load() && number_.load() != seen; });) {
      inside_.fetch_add(1);
      if (open_.load()) {
        seen = number_.load();
        Take();
      }
      inside_.fetch_sub(1);
    }
    present_.fetch_sub(1);
  }

  void Take() {
    const int64_t share = std::max<int64_t>(1, items_ / ((helpers_ + 1) * kShares));
    for (int64_t first = next_.fetch_add(share); first < items_; first = next_.fetch_add(share)) {
      const int64_t last = std::min(first + share, items_);
      try {
        (*work_)(first, last);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(failing_);
        if (failure_ == nullptr) failure_ = std::current_exception();
      }
      done_.fetch_add(last - first);
    }
  }

  template <typename Condition>
  static void Wait(const Condition& condition) {
    while (!HoldsWithin(std::chrono::hours(1), condition)) continue;
  }

  tensorflow::thread::ThreadPool* const pool_;
  const int64_t helpers_;
  std::atomic<bool> open_{false};
  std::atomic<int64_t> present_{0}, number_{0}, inside_{0}, next_{0}, done_{0};  // number_: of the work that is open
  const Threads::Work* work_ = nullptr;
  int64_t items_ = 0;
  std::mutex failing_;
  std::exception_ptr failure_;  // the first of the open work
};

// The threads of one operation. Where another one has the crew, as from a worker of Node's, it shares its work in the pool.
class Team final : public Threads {
 public:
  explicit Team(tensorflow::thread::ThreadPool* pool) : pool_(pool), crew_(Crew::Of(pool)), lock_(crew_.busy, std::try_to_lock) {}

  void For(int64_t items, int64_t cost, const Work& work) const override {
    if (crew_.Helpers() <= 0 || items < 2 || items * cost < kWorthSharing) {
      if (items > 0) work(0, items);
    } else if (lock_.owns_lock()) {
      crew_.Share(items, work);
    } else {
      pool_->ParallelFor(items, std::max<int64_t>(cost, 1), work);
    }
  }

 private:
  static constexpr int64_t kWorthSharing = 8000;

  tensorflow::thread::ThreadPool* const pool_;
  Crew& crew_;
  const std::unique_lock<std::mutex> lock_;
};

}  // namespace
}  // namespace cascade
