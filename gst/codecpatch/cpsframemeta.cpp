// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpsframemeta.h"

/**
 * cps_frame_status_to_string:
 * @status: a #CpsFrameStatus
 *
 * Returns: (transfer none): the name used in files: "ok", "substituted", "missing" or "damaged".
 */
const gchar *cps_frame_status_to_string(CpsFrameStatus status) {
  switch (status) {
  case CPS_FRAME_STATUS_OK:
    return "ok";
  case CPS_FRAME_STATUS_SUBSTITUTED:
    return "substituted";
  case CPS_FRAME_STATUS_MISSING:
    return "missing";
  case CPS_FRAME_STATUS_DAMAGED:
    return "damaged";
  }
  return "unknown";
}

GType cps_frame_meta_api_get_type() {
  static GType type = [] {
    static const gchar *tags[] = {nullptr};
    return gst_meta_api_type_register("CpsFrameMetaAPI", tags);
  }();
  return type;
}

static CpsFrameMeta *frame_meta(GstMeta *meta) {
  return reinterpret_cast<CpsFrameMeta *>(meta);
}

static gboolean frame_meta_init(GstMeta *meta, gpointer, GstBuffer *) {
  CpsFrameMeta *self = frame_meta(meta);
  self->frame_id = CPS_FRAME_ID_NONE;
  self->total = 0;
  self->pts = GST_CLOCK_TIME_NONE;
  self->flags = CPS_FRAME_FLAG_NONE;
  self->clip_index = self->seq_pos = self->seq_len = 0;
  self->status = CPS_FRAME_STATUS_OK;
  self->orientation = CPS_ORIENTATION_IDENTITY;
  return TRUE;
}

static gboolean frame_meta_transform(GstBuffer *transbuf, GstMeta *meta, GstBuffer *, GQuark, gpointer) {
  const CpsFrameMeta *source = frame_meta(meta);
  CpsFrameMeta *copy = cps_buffer_get_frame_meta(transbuf);
  if (!copy)
    copy = cps_buffer_add_frame_meta(transbuf, source->frame_id, source->total, source->pts, source->flags);
  const GstMeta parent = copy->meta;
  *copy = *source;
  copy->meta = parent;
  return TRUE;
}

const GstMetaInfo *cps_frame_meta_get_info() {
  static const GstMetaInfo *info = gst_meta_register(CPS_FRAME_META_API_TYPE, "CpsFrameMeta", sizeof(CpsFrameMeta),
                                                     frame_meta_init, nullptr, frame_meta_transform);
  return info;
}

/**
 * cps_buffer_add_frame_meta:
 * @buffer: a writable #GstBuffer without a #CpsFrameMeta
 * @frame_id: index in display order
 * @total: number of frames of the stream, 0 if unknown
 * @pts: presentation time as in #CpsFrameMeta, or %GST_CLOCK_TIME_NONE
 * @flags: a set of #CpsFrameFlags
 *
 * Stamps an access unit or a raw frame with its identity.
 *
 * Returns: (transfer none): the meta, owned by @buffer.
 */
CpsFrameMeta *cps_buffer_add_frame_meta(GstBuffer *buffer, guint64 frame_id, guint64 total, GstClockTime pts,
                                        CpsFrameFlags flags) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  CpsFrameMeta *self = frame_meta(gst_buffer_add_meta(buffer, CPS_FRAME_META_INFO, nullptr));
  self->frame_id = frame_id;
  self->total = total;
  self->pts = pts;
  self->flags = flags;
  return self;
}

/**
 * cps_buffer_get_frame_meta:
 * @buffer: a #GstBuffer
 *
 * Returns: (transfer none) (nullable): the meta, owned by @buffer.
 */
CpsFrameMeta *cps_buffer_get_frame_meta(GstBuffer *buffer) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  return frame_meta(gst_buffer_get_meta(buffer, CPS_FRAME_META_API_TYPE));
}
