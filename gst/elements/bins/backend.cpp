// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/backend.h"

namespace cps {

const char *backend_name(Backend backend) {
  return backend == Backend::Gpu ? "gpu" : backend == Backend::Cpu ? "cpu" : "auto";
}

} // namespace cps

GType cps_backend_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::Backend::Auto), "The GPU where there is one that works, else the CPU", "auto"},
        {static_cast<gint>(cps::Backend::Cpu), "The CPU, system memory", "cpu"},
        {static_cast<gint>(cps::Backend::Gpu), "The GPU, CUDA memory", "gpu"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsBackend", values);
  }();
  return type;
}
