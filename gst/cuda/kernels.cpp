// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/kernels.h"

#include "clip.fatbin.h"
#include "energy.fatbin.h"
#include "frame.fatbin.h"

#include <memory>

#define GST_CAT_DEFAULT cps::cuda::debug_category()

namespace cps::cuda {

namespace {

struct Fatbin {
  const char *name;
  const void *image;
};
constexpr Fatbin kFatbins[] = {
    {"energy", cps_fatbin_energy},
    {"frame", cps_fatbin_frame},
    {"clip", cps_fatbin_clip},
};

// More than this of dynamic shared memory a kernel has to ask for.
constexpr unsigned kSharedBytesForAll = 48 * 1024;

GQuark kernels_quark() {
  static const GQuark quark = g_quark_from_static_string("codecpatch-cuda-kernels");
  return quark;
}

// The context is being disposed of and still works; when its qdata go, it does not any more.
void unload(gpointer kernels, GObject *context) {
  const CurrentContext current(GST_CUDA_CONTEXT_CAST(context));
  const std::unique_ptr<Kernels> owned(static_cast<Kernels *>(kernels));
}

} // namespace

Kernels *Kernels::of(GstCudaContext *context, Error &error) {
  static std::mutex loading;
  const std::lock_guard<std::mutex> lock(loading);
  GObject *object = G_OBJECT(context);
  if (void *loaded = g_object_get_qdata(object, kernels_quark()))
    return static_cast<Kernels *>(loaded);

  auto kernels = std::make_unique<Kernels>();
  for (const Fatbin &fatbin : kFatbins) {
    CUmodule module = nullptr;
    const CUresult result = CuModuleLoadData(&module, fatbin.image);
    if (result != CUDA_SUCCESS) {
      error = error_of(result, std::string("loading the kernels of ") + fatbin.name + ".cu");
      return nullptr;
    }
    kernels->modules_.push_back(module);
  }
  GST_DEBUG_OBJECT(context, "loaded the kernels");
  g_object_weak_ref(object, unload, kernels.get());
  g_object_set_qdata(object, kernels_quark(), kernels.get());
  return kernels.release();
}

Kernels::~Kernels() {
  // A driver that has failed fails here too, and nothing is left to unload.
  for (CUmodule module : modules_)
    CuModuleUnload(module);
}

CUresult Kernels::look_up(const std::string &name, Kernel &kernel) const {
  CUresult result = CUDA_ERROR_NOT_FOUND;
  for (CUmodule module : modules_) {
    result = CuModuleGetFunction(&kernel.function, module, name.c_str());
    if (result != CUDA_ERROR_NOT_FOUND)
      break;
  }
  return result;
}

CUfunction Kernels::find(const std::string &name, unsigned shared_bytes, Error &error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto found = kernels_.find(name);
  if (found == kernels_.end()) {
    Kernel kernel;
    const CUresult result = look_up(name, kernel);
    if (result != CUDA_SUCCESS) {
      error = error_of(result, "looking for the kernel " + name);
      return nullptr;
    }
    kernel.shared_bytes = kSharedBytesForAll;
    found = kernels_.emplace(name, kernel).first;
  }
  Kernel &kernel = found->second;
  if (shared_bytes > kernel.shared_bytes) {
    const CUresult result = driver()->function_set_attribute(
        kernel.function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, static_cast<int>(shared_bytes));
    if (result != CUDA_SUCCESS) {
      error = error_of(result, "reserving " + bytes_text(shared_bytes) + " of shared memory for " + name);
      return nullptr;
    }
    kernel.shared_bytes = shared_bytes;
  }
  return kernel.function;
}

} // namespace cps::cuda
