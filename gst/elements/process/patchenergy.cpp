// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-patchenergy
 * @title: patchenergy
 *
 * Attaches to each frame a map of the energy of its parts (#CpsEnergyMeta). Does not change the pixels.
 *
 * With #CpsPatchEnergy:energy-mode motion-residual, a reduced luma is compared with that of the previous frame: for
 * each of its pixels the best match within a few pixels gives a motion and a residual; both are normalised by a
 * percentile over the frame and averaged. With frame-difference the energy is the absolute difference of the reduced
 * luma, which costs less. The first frame of a sequence has no energy.
 *
 * Frames in CUDA memory are processed on their GPU, and the map is in its memory.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=v.mp4 ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler !
 * patchenergy ! patchselect ! tensormetasink location=clip-%05d.safetensors
 * ]|
 * |[
 * gst-launch-1.0 filesrc location=v.mp4 ! qtdemux ! h264parse ! frameplanner ! nvh264sldec ! uniformsampler !
 * patchenergy ! patchselect ! tensormetasink location=clip-%05d.safetensors
 * ]| The same on an NVIDIA GPU from the decoder on.
 *
 * Since: 0.1
 */
#include "gst/elements/process/patchenergy.h"

#include "gst/codecpatch/cpsframemeta.h"
#include "gst/elements/common/memorykind.h"
#include "gst/elements/common/options.h"
#include "gst/elements/common/sequencefailed.h"
#include "gst/elements/process/stages.h"
#include "kernels/geometry.h"

#include <algorithm>

GST_DEBUG_CATEGORY_STATIC(patch_energy_debug);
#define GST_CAT_DEFAULT patch_energy_debug

using cps::Owned;

#define CPS_TYPE_ENERGY_MODE (cps_energy_mode_get_type())
static GType cps_energy_mode_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::EnergyMode::MotionResidual),
         "Motion of single pixels and what it leaves, on reduced luma", "motion-residual"},
        {static_cast<gint>(cps::EnergyMode::FrameDifference), "Difference from the previous frame, on reduced luma",
         "frame-difference"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsEnergyMode", values);
  }();
  return type;
}

struct CpsPatchEnergyPrivate {
  explicit CpsPatchEnergyPrivate(gpointer object) : options(object), context(GST_ELEMENT_CAST(object)) {}

  cps::Options options;
  cps::StageContext context;

  // Streaming thread
  GstVideoInfo info = {};
  bool cuda = false; // the caps have CUDA memory
  cps::ReadRegion crop;
  std::unique_ptr<cps::EnergyStage> energy; // for info, memory and crop
  cps::EnergyOptions energy_options;        // likewise
  bool have_previous = false;
  guint64 previous_id = CPS_FRAME_ID_NONE;
  Owned<GstBuffer> repeat; // the map of the previous frame, if that was a repeat
};

struct _CpsPatchEnergy {
  GstBaseTransform parent;
};

G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsPatchEnergy, cps_patch_energy, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(patchenergy, "patchenergy", GST_RANK_NONE, CPS_TYPE_PATCH_ENERGY)

static CpsPatchEnergyPrivate &state_of(gpointer self) {
  return *static_cast<CpsPatchEnergyPrivate *>(cps_patch_energy_get_instance_private(CPS_PATCH_ENERGY(self)));
}

static void forget_pictures(CpsPatchEnergyPrivate &state) {
  state.have_previous = false;
  state.previous_id = CPS_FRAME_ID_NONE;
  state.repeat.reset();
}

static void release_resources(CpsPatchEnergyPrivate &state) {
  forget_pictures(state);
  state.energy.reset();
}

// Prepares the stage for the size of the frames.
static bool prepare(CpsPatchEnergy *self, const cps::ReadRegion &crop, cps::ElementError &error) {
  CpsPatchEnergyPrivate &state = state_of(self);
  forget_pictures(state);
  state.crop = crop;
  const Owned<GstStructure> options = state.options.snapshot();
  state.energy_options.mode = static_cast<cps::EnergyMode>(cps::option_enum(options.get(), "energy-mode"));
  state.energy_options.percentile = std::clamp(cps::option_double(options.get(), "energy-pct"), 1.0, 100.0);
  if (!state.energy)
    state.energy = cps::make_energy_stage(state.cuda, state.context);
  GST_DEBUG_OBJECT(self, "energy maps of %dx%d, on the %s", crop.width, crop.height, state.cuda ? "GPU" : "CPU");
  return state.energy->begin(state.info, crop, state.energy_options, error);
}

static const char *step_text(cps::EnergyStep step) {
  return step == cps::EnergyStep::First    ? "the first of a sequence"
         : step == cps::EnergyStep::Repeat ? "the same picture once more"
                                           : "compared with the frame before it";
}

static Owned<GstBuffer> energy_map(CpsPatchEnergy *self, GstBuffer *frame, const CpsFrameMeta *meta,
                                   cps::ElementError &error) {
  CpsPatchEnergyPrivate &state = state_of(self);
  const bool own_picture = meta && cps::is_own_picture(meta->status);
  cps::EnergyStep step = cps::EnergyStep::Next;
  if (!state.have_previous || (meta && meta->seq_len > 0 && meta->seq_pos == 0))
    step = cps::EnergyStep::First;
  else if (own_picture && meta->frame_id == state.previous_id && meta->frame_id != CPS_FRAME_ID_NONE)
    step = cps::EnergyStep::Repeat;
  GST_LOG_OBJECT(self, "frame %" G_GINT64_FORMAT ": %s", meta ? static_cast<gint64>(meta->frame_id) : -1,
                 step_text(step));
  const bool again = step == cps::EnergyStep::Repeat;
  Owned<GstBuffer> map = again && state.repeat ? std::move(state.repeat) : state.energy->next(frame, step, error);
  state.repeat.reset(again && map ? gst_buffer_ref(map.get()) : nullptr); // all further repeats have the same map
  state.have_previous = true;
  state.previous_id = own_picture ? meta->frame_id : CPS_FRAME_ID_NONE;
  return map;
}

static GstFlowReturn process(GstBaseTransform *trans, GstBuffer *buffer) {
  auto *self = CPS_PATCH_ENERGY(trans);
  CpsPatchEnergyPrivate &state = state_of(self);
  const CpsFrameMeta *frame = cps_buffer_get_frame_meta(buffer);
  cps::ReadRegion crop;
  cps::ElementError error;
  if (!cps::crop_of(buffer, state.info, frame, crop)) {
    cps::refuse_crop(error);
    return cps::post_error(self, error);
  }
  if ((!state.energy || !(crop == state.crop)) && !prepare(self, crop, error)) {
    state.energy.reset();
    return cps::post_error(self, error);
  }
  Owned<GstBuffer> map = energy_map(self, buffer, frame, error);
  if (!map)
    return cps::post_error(self, error);
  const cps::Size size = cps::small_size({crop.width, crop.height});
  const bool difference = state.energy_options.mode == cps::EnergyMode::FrameDifference;
  CpsEnergyMeta *meta =
      cps_buffer_add_energy_meta(buffer, map.release(), static_cast<guint>(size.width), static_cast<guint>(size.height),
                                 static_cast<guint>(crop.width), static_cast<guint>(crop.height),
                                 g_quark_from_static_string(difference ? "frame-difference" : "motion-residual"),
                                 difference ? 0 : state.energy_options.percentile);
  meta->orientation = crop.orientation;
  return GST_FLOW_OK;
}

// Reports the failure downstream, so that the following EOS is not taken for a premature one.
static GstFlowReturn patch_energy_transform_ip(GstBaseTransform *trans, GstBuffer *buffer) {
  const GstFlowReturn flow = process(trans, buffer);
  if (flow == GST_FLOW_ERROR)
    gst_pad_push_event(GST_BASE_TRANSFORM_SRC_PAD(trans), cps::new_sequence_failed());
  return flow;
}

// Adds the meta to the frame itself or, if its buffer is shared, to a copy that shares the pixels.
static GstFlowReturn patch_energy_prepare_output_buffer(GstBaseTransform *, GstBuffer *input, GstBuffer **output) {
  *output = gst_buffer_is_writable(input) ? input : gst_buffer_copy(input);
  return GST_FLOW_OK;
}

static gboolean patch_energy_set_caps(GstBaseTransform *trans, GstCaps *caps, GstCaps *) {
  CpsPatchEnergyPrivate &state = state_of(trans);
  const GstVideoInfo old = state.info;
  const bool was_cuda = state.cuda;
  if (!cps::video_info_from_caps(state.info, caps))
    return FALSE;
  state.cuda = cps::is_cuda_caps(caps);
  GST_DEBUG_OBJECT(trans, "%" GST_PTR_FORMAT, caps);
  if (state.cuda != was_cuda || !cps::same_layout(old, state.info))
    release_resources(state);
  return TRUE;
}

static gboolean patch_energy_propose_allocation(GstBaseTransform *, GstQuery *, GstQuery *query) {
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  gst_query_add_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr);
  return TRUE;
}

static gboolean patch_energy_query(GstBaseTransform *trans, GstPadDirection direction, GstQuery *query) {
  if (state_of(trans).context.answer(query))
    return TRUE;
  const gboolean answered = GST_BASE_TRANSFORM_CLASS(cps_patch_energy_parent_class)->query(trans, direction, query);
  if (answered && GST_QUERY_TYPE(query) == GST_QUERY_CAPS && direction == GST_PAD_SINK)
    cps::prefer_other_memory(query);
  return answered;
}

static void patch_energy_set_context(GstElement *element, GstContext *context) {
  state_of(element).context.set_context(context);
  GST_ELEMENT_CLASS(cps_patch_energy_parent_class)->set_context(element, context);
}

static gboolean patch_energy_sink_event(GstBaseTransform *trans, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
    forget_pictures(state_of(trans));
  return GST_BASE_TRANSFORM_CLASS(cps_patch_energy_parent_class)->sink_event(trans, event);
}

static gboolean patch_energy_stop(GstBaseTransform *trans) {
  release_resources(state_of(trans));
  state_of(trans).context.release();
  return TRUE;
}

static void patch_energy_finalize(GObject *object) {
  state_of(object).~CpsPatchEnergyPrivate();
  G_OBJECT_CLASS(cps_patch_energy_parent_class)->finalize(object);
}

static void cps_patch_energy_init(CpsPatchEnergy *self) {
  new (&state_of(self)) CpsPatchEnergyPrivate(self);
  gst_video_info_init(&state_of(self).info);
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

static void cps_patch_energy_class_init(CpsPatchEnergyClass *klass) {
  GST_DEBUG_CATEGORY_INIT(patch_energy_debug, "patchenergy", 0, "patch energy");
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = cps::set_option<state_of>;
  object_class->get_property = cps::get_option<state_of>;
  object_class->finalize = patch_energy_finalize;

  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  guint id = 0;
  auto install = [&](GParamSpec *spec) { g_object_class_install_property(object_class, ++id, spec); };
  install(g_param_spec_enum("energy-mode", "Energy mode", "How the energy is computed", CPS_TYPE_ENERGY_MODE,
                            static_cast<gint>(cps::EnergyMode::MotionResidual), flags));
  install(g_param_spec_double(
      "energy-pct", "Energy percentile",
      "Percentile of a frame that counts as full motion or residual (clamped to 1..100); of motion-residual",
      -G_MAXDOUBLE, G_MAXDOUBLE, 95, flags));
  install(cps::cuda_device_id_spec());

  auto *element_class = GST_ELEMENT_CLASS(klass);
  element_class->set_context = GST_DEBUG_FUNCPTR(patch_energy_set_context);
  const Owned<GstCaps> caps = cps::video_template_caps();
  cps::add_pad_template(element_class, "sink", GST_PAD_SINK, caps.get());
  cps::add_pad_template(element_class, "src", GST_PAD_SRC, caps.get());
  gst_element_class_set_static_metadata(element_class, "Patch energy", "Filter/Analyzer/Video",
                                        "Attaches a map of motion and residual energy to video frames",
                                        "The codecpatch developers");

  auto *trans_class = GST_BASE_TRANSFORM_CLASS(klass);
  trans_class->set_caps = GST_DEBUG_FUNCPTR(patch_energy_set_caps);
  trans_class->stop = GST_DEBUG_FUNCPTR(patch_energy_stop);
  trans_class->query = GST_DEBUG_FUNCPTR(patch_energy_query);
  trans_class->sink_event = GST_DEBUG_FUNCPTR(patch_energy_sink_event);
  trans_class->propose_allocation = GST_DEBUG_FUNCPTR(patch_energy_propose_allocation);
  trans_class->prepare_output_buffer = GST_DEBUG_FUNCPTR(patch_energy_prepare_output_buffer);
  trans_class->transform_ip = GST_DEBUG_FUNCPTR(patch_energy_transform_ip);
  gst_type_mark_as_plugin_api(CPS_TYPE_ENERGY_MODE, static_cast<GstPluginAPIFlags>(0));
}
