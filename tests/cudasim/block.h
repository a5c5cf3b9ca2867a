// SPDX-License-Identifier: LGPL-2.1-or-later
// How kernels and the simulated driver meet: the threads of a block are fibers of one thread of the system.
#pragma once

#include <cstddef>
#include <cstdint>

#define CPS_SIM_EXPORT __attribute__((visibility("default")))

namespace cps::sim {

struct Extent {
  unsigned x = 1, y = 1, z = 1;
};

// What CPS_KERNEL(name, ...) leaves behind as name_kernel, for cuModuleGetFunction() to find.
struct Kernel {
  void (*entry)(const void *args);
  size_t args_bytes;
  unsigned threads; // of a block
};

struct Launch {
  const char *name = nullptr;
  const Kernel *kernel = nullptr;
  const void *args = nullptr;
  Extent grid, block;
  size_t shared_bytes = 0;
  uint64_t seed = 0;
};

// Runs all blocks of a kernel on the calling thread.
void run(const Launch &launch);

// The rest is for the kernels that run() calls.

struct Position {
  Extent thread, block, block_size, grid_size;
};
CPS_SIM_EXPORT const Position &position();
CPS_SIM_EXPORT unsigned lane();
CPS_SIM_EXPORT void *dynamic_shared();

// Where in a kernel a barrier is.
struct Site {
  const char *file;
  int line;
};

// Waits for all threads of the block; how many of them came with a true `predicate`.
CPS_SIM_EXPORT unsigned barrier(bool predicate, Site site);

struct LaneSlot {
  uint64_t value, argument, result;
};

// Waits for the lanes of `mask`. The last of them calls `combine` over the slots of the warp, which gives each lane in
// `present` (those of the mask that have not returned) its result.
using Combine = void (*)(LaneSlot *lanes, uint32_t present);
CPS_SIM_EXPORT uint64_t warp(uint32_t mask, uint64_t value, uint64_t argument, Combine combine, Site site);

// Equal for two calls only if they are of one block, with no barrier between.
CPS_SIM_EXPORT uint64_t moment();

// The kernel did what CUDA forbids: says so and aborts.
[[noreturn]] CPS_SIM_EXPORT void misuse(const char *sentence);

} // namespace cps::sim
