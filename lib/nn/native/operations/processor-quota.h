// How many processors' time this process is given: a container sees all processors of its machine, but may have the time of
// few, and threads that look for work on the others would use that up.

#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

namespace cascade {
namespace {

// The quota of the control group, in whole processors, at least one: of version 2 the file cpu.max, "<quota> <period>", of
// version 1 a file for each. Without a quota ("max", -1, no file) as many as there are.
inline int64_t ProcessorQuota(const std::string& group = "/sys/fs/cgroup") {
  double quota = 0, period = 0;
  std::ifstream both(group + "/cpu.max");
  if (!(both >> quota >> period)) {
    std::ifstream(group + "/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream(group + "/cpu/cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? std::max<int64_t>(1, static_cast<int64_t>(quota / period)) : std::numeric_limits<int64_t>::max();
}

}  // namespace
}  // namespace cascade
