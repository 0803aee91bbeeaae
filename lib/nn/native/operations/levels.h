// Which of the compiled levels of arithmetic this process uses: the highest that the processor has, or the one that the
// variable CASCADE_KERNELS names. All lie beside the binding, so that one build serves every processor.

#pragma once

#include <dlfcn.h>
#include <unistd.h>
#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#endif

#include <cstdlib>
#include <string>

#include "../arithmetic/arithmetic.h"

namespace cascade {
namespace {

struct Level {
  const char* name;
  bool available;
  bool optional = false;  // not every compiler knows its instructions
};

#ifdef __x86_64__
// Whether the processor has matrix registers that multiply bytes, and Linux (from 5.16 on) lets this process use them, for
// which it must be asked once.
inline bool MatrixRegisters() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM of arch_prctl(2), XFEATURE_XTILE_DATA
  constexpr unsigned kTiles = 1u << 24, kBytes = 1u << 25;     // AMX-TILE and AMX-INT8 in leaf 7
  unsigned a, b, c, d = 0;
  const bool known = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0;
  return known && (d & kTiles) != 0 && (d & kBytes) != 0 && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#endif

// From the least to the highest. The set-up compiles a library for each (lib/setup/kernel-levels.mjs has the flags).
inline std::vector<Level> Levels() {
#ifdef __x86_64__
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool vnni = avx512 && __builtin_cpu_supports("avx512vnni");
  return {{"baseline", true}, {"avx2", avx2}, {"avx512", avx512}, {"avx512-vnni", vnni}, {"avx512-amx", vnni && MatrixRegisters(), true}};
#else
  return {{"baseline", true}};
#endif
}

// The arithmetic of a level, or a sentence that says why there is none.
struct Chosen {
  std::string level;
  const Arithmetic* arithmetic = nullptr;
  std::string problem;
};

inline std::string FolderOfBinding() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&FolderOfBinding), &info) == 0) return ".";
  const std::string file = info.dli_fname;
  return file.substr(0, file.find_last_of('/'));
}

inline std::string LibraryOf(const std::string& level) { return FolderOfBinding() + "/cascade_" + level + ".so"; }

inline Chosen Open(const std::string& level) {
  const std::string file = LibraryOf(level);
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* symbol = library == nullptr ? nullptr : dlsym(library, "CascadeArithmetic");
  if (symbol == nullptr) return {level, nullptr, std::string("the kernels of level ") + level + " do not load: " + dlerror()};
  const auto* arithmetic = reinterpret_cast<const Arithmetic* (*)(const char*)>(symbol)(CASCADE_INTERFACE);
  return {level, arithmetic, arithmetic == nullptr ? "the kernels of level " + level + " are of another set-up" : ""};
}

inline Chosen Choose() {
  const char* wanted = std::getenv("CASCADE_KERNELS");
  std::string best, names;
  for (const auto& [name, available, optional] : Levels()) {
    names += (names.empty() ? "" : ", ") + std::string(name);
    if (available && (!optional || access(LibraryOf(name).c_str(), F_OK) == 0)) best = name;
    if (wanted == nullptr || wanted != std::string(name)) continue;
    if (!available) return {name, nullptr, std::string("CASCADE_KERNELS=") + name + " asks for instructions that this processor lacks; unset it, or name a lower level"};
    return Open(name);
  }
  if (wanted != nullptr && *wanted != '\0') return {wanted, nullptr, std::string("CASCADE_KERNELS=") + wanted + " names no level; there are: none, " + names};
  return Open(best);
}

inline const Chosen& ChosenLevel() {
  static const Chosen chosen = Choose();
  return chosen;
}

}  // namespace
}  // namespace cascade
