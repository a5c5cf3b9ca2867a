// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-patchselect
 * @title: patchselect
 *
 * Scores the patches of a sequence of frames by their energy (#CpsEnergyMeta, from patchenergy), selects the
 * #CpsPatchSelect:k-keep that carry the most, and cuts them out at target size: one buffer of three tensors a sequence.
 *
 * | tensor | shape, type | contents |
 * |---|---|---|
 * | `patches` | [K,3,P,P], #CpsPatchSelect:output-dtype | RGB, 0..255 before scaling |
 * | `meta_fields` | [K,6] int64 | seq_pos, frame_id, is_i, patch_linear_idx, patch_h_idx, patch_w_idx |
 * | `meta_scores` | [K] float32 | the patch's score |
 *
 * The tensors and the clip's metadata are described by a #CpsTensorMeta. Frames are released as they come: only their
 * planes at target size are kept until the sequence is whole.
 *
 * Frames in CUDA memory are processed on their GPU, and the tensors are there, too, unless only tensors in system
 * memory are taken downstream: then so are frames.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=v.mp4 ! qtdemux ! h264parse ! frameplanner ! avdec_h264
 *     ! uniformsampler sequence-length=16 ! patchenergy ! patchselect k-keep=2048 output-dtype=bf16
 *     ! tensormetasink location=clip-%05d.safetensors
 * ]|
 */
#include "gst/elements/patchselect.h"

#include "gst/elements/clipbuilder.h"
#include "gst/elements/memorykind.h"
#include "gst/elements/options.h"

GST_DEBUG_CATEGORY_STATIC(patch_select_debug);
#define GST_CAT_DEFAULT patch_select_debug

using cps::Owned;

#define CPS_TYPE_SELECTION_UNIT (cps_selection_unit_get_type())
static GType cps_selection_unit_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::SelectionUnit::Patch), "Single patches", "patch"},
        {static_cast<gint>(cps::SelectionUnit::Block2x2), "Blocks of 2x2 patches", "block2x2"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsSelectionUnit", values);
  }();
  return type;
}

#define CPS_TYPE_OUTPUT_DTYPE (cps_output_dtype_get_type())
static GType cps_output_dtype_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {CPS_DTYPE_U8, "Unsigned 8-bit integers, rounded half to even", "u8"},
        {CPS_DTYPE_F16, "Half precision", "f16"},
        {CPS_DTYPE_BF16, "bfloat16", "bf16"},
        {CPS_DTYPE_F32, "Single precision", "f32"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsOutputDtype", values);
  }();
  return type;
}

#define CPS_TYPE_COLOR_MATRIX (cps_color_matrix_get_type())
static GType cps_color_matrix_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {GST_VIDEO_COLOR_MATRIX_UNKNOWN, "What the caps say", "auto"},
        {GST_VIDEO_COLOR_MATRIX_BT601, "ITU-R BT.601", "bt601"},
        {GST_VIDEO_COLOR_MATRIX_BT709, "ITU-R BT.709", "bt709"},
        {GST_VIDEO_COLOR_MATRIX_BT2020, "ITU-R BT.2020", "bt2020"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsColorMatrix", values);
  }();
  return type;
}

struct CpsPatchSelectPrivate {
  explicit CpsPatchSelectPrivate(gpointer object) : options(object), context(GST_ELEMENT_CAST(object)) {}

  GstPad *sinkpad = nullptr;
  GstPad *srcpad = nullptr;
  cps::Options options;
  cps::StageContext context;

  // Streaming thread
  GstVideoInfo info = {};
  bool cuda = false; // what the caps say of memory
  GstSegment segment = {};
  Owned<GstEvent> segment_event; // waits for the caps
  Owned<GstCaps> src_caps;
  Owned<CpsPlan> plan;                         // from the sampler
  std::unique_ptr<cps::ClipBuilder> clip;      // in that memory
  Owned<GstStructure> clip_options;            // what the clip is made with
  GstClockTime clip_pts = GST_CLOCK_TIME_NONE; // of its first frame, in the segment
  bool collecting = false;                     // a clip has begun and is not whole yet
};

struct _CpsPatchSelect {
  GstElement parent;
};

G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsPatchSelect, cps_patch_select, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(patchselect, "patchselect", GST_RANK_NONE, CPS_TYPE_PATCH_SELECT)

static CpsPatchSelectPrivate &state_of(gpointer self) {
  return *static_cast<CpsPatchSelectPrivate *>(cps_patch_select_get_instance_private(CPS_PATCH_SELECT(self)));
}

static GstFlowReturn report(CpsPatchSelect *self, const cps::StageError &error) {
  gst_element_message_full(GST_ELEMENT(self), GST_MESSAGE_ERROR, error.domain, error.code, g_strdup(error.text.c_str()),
                           nullptr, __FILE__, GST_FUNCTION, __LINE__);
  return GST_FLOW_ERROR;
}

// Where the stream comes from: a path, a URI, or nullptr where nobody says.
static gchar *stream_source(GstPad *sinkpad) {
  const Owned<GstQuery> query(gst_query_new_uri());
  gchar *uri = nullptr;
  if (gst_pad_peer_query(sinkpad, query.get()))
    gst_query_parse_uri(query.get(), &uri);
  gchar *path = uri ? g_filename_from_uri(uri, nullptr, nullptr) : nullptr;
  if (!path)
    return uri;
  g_free(uri);
  return path;
}

static GstClockTime stream_time(const GstSegment &segment, GstClockTime pts) {
  return segment.format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(pts)
             ? gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, pts)
             : pts;
}

// What the clip's metadata says beside sizes and frames.
static Owned<CpsClip> describe_clip(CpsPatchSelect *self, const CpsFrameMeta &frame, const CpsEnergyMeta &energy) {
  CpsPatchSelectPrivate &state = state_of(self);
  Owned<CpsClip> clip = state.clip->describe();
  clip->clip_index = frame.clip_index;
  clip->source = stream_source(state.sinkpad);
  if (state.plan) {
    clip->fps = state.plan->fps;
    clip->duration = state.plan->duration;
    cps::merge_options(clip->options, state.plan->options);
  } else if (GST_VIDEO_INFO_FPS_N(&state.info) > 0) {
    clip->fps = static_cast<double>(GST_VIDEO_INFO_FPS_N(&state.info)) / GST_VIDEO_INFO_FPS_D(&state.info);
  }
  if (!GST_CLOCK_TIME_IS_VALID(clip->duration) && clip->fps > 0 && frame.total > 0)
    clip->duration = static_cast<GstClockTime>(static_cast<double>(frame.total) / clip->fps * GST_SECOND);
  gst_structure_set(clip->options, "energy-mode", G_TYPE_STRING, g_quark_to_string(energy.mode), "energy-pct",
                    G_TYPE_DOUBLE, energy.percentile, nullptr);
  cps::merge_options(clip->options, state.clip_options.get());
  return clip;
}

static bool send_caps(CpsPatchSelectPrivate &state) {
  const std::vector<CpsTensor> &tensors = state.clip->tensors();
  Owned<GstCaps> caps(cps_tensors_to_caps(tensors.data(), static_cast<guint>(tensors.size()),
                                          state.cuda ? cps::kCudaFeature : nullptr));
  if (!state.src_caps || !gst_caps_is_equal(caps.get(), state.src_caps.get())) {
    if (!gst_pad_push_event(state.srcpad, gst_event_new_caps(caps.get())))
      return false;
    state.src_caps = std::move(caps);
  }
  if (state.segment_event)
    gst_pad_push_event(state.srcpad, state.segment_event.release());
  return true;
}

static GstFlowReturn begin_clip(CpsPatchSelect *self, const cps::CropRect &crop, const CpsFrameMeta &first) {
  CpsPatchSelectPrivate &state = state_of(self);
  state.clip_options = state.options.snapshot();
  gst_structure_remove_field(state.clip_options.get(), "cuda-device-id"); // where, not what
  state.clip_pts = first.pts;
  cps::ClipOptions options;
  cps::StageError error = {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, ""};
  if (!cps::read_clip_options(state.clip_options.get(), options, error.text))
    return report(self, error);
  if (!state.clip)
    state.clip = std::make_unique<cps::ClipBuilder>(cps::make_clip_stage(state.cuda, state.context));
  if (!state.clip->begin(options, state.info, crop, first.seq_len, error))
    return report(self, error);
  state.collecting = true;
  if (send_caps(state))
    return GST_FLOW_OK;
  return GST_PAD_IS_FLUSHING(state.srcpad) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
}

// Is this the frame that the clip goes on with? Posts an error where it is not.
static bool check_frame(CpsPatchSelect *self, const CpsFrameMeta *frame, const CpsEnergyMeta *energy,
                        const cps::CropRect &crop) {
  const CpsPatchSelectPrivate &state = state_of(self);
  if (!frame || frame->seq_len == 0 || frame->seq_len > cps::kMaxPositions || frame->seq_pos >= frame->seq_len) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                      ("The frames belong to no sequence: put a uniformsampler before patchenergy."),
                      ("no CpsFrameMeta with a sequence position on the buffer"));
    return false;
  }
  if (!energy) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("The frames have no energy: put a patchenergy right before patchselect."),
                      ("no CpsEnergyMeta on the buffer"));
    return false;
  }
  if (static_cast<int>(energy->frame_width) != crop.width || static_cast<int>(energy->frame_height) != crop.height) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                      ("The energy belongs to a frame of %ux%u, but the frame is %dx%d: put no element between "
                       "patchenergy and patchselect.",
                       energy->frame_width, energy->frame_height, crop.width, crop.height),
                      (nullptr));
    return false;
  }
  const guint expected = state.collecting ? state.clip->added() : 0;
  if (frame->seq_pos != expected || (state.collecting && frame->seq_len != state.clip->length())) {
    GST_ELEMENT_ERROR(
        self, STREAM, FAILED,
        ("Frame %u of a sequence of %u came where frame %u was due.", frame->seq_pos, frame->seq_len, expected),
        (nullptr));
    return false;
  }
  if (state.collecting && !(crop == state.clip->crop())) {
    GST_ELEMENT_ERROR(
        self, STREAM, FORMAT,
        ("The resolution changed from %dx%d to %dx%d in the middle of a clip: sample each part by its own, "
         "with start and stop of uniformsampler, or scale the frames to one size.",
         state.clip->crop().width, state.clip->crop().height, crop.width, crop.height),
        (nullptr));
    return false;
  }
  return true;
}

static GstFlowReturn push_clip(CpsPatchSelect *self, const CpsFrameMeta &last, const CpsEnergyMeta &energy) {
  CpsPatchSelectPrivate &state = state_of(self);
  state.collecting = false;
  cps::StageError error;
  Owned<GstBuffer> tensors = state.clip->finish(error);
  if (!tensors)
    return report(self, error);
  Owned<CpsClip> clip = describe_clip(self, last, energy);
  GST_BUFFER_PTS(tensors.get()) = state.clip_pts;
  GST_BUFFER_OFFSET(tensors.get()) = clip->clip_index;
  const std::vector<CpsTensor> &list = state.clip->tensors();
  cps_buffer_add_tensor_meta(tensors.get(), list.data(), static_cast<guint>(list.size()), clip.release());
  return gst_pad_push(state.srcpad, tensors.release());
}

static GstFlowReturn take_frame(CpsPatchSelect *self, GstBuffer *incoming) {
  CpsPatchSelectPrivate &state = state_of(self);
  const CpsFrameMeta *frame = cps_buffer_get_frame_meta(incoming);
  const CpsEnergyMeta *energy = cps_buffer_get_energy_meta(incoming);
  cps::CropRect crop;
  if (!state.info.finfo || GST_VIDEO_INFO_FORMAT(&state.info) == GST_VIDEO_FORMAT_UNKNOWN)
    return GST_FLOW_NOT_NEGOTIATED;
  if (!cps::crop_of(incoming, state.info, crop)) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("The frame's crop meta lies outside of the frame."), (nullptr));
    return GST_FLOW_ERROR;
  }
  if (!check_frame(self, frame, energy, crop))
    return GST_FLOW_ERROR;
  if (!state.collecting) {
    const GstFlowReturn flow = begin_clip(self, crop, *frame);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  cps::StageError error;
  if (!state.clip->add(incoming, *energy,
                       {frame->frame_id, stream_time(state.segment, frame->pts),
                        (frame->flags & CPS_FRAME_FLAG_RANDOM_ACCESS) != 0, frame->status},
                       error))
    return report(self, error);
  return state.clip->whole() ? push_clip(self, *frame, *energy) : GST_FLOW_OK;
}

static GstFlowReturn patch_select_chain(GstPad *, GstObject *parent, GstBuffer *incoming) {
  // cppcheck-suppress unreadVariable ; it owns
  const Owned<GstBuffer> buffer(incoming);
  const GstFlowReturn flow = take_frame(CPS_PATCH_SELECT(parent), incoming);
  if (flow == GST_FLOW_ERROR) // which has been told: the end of stream that follows is no error of its own
    state_of(parent).collecting = false;
  return flow;
}

// Events

static gboolean set_caps(CpsPatchSelect *self, GstCaps *caps) {
  CpsPatchSelectPrivate &state = state_of(self);
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps))
    return FALSE;
  const GstVideoInfo &old = state.info;
  const bool cuda = cps::is_cuda_caps(caps);
  if (!state.collecting || (cuda == state.cuda && cps::same_layout(old, info) && cps::same_colors(old, info))) {
    if (cuda != state.cuda)
      state.clip.reset();
    state.info = info;
    state.cuda = cuda;
    return TRUE;
  }
  const auto describe = [](const GstVideoInfo &i, bool in_cuda) {
    const Owned<gchar> colors(gst_video_colorimetry_to_string(&i.colorimetry));
    return std::to_string(i.width) + "x" + std::to_string(i.height) + " " + i.finfo->name +
           (colors ? std::string(" ") + colors.get() : "") + (in_cuda ? " in CUDA memory" : "");
  };
  GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                    ("The video changed from %s to %s in the middle of a clip: sample each part by its own, with start "
                     "and stop of uniformsampler, or convert the frames to one format.",
                     describe(old, state.cuda).c_str(), describe(info, cuda).c_str()),
                    (nullptr));
  return FALSE;
}

static gboolean patch_select_sink_event(GstPad *pad, GstObject *parent, GstEvent *incoming) {
  auto *self = CPS_PATCH_SELECT(parent);
  CpsPatchSelectPrivate &state = state_of(self);
  Owned<GstEvent> event(incoming);
  if (CpsPlan *plan = cps_event_parse_plan(incoming)) {
    state.plan.reset(cps_plan_ref(plan));
    return TRUE;
  }
  switch (GST_EVENT_TYPE(incoming)) {
  case GST_EVENT_CAPS: {
    GstCaps *caps;
    gst_event_parse_caps(incoming, &caps);
    return set_caps(self, caps); // ours follow with the clip
  }
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment(incoming, &state.segment);
    state.segment_event = std::move(event);
    return TRUE;
  case GST_EVENT_CUSTOM_DOWNSTREAM:
    if (!gst_event_has_name(incoming, cps::kSequenceFailed))
      break;
    state.collecting = false;
    return TRUE;
  case GST_EVENT_GAP: // nothing to fill between clips
    return TRUE;
  case GST_EVENT_FLUSH_STOP:
    state.collecting = false;
    state.segment_event.reset();
    state.plan.reset();
    break;
  case GST_EVENT_EOS:
    if (state.collecting)
      GST_ELEMENT_ERROR(
          self, STREAM, FAILED,
          ("The stream ended after %u of the %u frames of a clip.", state.clip->added(), state.clip->length()),
          (nullptr));
    state.collecting = false;
    break;
  default:
    break;
  }
  return gst_pad_event_default(pad, parent, event.release());
}

static gboolean patch_select_sink_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  CpsPatchSelectPrivate &state = state_of(parent);
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_ALLOCATION:
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
    gst_query_add_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr);
    return TRUE;
  case GST_QUERY_CAPS: { // which the default answers ACCEPT_CAPS by
    GstCaps *filter;
    gst_query_parse_caps(query, &filter);
    gst_query_set_caps_result(query, cps::video_caps_for_peer(pad, state.srcpad, filter).get());
    cps::prefer_the_copy(query);
    return TRUE;
  }
  default:
    return state.context.answer(query) || gst_pad_query_default(pad, parent, query);
  }
}

static gboolean patch_select_src_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  return state_of(parent).context.answer(query) || gst_pad_query_default(pad, parent, query);
}

static void patch_select_set_context(GstElement *element, GstContext *context) {
  state_of(element).context.set_context(context);
  GST_ELEMENT_CLASS(cps_patch_select_parent_class)->set_context(element, context);
}

static GstStateChangeReturn patch_select_change_state(GstElement *element, GstStateChange transition) {
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(cps_patch_select_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    CpsPatchSelectPrivate &state = state_of(element);
    state.collecting = false;
    state.clip.reset();
    state.context.release();
    state.segment_event.reset();
    state.src_caps.reset();
    state.plan.reset();
    gst_video_info_init(&state.info);
    gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);
  }
  return result;
}

// GObject

static void patch_select_finalize(GObject *object) {
  state_of(object).~CpsPatchSelectPrivate();
  G_OBJECT_CLASS(cps_patch_select_parent_class)->finalize(object);
}

static void cps_patch_select_init(CpsPatchSelect *self) {
  CpsPatchSelectPrivate &state = *new (&state_of(self)) CpsPatchSelectPrivate(self);
  gst_video_info_init(&state.info);
  gst_segment_init(&state.segment, GST_FORMAT_UNDEFINED);

  auto make_pad = [self](const char *name) {
    return gst_pad_new_from_template(gst_element_get_pad_template(GST_ELEMENT(self), name), name);
  };
  state.sinkpad = make_pad("sink");
  gst_pad_set_chain_function(state.sinkpad, patch_select_chain);
  gst_pad_set_event_function(state.sinkpad, patch_select_sink_event);
  gst_pad_set_query_function(state.sinkpad, patch_select_sink_query);
  gst_element_add_pad(GST_ELEMENT(self), state.sinkpad);

  state.srcpad = make_pad("src");
  gst_pad_set_query_function(state.srcpad, patch_select_src_query);
  gst_pad_use_fixed_caps(state.srcpad);
  gst_element_add_pad(GST_ELEMENT(self), state.srcpad);
}

static void install_properties(GObjectClass *object_class) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  guint id = 0;
  auto install = [&](GParamSpec *spec) { g_object_class_install_property(object_class, ++id, spec); };
  install(g_param_spec_int("input-size", "Input size",
                           "Side in pixels of the square whose area the target size is near", G_MININT, G_MAXINT, 224,
                           flags));
  install(g_param_spec_int("min-pixels", "Minimum pixels",
                           "Smaller frames are scaled up to this area (0 = input-size squared)", G_MININT, G_MAXINT, 0,
                           flags));
  install(g_param_spec_int("max-pixels", "Maximum pixels",
                           "Larger frames are scaled down to this area (0 = input-size squared)", G_MININT, G_MAXINT, 0,
                           flags));
  install(g_param_spec_int("patch-size", "Patch size", "Side of a patch in pixels at target size", G_MININT, G_MAXINT,
                           14, flags));
  install(g_param_spec_int("k-keep", "Patches to keep", "Patches to select from a clip; 0 or less selects none",
                           G_MININT, G_MAXINT, 2048, flags));
  install(g_param_spec_enum("selection-unit", "Selection unit", "What is selected as a whole", CPS_TYPE_SELECTION_UNIT,
                            static_cast<gint>(cps::SelectionUnit::Patch), flags));
  install(g_param_spec_boolean("static-fallback", "Static fallback",
                               "Favour a few evenly spread frames where the clip hardly moves", FALSE, flags));
  install(g_param_spec_double(
      "static-abs-thresh", "Static threshold",
      "Mean energy of a pixel that the clip stays under to count as static (divided by 255 above 1)", -G_MAXDOUBLE,
      G_MAXDOUBLE, 2, flags));
  install(g_param_spec_double("static-rel-thresh", "Static contrast threshold",
                              "Relative contrast of the energy that a clip near static-abs-thresh stays under",
                              -G_MAXDOUBLE, G_MAXDOUBLE, 0.15, flags));
  install(g_param_spec_int("static-uniform-frames", "Static frames",
                           "Frames that the static fallback favours (0 = none)", G_MININT, G_MAXINT, 4, flags));
  install(g_param_spec_enum("output-dtype", "Output type", "Element type of the patches tensor", CPS_TYPE_OUTPUT_DTYPE,
                            CPS_DTYPE_BF16, flags));
  install(g_param_spec_enum("color-matrix", "Colour matrix", "Matrix that YUV is converted to RGB with",
                            CPS_TYPE_COLOR_MATRIX, GST_VIDEO_COLOR_MATRIX_UNKNOWN, flags));
  install(g_param_spec_double("scale", "Scale", "Factor on RGB values of 0..255, before mean and std (1 = off)",
                              -G_MAXFLOAT, G_MAXFLOAT, 1, flags));
  GParamSpec *channel = g_param_spec_double("channel", "Channel", "One channel", -G_MAXFLOAT, G_MAXFLOAT, 0, flags);
  install(gst_param_spec_array("mean", "Mean", "What is subtracted from R, G and B after scale (empty = off)", channel,
                               flags));
  install(gst_param_spec_array("std", "Standard deviation", "What R, G and B are divided by after mean (empty = off)",
                               channel, flags));
  install(cps::cuda_device_id_spec());
}

static void cps_patch_select_class_init(CpsPatchSelectClass *klass) {
  GST_DEBUG_CATEGORY_INIT(patch_select_debug, "patchselect", 0, "patch selection");
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = cps::set_option<state_of>;
  object_class->get_property = cps::get_option<state_of>;
  object_class->finalize = patch_select_finalize;
  install_properties(object_class);

  auto *element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = patch_select_change_state;
  element_class->set_context = patch_select_set_context;
  cps::add_pad_template(element_class, "sink", GST_PAD_SINK, cps::video_template_caps().get());
  cps::add_pad_template(element_class, "src", GST_PAD_SRC,
                        cps::tensor_template_caps("format=static, num_tensors=3, framerate=0/1").get());
  gst_element_class_set_static_metadata(element_class, "Patch selector", "Converter/Video/Tensor",
                                        "Selects the most informative patches of a frame sequence as tensors",
                                        "The codecpatch developers");
  for (GType type : {CPS_TYPE_SELECTION_UNIT, CPS_TYPE_OUTPUT_DTYPE, CPS_TYPE_COLOR_MATRIX})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}
