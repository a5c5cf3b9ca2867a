// SPDX-License-Identifier: LGPL-2.1-or-later
// Modules, whose kernels are functions of this library or of the program, and launches.
#include "tests/cudasim/block.h"
#include "tests/cudasim/control.h"
#include "tests/cudasim/driver.h"
#include "tests/cudasim/random.h"

#include <cstring>
#include <dlfcn.h>
#include <string>

struct CUmod_st {
  const CUctx_st *context = nullptr;
};

struct CUfunc_st {
  std::string name;
  const cps::sim::Kernel *kernel = nullptr;
  const CUmod_st *module = nullptr;
  const CUctx_st *context = nullptr;
  std::atomic<unsigned> shared_bytes{48 * 1024}; // that a launch may ask for
};

namespace cps::sim {

namespace {

Live<CUmod_st> &modules() {
  static Live<CUmod_st> &live = *new Live<CUmod_st>;
  return live;
}

Live<CUfunc_st> &functions() {
  static Live<CUfunc_st> &live = *new Live<CUfunc_st>;
  return live;
}

std::atomic<unsigned> launches{0};

constexpr int kMostSharedBytes = 227 * 1024; // of a block, as of compute capability 9.0

void *symbol(const std::string &name) {
  static void *const self = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
  void *const own = self ? dlsym(self, name.c_str()) : nullptr;
  return own ? own : dlsym(RTLD_DEFAULT, name.c_str());
}

bool fits(const Extent &grid, const Extent &block) {
  return grid.x - 1 < 0x7fffffffU && grid.y - 1 < 65535 && grid.z - 1 < 65535 && block.x - 1 < 1024 &&
         block.y - 1 < 1024 && block.z - 1 < 64 && block.x * block.y * block.z <= 1024;
}

} // namespace

} // namespace cps::sim

using namespace cps::sim;

CPS_SIM_API unsigned cps_sim_launches() {
  return launches;
}

CPS_SIM_API CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  if (!image)
    return violation("cuModuleLoadData", "there is no image");
  auto loaded = std::make_shared<CUmod_st>();
  loaded->context = context.get();
  *module = modules().add(std::move(loaded));
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuModuleUnload(CUmodule handle) {
  const std::shared_ptr<CUmod_st> module = modules().remove(handle);
  if (!module)
    return violation("cuModuleUnload", "there is no such module", CUDA_ERROR_INVALID_HANDLE);
  for (const auto &function : functions().all())
    if (function->module == module.get())
      functions().remove(function.get());
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuModuleGetFunction(CUfunction *handle, CUmodule module_handle, const char *name) {
  const std::shared_ptr<CUmod_st> module = modules().find(module_handle);
  if (!module)
    return violation("cuModuleGetFunction", "there is no such module", CUDA_ERROR_INVALID_HANDLE);
  for (const auto &function : functions().all())
    if (function->module == module.get() && function->name == name) {
      *handle = function.get();
      return CUDA_SUCCESS;
    }
  auto function = std::make_shared<CUfunc_st>();
  function->name = name;
  function->module = module.get();
  function->context = module->context;
  function->kernel = static_cast<const Kernel *>(symbol(function->name + "_kernel"));
  if (!function->kernel)
    return CUDA_ERROR_NOT_FOUND;
  *handle = functions().add(std::move(function));
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute, int value) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  const std::shared_ptr<CUfunc_st> function = functions().find(handle);
  if (!function)
    return violation("cuFuncSetAttribute", "there is no such kernel", CUDA_ERROR_INVALID_HANDLE);
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || value < 0 || value > kMostSharedBytes)
    return CUDA_ERROR_INVALID_VALUE;
  function->shared_bytes = static_cast<unsigned>(value);
  return CUDA_SUCCESS;
}

CPS_SIM_API CUresult cuLaunchKernel(CUfunction handle, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                    unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                                    CUstream stream, void **parameters, void **extra) {
  Context context;
  if (const CUresult result = current(context))
    return result;
  const std::shared_ptr<CUfunc_st> function = functions().find(handle);
  if (!function)
    return violation("cuLaunchKernel", "there is no such kernel", CUDA_ERROR_INVALID_HANDLE);
  const char *const name = function->name.c_str();
  if (function->context != context.get())
    return violation(name, "the kernel is of another context", CUDA_ERROR_INVALID_HANDLE);
  const Extent grid = {grid_x, grid_y, grid_z}, block = {block_x, block_y, block_z};
  if (!fits(grid, block))
    return violation(name, "the grid or the blocks are empty or too large");
  if (block.x * block.y * block.z != function->kernel->threads)
    return violation(name, "this is not the number of threads that the kernel is made for");
  if (shared_bytes > function->shared_bytes)
    return violation(name, "more shared memory than 48 KiB, or than was set for the kernel");
  if (extra || !parameters || !parameters[0])
    return violation(name, "the arguments are one struct, in the first parameter");
  const size_t bytes = function->kernel->args_bytes;
  const std::shared_ptr<void> args(operator new(bytes), [](void *p) { operator delete(p); });
  memcpy(args.get(), parameters[0], bytes);
  const uint64_t seed = mixed(schedule_seed() ^ uint64_t{++launches} << 32);
  return enqueue(context, name, stream, [=] {
    run({function->name.c_str(), function->kernel, args.get(), grid, block, shared_bytes, seed});
  });
}
