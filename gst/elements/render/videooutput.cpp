// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/render/videooutput.h"

#include <algorithm>

namespace cps {

namespace {

// Downstream's first pool, if it has one without a limit: of another one, a buffer may have to be waited for.
Owned<GstBufferPool> offered_pool(GstQuery *query, guint &size, guint &min) {
  for (guint i = 0; i < gst_query_get_n_allocation_pools(query); i++) {
    GstBufferPool *pool = nullptr;
    guint max = 0;
    gst_query_parse_nth_allocation_pool(query, i, &pool, &size, &min, &max);
    Owned<GstBufferPool> owned(pool);
    if (pool && max == 0)
      return owned;
  }
  return nullptr;
}

bool configure(GstBufferPool *pool, GstCaps *caps, guint size, guint min, bool video_meta) {
  GstStructure *config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, size, min, 0);
  if (video_meta && gst_buffer_pool_has_option(pool, GST_BUFFER_POOL_OPTION_VIDEO_META))
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  return gst_buffer_pool_set_config(pool, config) && gst_buffer_pool_set_active(pool, TRUE);
}

} // namespace

GstFlowReturn VideoOutput::negotiate(guint width, guint height) {
  GstVideoInfo info;
  if (!gst_video_info_set_format(&info, GST_VIDEO_FORMAT_RGBA, width, height))
    return GST_FLOW_NOT_NEGOTIATED;
  GST_VIDEO_INFO_FPS_N(&info) = 0; // variable
  GST_VIDEO_INFO_FPS_D(&info) = 1;
  Owned<GstCaps> caps(gst_video_info_to_caps(&info));
  const bool asked = gst_pad_check_reconfigure(srcpad_);
  if (caps_ && gst_caps_is_equal(caps.get(), caps_.get()) && !asked)
    return GST_FLOW_OK;
  reset();
  if (!gst_pad_push_event(srcpad_, gst_event_new_caps(caps.get()))) {
    gst_pad_mark_reconfigure(srcpad_);
    return GST_PAD_IS_FLUSHING(srcpad_) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  }
  caps_ = std::move(caps);
  info_ = info;
  choose_pool();
  return GST_FLOW_OK;
}

void VideoOutput::choose_pool() {
  const Owned<GstQuery> query(gst_query_new_allocation(caps_.get(), TRUE));
  if (!gst_pad_peer_query(srcpad_, query.get()))
    return;
  guint size = 0, min = 0;
  Owned<GstBufferPool> pool = offered_pool(query.get(), size, min);
  const bool video_meta = gst_query_find_allocation_meta(query.get(), GST_VIDEO_META_API_TYPE, nullptr);
  size = std::max(size, static_cast<guint>(GST_VIDEO_INFO_SIZE(&info_)));
  if (pool && configure(pool.get(), caps_.get(), size, min, video_meta))
    pool_ = std::move(pool);
}

GstFlowReturn VideoOutput::acquire(Owned<GstBuffer> &buffer) {
  GstBuffer *acquired = nullptr;
  if (!pool_)
    acquired = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info_), nullptr);
  else if (const GstFlowReturn flow = gst_buffer_pool_acquire_buffer(pool_.get(), &acquired, nullptr);
           flow != GST_FLOW_OK)
    return flow;
  buffer.reset(acquired);
  return acquired ? GST_FLOW_OK : GST_FLOW_ERROR;
}

void VideoOutput::reset() {
  if (pool_)
    gst_buffer_pool_set_active(pool_.get(), FALSE);
  pool_.reset();
  caps_.reset();
}

} // namespace cps
