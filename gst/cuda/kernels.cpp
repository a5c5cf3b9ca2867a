// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/kernels.h"

#include "gst/cuda/fatbins.h"

#include <memory>

#define GST_CAT_DEFAULT cps::cuda::debug_category()

namespace cps::cuda {

namespace {

GQuark kernels_quark() {
  static const GQuark quark = g_quark_from_static_string("codecpatch-cuda-kernels");
  return quark;
}

} // namespace

// A weak reference, because the context still works while it is being disposed; when its qdata are destroyed, it no
// longer does.
void Kernels::unload(gpointer kernels, GObject *context) {
  const CurrentContext current(GST_CUDA_CONTEXT_CAST(context));
  std::unique_ptr<Kernels> owned(static_cast<Kernels *>(kernels));
  if (!current.pushed()) // the driver's context is destroyed, and the modules with it
    owned->modules_.clear();
}

Kernels *Kernels::of(GstCudaContext *context, Error &error) {
  static std::mutex loading;
  const std::lock_guard<std::mutex> lock(loading);
  GObject *object = G_OBJECT(context);
  if (void *loaded = g_object_get_qdata(object, kernels_quark()))
    return static_cast<Kernels *>(loaded);

  auto kernels = std::make_unique<Kernels>();
  for (const Fatbin &fatbin : fatbins()) {
    CUmodule module = nullptr;
    const CUresult result = CuModuleLoadData(&module, fatbin.image);
    if (result != CUDA_SUCCESS) {
      error = error_of(result, std::string("loading the kernels ") + fatbin.prefix + "*");
      return nullptr;
    }
    kernels->modules_.emplace_back(fatbin.prefix, module);
  }
  GST_DEBUG_OBJECT(context, "loaded the kernels");
  g_object_weak_ref(object, unload, kernels.get());
  g_object_set_qdata(object, kernels_quark(), kernels.get());
  return kernels.release();
}

Kernels::~Kernels() {
  // If the driver has failed, unloading fails too, and nothing is left to unload.
  for (const auto &[prefix, module] : modules_)
    CuModuleUnload(module);
}

CUfunction Kernels::find(std::string_view name, Error &error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto known = functions_.find(name); known != functions_.end())
    return known->second;
  const std::string text(name);
  CUfunction function = nullptr;
  CUresult result = CUDA_ERROR_NOT_FOUND;
  for (const auto &[prefix, module] : modules_)
    if (g_str_has_prefix(text.c_str(), prefix)) // asking another module is an error to tools that check every call
      result = CuModuleGetFunction(&function, module, text.c_str());
  if (result != CUDA_SUCCESS) {
    error = error_of(result, "looking for the kernel " + text);
    return nullptr;
  }
  functions_.emplace(text, function);
  return function;
}

} // namespace cps::cuda
