// Prints the processors' time that each of the given control groups has; "all" where it has no quota.

#include <cstdio>

#include "../../../lib/nn/native/operations/processor-quota.h"

int main(int count, char** groups) {
  for (int n = 1; n < count; n++) {
    const int64_t quota = cascade::ProcessorQuota(groups[n]);
    if (quota == std::numeric_limits<int64_t>::max()) std::printf("all\n");
    else std::printf("%ld\n", static_cast<long>(quota));
  }
}
