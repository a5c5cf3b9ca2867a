// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/holdlimit.h"

namespace cps {

// Buffers that a pool can be without: G_MAXUINT if it allocates as many as it needs.
static guint spare_buffers(GstBufferPool *pool) {
  GstStructure *config = gst_buffer_pool_get_config(pool);
  guint least = 0, most = 0;
  gst_buffer_pool_config_get_params(config, nullptr, nullptr, &least, &most);
  gst_structure_free(config);
  return most == 0 ? G_MAXUINT : most - MIN(least, most);
}

void HoldLimit::keep_apart(Owned<GstBuffer> &buffer, size_t held) {
  if (!buffer->pool)
    return;
  if (buffer->pool != pool_.get()) {
    pool_.reset(GST_BUFFER_POOL(gst_object_ref(buffer->pool)));
    spare_ = spare_buffers(buffer->pool);
  }
  if (held > spare_)
    buffer.reset(gst_buffer_copy_deep(buffer.get()));
}

} // namespace cps
