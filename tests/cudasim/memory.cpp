// SPDX-License-Identifier: LGPL-2.1-or-later
// Device memory and pinned memory.
#include "tests/cudasim/driver.h"

#include "tests/cudasim/control.h"
#include "tests/cudasim/guard.h"

namespace cps::sim {

namespace {

enum class Kind { Device, Pinned };

struct Block {
  Block(Kind of_kind, Context of_context, size_t bytes, size_t alignment)
      : kind(of_kind), context(std::move(of_context)), memory(bytes, alignment) {}
  Kind kind;
  Context context;
  Guarded memory;

  uintptr_t begin() const { return reinterpret_cast<uintptr_t>(memory.data()); }
  uintptr_t end() const { return begin() + memory.bytes(); }
};

struct Heap {
  std::mutex mutex;
  std::map<uintptr_t, std::unique_ptr<Block>> blocks;
  size_t limit = setting("CPS_SIM_MEMORY", 4ULL << 30);
  size_t device_bytes = 0, pinned_bytes = 0;
  unsigned allocations = 0;

  size_t &used(Kind kind) { return kind == Kind::Device ? device_bytes : pinned_bytes; }

  // The block that `at` lies in, or the last one before.
  const Block *before(uintptr_t at) const {
    auto next = blocks.upper_bound(at);
    return next == blocks.begin() ? nullptr : std::prev(next)->second.get();
  }
  const Block *find(uintptr_t at) const {
    const Block *const block = before(at);
    return block && at < block->end() ? block : nullptr;
  }
};

Heap &heap() {
  static Heap &one = *new Heap;
  return one;
}

CUresult allocate(Kind kind, size_t bytes, size_t alignment, uintptr_t &at) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  if (bytes == 0)
    return CUDA_ERROR_INVALID_VALUE;
  Heap &all = heap();
  const std::lock_guard<std::mutex> lock(all.mutex);
  ++all.allocations;
  if (kind == Kind::Device && (all.device_bytes > all.limit || bytes > all.limit - all.device_bytes))
    return CUDA_ERROR_OUT_OF_MEMORY;
  auto block = std::make_unique<Block>(kind, context, bytes, alignment);
  if (!block->memory.data())
    return CUDA_ERROR_OUT_OF_MEMORY;
  all.used(kind) += bytes;
  at = block->begin();
  all.blocks[at] = std::move(block);
  return CUDA_SUCCESS;
}

// The heap is locked.
void release(Heap &all, std::map<uintptr_t, std::unique_ptr<Block>>::iterator at) {
  Block &block = *at->second;
  if (!block.memory.intact())
    violation("free", block.kind == Kind::Device ? "something was written beside this device memory"
                                                 : "something was written beside this pinned memory");
  all.used(block.kind) -= block.memory.bytes();
  all.blocks.erase(at);
}

CUresult free_block(Kind kind, const char *call, uintptr_t at) {
  if (const CUresult result = initialised())
    return result;
  Heap &all = heap();
  Context owner;
  {
    const std::lock_guard<std::mutex> lock(all.mutex);
    const auto found = all.blocks.find(at);
    if (found == all.blocks.end() || found->second->kind != kind)
      return violation(call, "this is no start of such memory, or it has been freed");
    owner = found->second->context;
  }
  drain(owner.get(), true);
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.blocks.find(at);
  if (found == all.blocks.end())
    return violation(call, "two threads free the same memory");
  release(all, found);
  return CUDA_SUCCESS;
}

} // namespace

CUresult check_device(const Context &context, const char *call, CUdeviceptr at, size_t bytes) {
  Heap &all = heap();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const Block *const block = all.find(at);
  if (!block || block->kind != Kind::Device)
    return violation(call, "this is no device memory, or it has been freed");
  if (bytes > block->end() - at)
    return violation(call, "the device memory ends before");
  if (block->context->device != context->device)
    return violation(call, "the memory is of another device");
  return CUDA_SUCCESS;
}

CUresult check_host(const char *call, const void *at, size_t bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(at);
  if (begin == 0)
    return violation(call, "the memory of the host is NULL");
  Heap &all = heap();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const Block *const block = all.before(begin + (bytes ? bytes - 1 : 0));
  if (!block || block->end() <= begin)
    return CUDA_SUCCESS; // pageable
  if (block->kind != Kind::Pinned)
    return violation(call, "this is device memory, not the host's");
  if (begin < block->begin() || begin + bytes > block->end())
    return violation(call, "the pinned memory ends before");
  return CUDA_SUCCESS;
}

bool is_device_memory(CUdeviceptr at) {
  const std::lock_guard<std::mutex> lock(heap().mutex);
  const Block *const block = heap().find(at);
  return block && block->kind == Kind::Device;
}

void free_memory_of(const CUctx_st *context) {
  Heap &all = heap();
  const std::lock_guard<std::mutex> lock(all.mutex);
  for (auto at = all.blocks.begin(); at != all.blocks.end();) {
    const auto next = std::next(at);
    if (at->second->context.get() == context)
      release(all, at);
    at = next;
  }
}

} // namespace cps::sim

using namespace cps::sim;

CPS_SIM_API void cps_sim_set_memory_limit(size_t bytes) {
  const std::lock_guard<std::mutex> lock(heap().mutex);
  heap().limit = bytes;
}

CPS_SIM_API size_t cps_sim_memory_in_use() {
  const std::lock_guard<std::mutex> lock(heap().mutex);
  return heap().device_bytes;
}

CPS_SIM_API size_t cps_sim_pinned_in_use() {
  const std::lock_guard<std::mutex> lock(heap().mutex);
  return heap().pinned_bytes;
}

CPS_SIM_API unsigned cps_sim_allocations() {
  const std::lock_guard<std::mutex> lock(heap().mutex);
  return heap().allocations;
}

CPS_SIM_API CUresult cuMemAlloc_v2(CUdeviceptr *memory, size_t bytes) {
  uintptr_t at = 0;
  const CUresult result = allocate(Kind::Device, bytes, 256, at);
  *memory = at;
  return result;
}

CPS_SIM_API CUresult cuMemAllocPitch_v2(CUdeviceptr *memory, size_t *pitch, size_t width, size_t height,
                                        unsigned element) {
  if (element != 4 && element != 8 && element != 16)
    return violation("cuMemAllocPitch", "elements are 4, 8 or 16 bytes");
  *pitch = (width + 511) / 512 * 512;
  uintptr_t at = 0;
  const CUresult result = allocate(Kind::Device, *pitch * height, 512, at);
  *memory = at;
  return result;
}

CPS_SIM_API CUresult cuMemAllocHost_v2(void **memory, size_t bytes) {
  uintptr_t at = 0;
  const CUresult result = allocate(Kind::Pinned, bytes, 512, at);
  *memory = reinterpret_cast<void *>(at);
  return result;
}

CPS_SIM_API CUresult cuMemFree_v2(CUdeviceptr memory) {
  return memory == 0 ? CUDA_SUCCESS : free_block(Kind::Device, "cuMemFree", memory);
}

CPS_SIM_API CUresult cuMemFreeHost(void *memory) {
  return memory == nullptr ? CUDA_SUCCESS
                           : free_block(Kind::Pinned, "cuMemFreeHost", reinterpret_cast<uintptr_t>(memory));
}
