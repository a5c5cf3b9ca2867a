// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernels of kernels/*.cu, loaded into contexts.
#pragma once

#include "gst/cuda/driver.h"

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace cps::cuda {

// In one context; they live as long as it does. Thread-safe.
class Kernels {
public:
  // Of `context`, which is current. Loaded at the first call for it; nullptr with the reason in `error`.
  static Kernels *of(GstCudaContext *context, Error &error);

  // nullptr with the reason in `error`. The context is current.
  CUfunction find(std::string_view name, Error &error);

  Kernels() = default;
  ~Kernels(); // the context is current
  Kernels(const Kernels &) = delete;
  Kernels &operator=(const Kernels &) = delete;

private:
  static void unload(gpointer kernels, GObject *context);

  std::vector<CUmodule> modules_;
  std::mutex mutex_;
  std::map<std::string, CUfunction, std::less<>> functions_;
};

} // namespace cps::cuda
