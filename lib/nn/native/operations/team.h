// Threads that wait for work by looking for it: an answer about one image is dozens of short pieces of work, and waking a
// thread for each would take as long as the work.

#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "operation.h"

namespace cascade {
namespace {

inline void Pause() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

// A team is there for one operation: helpers from TensorFlow's pool join it when they come, and leave when it is over. The
// operation's own thread never waits for one that has not come.
class Team final : public Threads {
 public:
  explicit Team(tensorflow::thread::ThreadPool* pool) : helpers_(pool->NumThreads() - 1) {
    for (int64_t n = 0; n < helpers_; n++) pool->Schedule([shared = shared_] { Help(*shared); });
  }
  ~Team() override { shared_->over.store(true); }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  void For(int64_t items, int64_t cost, const Work& work) const override {
    if (helpers_ <= 0 || items < 2 || items * cost < kWorthSharing) {
      if (items > 0) work(0, items);
      return;
    }
    Shared& shared = *shared_;
    shared.work = &work;
    shared.items = items;
    shared.stretch = std::max<int64_t>(1, items / ((helpers_ + 1) * kStretches));
    shared.next.store(0);
    shared.done.store(0);
    shared.number.fetch_add(1);
    shared.open.store(true);
    Take(shared);
    Wait([&] { return shared.done.load() >= items; });
    // Nobody may look at this work when the next one is put there.
    shared.open.store(false);
    Wait([&] { return shared.inside.load() == 0; });
  }

 private:
  static constexpr int64_t kWorthSharing = 8000, kStretches = 4, kPatience = 2000;

  struct Shared {
    std::atomic<bool> open{false}, over{false};
    std::atomic<int64_t> number{0}, inside{0}, next{0}, done{0};  // number: of the work that is open
    const Work* work = nullptr;
    int64_t items = 0, stretch = 1;
  };

  // Looks again and again, and after a while lets others work meanwhile: perhaps those that it waits for.
  template <typename Condition>
  static void Wait(const Condition& holds) {
    for (int64_t looks = 0; !holds(); looks++) {
      Pause();
      if (looks > kPatience) std::this_thread::yield();
    }
  }

  static void Take(Shared& shared) {
    for (int64_t first = shared.next.fetch_add(shared.stretch); first < shared.items; first = shared.next.fetch_add(shared.stretch)) {
      const int64_t last = std::min(first + shared.stretch, shared.items);
      (*shared.work)(first, last);
      shared.done.fetch_add(last - first);
    }
  }

  static void Help(Shared& shared) {
    for (int64_t seen = 0; !shared.over.load();) {
      Wait([&] { return (shared.open.load() && shared.number.load() != seen) || shared.over.load(); });
      shared.inside.fetch_add(1);
      if (shared.open.load()) {
        seen = shared.number.load();
        Take(shared);
      }
      shared.inside.fetch_sub(1);
    }
  }

  const int64_t helpers_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace
}  // namespace cascade
