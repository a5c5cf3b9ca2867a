// SPDX-License-Identifier: LGPL-2.1-or-later
// Loads the kernels of kernels/*.cu into contexts.
#pragma once

#include "gst/cuda/driver.h"

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cps::cuda {

// The kernels in one context, with the lifetime of the context. Thread-safe.
class Kernels {
public:
  // The kernels of `context`, which must be current. The first call loads them. On failure returns nullptr and sets
  // `error`.
  static Kernels *of(GstCudaContext *context, Error &error);

  // On failure returns nullptr and sets `error`. The context must be current.
  CUfunction find(std::string_view name, Error &error);

  Kernels() = default;
  ~Kernels(); // the context must be current
  Kernels(const Kernels &) = delete;
  Kernels &operator=(const Kernels &) = delete;

private:
  static void unload(gpointer kernels, GObject *context);

  std::vector<std::pair<const char *, CUmodule>> modules_; // with the prefix of its kernels' names
  std::mutex mutex_;
  std::map<std::string, CUfunction, std::less<>> functions_;
};

} // namespace cps::cuda
