// Three callers at a time share out work of all sizes among the four threads of a pool, some of which throws; in between they
// rest, for less and for more than helpers linger. Prints what came of it.

#include <cstdio>
#include <new>
#include <random>

#include "../../../lib/nn/native/operations/team.h"

int main() {
  tensorflow::thread::ThreadPool pool(4);
  std::atomic<int64_t> by_helpers{0}, thrown{0}, wrong{0};
  const auto call = [&](int seed) {
    std::mt19937 random(seed);
    const auto self = std::this_thread::get_id();
    for (int operation = 0; operation < 1000; operation++) {
      const cascade::Team team(&pool);
      for (int pieces = random() % 4; pieces >= 0; pieces--) {
        const int64_t items = 1 + random() % 40;
        const bool throws = random() % 16 == 0;
        std::vector<int> times(items, 0);
        const auto work = [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; i++) {
            times[i]++;
            if (std::this_thread::get_id() != self) by_helpers++;
            for (int n = 0; n < 300; n++) cascade::Pause();
            if (throws && i == items / 2) throw std::bad_alloc();
          }
        };
        try {
          team.For(items, 10000, work);
          if (throws) wrong++;
          for (const int count : times) wrong += count != 1;
        } catch (const std::bad_alloc&) {
          thrown++;
          if (!throws) wrong++;
        }
      }
      if (random() % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 400));
    }
  };
  std::vector<std::thread> callers;
  for (int seed = 0; seed < 3; seed++) callers.emplace_back(call, seed);
  for (std::thread& caller : callers) caller.join();
  std::printf("%s, %s, wrong: %ld\n", by_helpers > 0 ? "helpers came" : "nobody helped", thrown > 0 ? "errors were passed on" : "no error was passed on",
              static_cast<long>(wrong));
}
