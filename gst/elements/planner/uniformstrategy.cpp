// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/uniformstrategy.h"

GType cps_uniform_strategy_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {STRATEGY_AUTO, "Skip wherever the stream can be indexed", "auto"},
        {STRATEGY_SEEK, "Same as skip: once a file has been indexed, a jump saves nothing", "seek"},
        {STRATEGY_SKIP, "Drop what no wanted frame depends on", "skip"},
        {STRATEGY_STREAM, "Let everything through", "stream"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsUniformStrategy", values);
  }();
  return type;
}
