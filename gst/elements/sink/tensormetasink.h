// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define CPS_TYPE_TENSOR_META_SINK (cps_tensor_meta_sink_get_type())
G_DECLARE_FINAL_TYPE(CpsTensorMetaSink, cps_tensor_meta_sink, CPS, TENSOR_META_SINK, GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE(tensormetasink)

G_END_DECLS
