// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-patchrender
 * @title: patchrender
 *
 * Draws the tensors of patchselect or framestack as RGBA video, to look at what was selected.
 *
 * | #CpsPatchRender:mode | frames | contents |
 * |---|---|---|
 * | `sparse` | one per sampled frame | the patches selected in it; other places as selected before, dimmed |
 * | `hold` | one per sampled frame | at each place the patch that was last selected there: what a model has seen |
 * | `mosaic` | one per clip, or per canvas | all patches, packed row by row |
 * | `scores` | one per sampled frame | the scores of the selected patches as colours, with a legend |
 *
 * Frames have the target size of patchselect (scores: 20 rows more, for the legend). Places of which the clip has no
 * patch are of #CpsPatchRender:background-color. Values are drawn as the 0..255 that they were before scale, mean and
 * std. Each clip is drawn on its own.
 *
 * A picture has the time stamp of its sampled frame, a mosaic that of its first patch; it lasts until the next picture
 * of the clip. The frame rate is variable (0/1). The clips of overlapping windows overlap here, too.
 *
 * Draws on the CPU. Tensors in CUDA memory are copied to the host first.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 patchstreambin uri=file:///v.mp4 ! patchrender mode=hold ! videoconvert ! x264enc ! mp4mux
 *     ! filesink location=selection.mp4
 * gst-launch-1.0 patchstreambin uri=file:///v.mp4 ! patchrender mode=sparse dim=0 ! pngenc
 *     ! multifilesink location=selection-%03d.png
 * ]|
 *
 * Since: 0.1
 */
#include "gst/elements/render/patchrender.h"

#include "gst/codecpatch/cpspictures.h"
#include "gst/codecpatch/cpssession.h"
#include "gst/codecpatch/cpstensormeta.h"
#include "gst/elements/common/memorykind.h"
#include "gst/elements/common/options.h"
#include "gst/elements/render/videooutput.h"

#include <optional>

GST_DEBUG_CATEGORY_STATIC(patch_render_debug);
#define GST_CAT_DEFAULT patch_render_debug

using cps::Owned;

namespace cps {
CPS_RELEASE(CpsPictures, cps_pictures_free);
} // namespace cps

#define CPS_TYPE_PICTURE_MODE (cps_picture_mode_get_type())
static GType cps_picture_mode_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {CPS_PICTURE_MODE_SPARSE, "The patches selected in each frame; other places as selected before, dimmed",
         "sparse"},
        {CPS_PICTURE_MODE_HOLD, "At each place the patch that was last selected there", "hold"},
        {CPS_PICTURE_MODE_MOSAIC, "All patches of a clip, packed row by row; canvases as they are", "mosaic"},
        {CPS_PICTURE_MODE_SCORES, "The scores of the patches selected in each frame as colours, with a legend",
         "scores"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsPictureMode", values);
  }();
  return type;
}

struct CpsPatchRenderPrivate {
  explicit CpsPatchRenderPrivate(gpointer object) : options(object) {}

  cps::Options options;
  GstPad *sinkpad = nullptr;
  GstPad *srcpad = nullptr;

  // Streaming thread
  std::optional<cps::VideoOutput> output;
  GstSegment segment = {};
  Owned<GstEvent> segment_event; // to be sent after the caps
  guint64 drawn = 0;             // frames since the stream started
};

struct _CpsPatchRender {
  GstElement parent;
};

G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsPatchRender, cps_patch_render, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(patchrender, "patchrender", GST_RANK_NONE, CPS_TYPE_PATCH_RENDER)

static CpsPatchRenderPrivate &state_of(gpointer self) {
  return *static_cast<CpsPatchRenderPrivate *>(cps_patch_render_get_instance_private(CPS_PATCH_RENDER(self)));
}

// Times

// The position in the segment of a stream time, if it is known.
static GstClockTime position_of(const GstSegment &segment, GstClockTime stream_time) {
  if (segment.format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID(stream_time))
    return GST_CLOCK_TIME_NONE;
  return gst_segment_position_from_stream_time(&segment, GST_FORMAT_TIME, stream_time);
}

// The stream time at which the last frame of a clip ends, after the average duration of a frame of the source.
static GstClockTime end_of(const CpsClip *clip) {
  const GstClockTime last = clip->frames[clip->n_frames - 1].pts;
  return GST_CLOCK_TIME_IS_VALID(last) && clip->fps > 0 ? last + static_cast<GstClockTime>(GST_SECOND / clip->fps)
                                                        : GST_CLOCK_TIME_NONE;
}

// The stream time of the frame that a picture begins with.
static GstClockTime start_of(const CpsPictures *pictures, const CpsClip *clip, guint index) {
  const guint position = cps_pictures_get_position(pictures, index);
  return position < clip->n_frames ? clip->frames[position].pts : GST_CLOCK_TIME_NONE;
}

// A picture lasts until the next one of the clip, the last one until the end.
static void set_times(CpsPatchRenderPrivate &state, const CpsPictures *pictures, const CpsClip *clip, guint index,
                      GstBuffer *picture) {
  const bool last = index + 1 == cps_pictures_get_count(pictures);
  const GstClockTime start = start_of(pictures, clip, index),
                     end = last ? end_of(clip) : start_of(pictures, clip, index + 1);
  const bool known = GST_CLOCK_TIME_IS_VALID(start) && GST_CLOCK_TIME_IS_VALID(end) && end >= start;
  GST_BUFFER_PTS(picture) = position_of(state.segment, start);
  GST_BUFFER_DTS(picture) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(picture) = known ? end - start : GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET(picture) = state.drawn++;
  GST_BUFFER_OFFSET_END(picture) = state.drawn;
}

// Pictures

static Owned<CpsPictures> arrange(CpsPatchRender *self, const GstStructure *options, GstBuffer *tensors) {
  Owned<CpsPictures> pictures(cps_pictures_new(static_cast<CpsPictureMode>(cps::option_enum(options, "mode"))));
  cps_pictures_set_background(pictures.get(), cps::option_uint(options, "background-color"));
  cps_pictures_set_dim(pictures.get(), cps::option_uint(options, "dim"));
  GError *error = nullptr;
  if (cps_pictures_add_buffer(pictures.get(), tensors, &error) && cps_pictures_arrange(pictures.get(), &error))
    return pictures;
  const Owned<GError> owned(error);
  if (g_error_matches(error, CPS_SESSION_ERROR, CPS_SESSION_ERROR_OPTION))
    GST_ELEMENT_ERROR(self, LIBRARY, SETTINGS, ("%s", error->message), (nullptr));
  else
    GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("%s Link patchselect or framestack to patchrender.", error->message),
                      (nullptr));
  return nullptr;
}

static GstFlowReturn draw(CpsPatchRender *self, const CpsPictures *pictures, guint index, GstBuffer *picture) {
  const GstVideoInfo &info = state_of(self).output->info();
  GstVideoFrame frame;
  if (!gst_video_frame_map(&frame, &info, picture, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR(self, RESOURCE, WRITE, ("Could not write to the memory of a picture."), (nullptr));
    return GST_FLOW_ERROR;
  }
  cps_pictures_draw(pictures, index, GST_VIDEO_FRAME_PLANE_DATA(&frame, 0),
                    static_cast<gsize>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0)));
  gst_video_frame_unmap(&frame);
  return GST_FLOW_OK;
}

static GstFlowReturn push_pictures(CpsPatchRender *self, GstBuffer *tensors) {
  CpsPatchRenderPrivate &state = state_of(self);
  const Owned<GstStructure> options = state.options.snapshot();
  const Owned<CpsPictures> pictures = arrange(self, options.get(), tensors);
  if (!pictures)
    return GST_FLOW_ERROR;
  const CpsClip *clip = cps_buffer_get_tensor_meta(tensors)->clip;
  const guint count = cps_pictures_get_count(pictures.get());
  GST_DEBUG_OBJECT(self, "clip %u: %u pictures of %ux%u", clip->clip_index, count,
                   cps_pictures_get_width(pictures.get()), cps_pictures_get_height(pictures.get()));
  GstFlowReturn flow = GST_FLOW_OK;
  for (guint index = 0; flow == GST_FLOW_OK && index < count; index++) {
    Owned<GstBuffer> picture;
    flow = state.output->negotiate(cps_pictures_get_width(pictures.get()), cps_pictures_get_height(pictures.get()));
    if (flow != GST_FLOW_OK)
      return flow;
    if (state.segment_event)
      gst_pad_push_event(state.srcpad, state.segment_event.release());
    flow = state.output->acquire(picture);
    if (flow == GST_FLOW_OK)
      flow = draw(self, pictures.get(), index, picture.get());
    if (flow != GST_FLOW_OK)
      return flow;
    set_times(state, pictures.get(), clip, index, picture.get());
    if (index == 0 && GST_BUFFER_IS_DISCONT(tensors))
      GST_BUFFER_FLAG_SET(picture.get(), GST_BUFFER_FLAG_DISCONT);
    flow = gst_pad_push(state.srcpad, picture.release());
  }
  return flow;
}

static GstFlowReturn patch_render_chain(GstPad *, GstObject *parent, GstBuffer *incoming) {
  // cppcheck-suppress unreadVariable ; it owns
  const Owned<GstBuffer> buffer(incoming);
  return push_pictures(CPS_PATCH_RENDER(parent), incoming);
}

// Events

static gboolean patch_render_sink_event(GstPad *pad, GstObject *parent, GstEvent *incoming) {
  CpsPatchRenderPrivate &state = state_of(parent);
  Owned<GstEvent> event(incoming);
  switch (GST_EVENT_TYPE(incoming)) {
  case GST_EVENT_CAPS: // ours follow from the size of a clip's frames, and are sent with the clip
    return TRUE;
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment(incoming, &state.segment);
    state.segment_event = std::move(event);
    return TRUE;
  case GST_EVENT_FLUSH_STOP:
    gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);
    state.segment_event.reset();
    break;
  default:
    break;
  }
  return gst_pad_event_default(pad, parent, event.release());
}

static GstStateChangeReturn patch_render_change_state(GstElement *element, GstStateChange transition) {
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(cps_patch_render_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    CpsPatchRenderPrivate &state = state_of(element);
    state.output->reset();
    state.segment_event.reset();
    gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);
    state.drawn = 0;
  }
  return result;
}

// GObject

static void patch_render_finalize(GObject *object) {
  state_of(object).~CpsPatchRenderPrivate();
  G_OBJECT_CLASS(cps_patch_render_parent_class)->finalize(object);
}

static void cps_patch_render_init(CpsPatchRender *self) {
  auto &state = *new (&state_of(self)) CpsPatchRenderPrivate(self);
  gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);
  auto make_pad = [self](const char *name) {
    return gst_pad_new_from_template(gst_element_get_pad_template(GST_ELEMENT(self), name), name);
  };
  state.sinkpad = make_pad("sink");
  gst_pad_set_chain_function(state.sinkpad, GST_DEBUG_FUNCPTR(patch_render_chain));
  gst_pad_set_event_function(state.sinkpad, GST_DEBUG_FUNCPTR(patch_render_sink_event));
  gst_element_add_pad(GST_ELEMENT(self), state.sinkpad);

  state.srcpad = make_pad("src");
  gst_pad_use_fixed_caps(state.srcpad);
  gst_element_add_pad(GST_ELEMENT(self), state.srcpad);
  state.output.emplace(state.srcpad);
}

static void cps_patch_render_class_init(CpsPatchRenderClass *klass) {
  GST_DEBUG_CATEGORY_INIT(patch_render_debug, "patchrender", 0, "pictures of tensors");
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = cps::set_option<state_of>;
  object_class->get_property = cps::get_option<state_of>;
  object_class->finalize = patch_render_finalize;

  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  g_object_class_install_property(object_class, 1,
                                  g_param_spec_enum("mode", "Mode", "What the pictures show", CPS_TYPE_PICTURE_MODE,
                                                    CPS_PICTURE_MODE_SPARSE, flags));
  g_object_class_install_property(
      object_class, 2,
      g_param_spec_uint("background-color", "Background colour",
                        "Colour of places of which nothing is known, as 0xAARRGGBB; 0xff303030 by default", 0,
                        G_MAXUINT, CPS_PICTURE_BACKGROUND, flags));
  g_object_class_install_property(
      object_class, 3,
      g_param_spec_uint("dim", "Dim",
                        "With sparse and scores, percent of their value that pixels keep that were selected in an "
                        "earlier frame (0 = background-color instead)",
                        0, 100, CPS_PICTURE_DIM, flags));

  auto *element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = GST_DEBUG_FUNCPTR(patch_render_change_state);
  const Owned<GstCaps> video(gst_caps_from_string(GST_VIDEO_CAPS_MAKE("RGBA")));
  cps::add_pad_template(element_class, "sink", GST_PAD_SINK, cps::tensor_template_caps("format=static").get());
  cps::add_pad_template(element_class, "src", GST_PAD_SRC, video.get());
  gst_element_class_set_static_metadata(element_class, "Patch renderer", "Converter/Tensor/Video",
                                        "Draws the selected patches of a clip as video", "The codecpatch developers");
  gst_type_mark_as_plugin_api(CPS_TYPE_PICTURE_MODE, static_cast<GstPluginAPIFlags>(0));
}
