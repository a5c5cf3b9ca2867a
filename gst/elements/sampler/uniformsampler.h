// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <gst/gst.h>

G_BEGIN_DECLS

#define CPS_TYPE_UNIFORM_SAMPLER (cps_uniform_sampler_get_type())
G_DECLARE_FINAL_TYPE(CpsUniformSampler, cps_uniform_sampler, CPS, UNIFORM_SAMPLER, GstElement)

GST_ELEMENT_REGISTER_DECLARE(uniformsampler)

G_END_DECLS

namespace cps {

// `listener` is called before and after the sampler pushes a frame. Call in READY; nullptr removes it.
void set_sampler_listener(GstElement *sampler, std::function<void(bool pushing)> listener);

} // namespace cps
