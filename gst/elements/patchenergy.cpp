// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-patchenergy
 * @title: patchenergy
 *
 * Attaches to each frame a map of how much every spot of it carries (#CpsEnergyMeta). The pixels pass untouched.
 *
 * With energy-mode=motion-residual a reduced luma is compared with that of the frame before: for each of its pixels the
 * best match within a few pixels gives a motion and a residual; both are normalised by a percentile over the frame and
 * averaged. The first frame of a sequence has no energy.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=v.mp4 ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler !
 * patchenergy ! patchselect ! tensormetasink location=clip-%05d.safetensors
 * ]|
 */
#include "gst/elements/patchenergy.h"

#include "gst/codecpatch/cpsenergymeta.h"
#include "gst/codecpatch/cpsframemeta.h"
#include "gst/elements/options.h"
#include "gst/elements/picture.h"
#include "kernels/energy.h"

#include <algorithm>

GST_DEBUG_CATEGORY_STATIC(patch_energy_debug);
#define GST_CAT_DEFAULT patch_energy_debug

using cps::Owned;

typedef enum { ENERGY_MODE_MOTION_RESIDUAL } EnergyMode;

#define CPS_TYPE_ENERGY_MODE (cps_energy_mode_get_type())
static GType cps_energy_mode_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {ENERGY_MODE_MOTION_RESIDUAL, "Motion of single pixels and what it leaves, on reduced luma", "motion-residual"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsEnergyMode", values);
  }();
  return type;
}

struct CpsPatchEnergyPrivate {
  explicit CpsPatchEnergyPrivate(gpointer object) : options(object) {}

  cps::Options options;

  // Streaming thread
  GstVideoInfo info = {};
  cps::CropRect crop;
  std::unique_ptr<cps::MotionResidual> energy; // for info and crop
  double percentile = 0;
  Owned<GstBufferPool> maps;
  bool have_previous = false;
  guint64 previous_id = CPS_FRAME_ID_NONE;
};

struct _CpsPatchEnergy {
  GstBaseTransform parent;
};

G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsPatchEnergy, cps_patch_energy, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(patchenergy, "patchenergy", GST_RANK_NONE, CPS_TYPE_PATCH_ENERGY)

static CpsPatchEnergyPrivate &state_of(gpointer self) {
  return *static_cast<CpsPatchEnergyPrivate *>(cps_patch_energy_get_instance_private(CPS_PATCH_ENERGY(self)));
}

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(CPS_VIDEO_FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(CPS_VIDEO_FORMATS)));

static void forget_pictures(CpsPatchEnergyPrivate &state) {
  state.have_previous = false;
  state.previous_id = CPS_FRAME_ID_NONE;
}

static void release_resources(CpsPatchEnergyPrivate &state) {
  forget_pictures(state);
  state.energy.reset();
  if (state.maps)
    gst_buffer_pool_set_active(state.maps.get(), FALSE);
  state.maps.reset();
}

// Makes what depends on the size of the frames. False where the pool cannot be had.
static bool prepare(CpsPatchEnergy *self, const cps::CropRect &crop) {
  CpsPatchEnergyPrivate &state = state_of(self);
  release_resources(state);
  state.crop = crop;
  state.percentile = std::clamp(cps::option_double(state.options.snapshot().get(), "energy-pct"), 1.0, 100.0);
  state.energy = std::make_unique<cps::MotionResidual>(cps::picture_layout(state.info, crop), state.percentile);
  const cps::Size size = state.energy->map_size();
  state.maps.reset(gst_buffer_pool_new());
  GstStructure *config = gst_buffer_pool_get_config(state.maps.get());
  const size_t bytes = static_cast<size_t>(size.width) * static_cast<size_t>(size.height) * sizeof(float);
  gst_buffer_pool_config_set_params(config, nullptr, static_cast<guint>(bytes), 1, 0);
  return gst_buffer_pool_set_config(state.maps.get(), config) && gst_buffer_pool_set_active(state.maps.get(), TRUE);
}

// The energy of `picture` into a buffer of the pool. nullptr where there is none to be had.
static Owned<GstBuffer> energy_map(CpsPatchEnergyPrivate &state, const cps::PictureView &picture,
                                   const CpsFrameMeta *meta) {
  GstBuffer *acquired = nullptr;
  if (gst_buffer_pool_acquire_buffer(state.maps.get(), &acquired, nullptr) != GST_FLOW_OK)
    return nullptr;
  Owned<GstBuffer> map(acquired);
  GstMapInfo info;
  if (!gst_buffer_map(map.get(), &info, GST_MAP_WRITE))
    return nullptr;
  auto *out = reinterpret_cast<float *>(info.data);
  const bool first = !state.have_previous || (meta && meta->seq_len > 0 && meta->seq_pos == 0);
  const bool own_picture = meta && meta->status == CPS_FRAME_STATUS_OK;
  if (!first && own_picture && meta->frame_id == state.previous_id && meta->frame_id != CPS_FRAME_ID_NONE)
    state.energy->repeat(out);
  else
    state.energy->next(picture, first, out);
  gst_buffer_unmap(map.get(), &info);
  state.have_previous = true;
  state.previous_id = own_picture ? meta->frame_id : CPS_FRAME_ID_NONE;
  return map;
}

static GstFlowReturn patch_energy_transform_ip(GstBaseTransform *trans, GstBuffer *buffer) {
  auto *self = CPS_PATCH_ENERGY(trans);
  CpsPatchEnergyPrivate &state = state_of(self);
  cps::CropRect crop;
  if (!cps::crop_of(buffer, state.info, crop)) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("The frame's crop meta lies outside of the frame."), (nullptr));
    return GST_FLOW_ERROR;
  }
  if ((!state.energy || !(crop == state.crop)) && !prepare(self, crop)) {
    GST_ELEMENT_ERROR(self, RESOURCE, FAILED, ("Could not allocate energy maps."), (nullptr));
    return GST_FLOW_ERROR;
  }
  Owned<GstBuffer> map;
  {
    const cps::MappedPicture picture(buffer, state.info, crop);
    if (picture)
      map = energy_map(state, picture.view(), cps_buffer_get_frame_meta(buffer));
  }
  if (!map) {
    GST_ELEMENT_ERROR(self, RESOURCE, READ, ("Could not read a frame: its memory is smaller than its caps say."),
                      (nullptr));
    return GST_FLOW_ERROR;
  }
  const cps::Size size = state.energy->map_size();
  cps_buffer_add_energy_meta(buffer, map.release(), static_cast<guint>(size.width), static_cast<guint>(size.height),
                             static_cast<guint>(crop.width), static_cast<guint>(crop.height),
                             g_quark_from_static_string("motion-residual"), state.percentile);
  return GST_FLOW_OK;
}

// Metas go onto the frame itself; where somebody else holds it, onto a copy that shares the pixels.
static GstFlowReturn patch_energy_prepare_output_buffer(GstBaseTransform *, GstBuffer *input, GstBuffer **output) {
  *output = gst_buffer_is_writable(input) ? input : gst_buffer_copy(input);
  return GST_FLOW_OK;
}

static gboolean patch_energy_set_caps(GstBaseTransform *trans, GstCaps *caps, GstCaps *) {
  CpsPatchEnergyPrivate &state = state_of(trans);
  const GstVideoInfo old = state.info;
  if (!gst_video_info_from_caps(&state.info, caps))
    return FALSE;
  if (!cps::same_layout(old, state.info))
    release_resources(state);
  return TRUE;
}

static gboolean patch_energy_propose_allocation(GstBaseTransform *, GstQuery *, GstQuery *query) {
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  gst_query_add_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr);
  return TRUE;
}

static gboolean patch_energy_sink_event(GstBaseTransform *trans, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
    forget_pictures(state_of(trans));
  return GST_BASE_TRANSFORM_CLASS(cps_patch_energy_parent_class)->sink_event(trans, event);
}

static gboolean patch_energy_stop(GstBaseTransform *trans) {
  release_resources(state_of(trans));
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
                            ENERGY_MODE_MOTION_RESIDUAL, flags));
  install(g_param_spec_double("energy-pct", "Energy percentile",
                              "Percentile of a frame that counts as full motion or residual (clamped to 1..100)",
                              -G_MAXDOUBLE, G_MAXDOUBLE, 95, flags));

  auto *element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Patch energy", "Filter/Analyzer/Video",
                                        "Attaches a map of motion and residual energy to video frames",
                                        "The codecpatch developers");

  auto *trans_class = GST_BASE_TRANSFORM_CLASS(klass);
  trans_class->set_caps = patch_energy_set_caps;
  trans_class->stop = patch_energy_stop;
  trans_class->sink_event = patch_energy_sink_event;
  trans_class->propose_allocation = patch_energy_propose_allocation;
  trans_class->prepare_output_buffer = patch_energy_prepare_output_buffer;
  trans_class->transform_ip = patch_energy_transform_ip;
  gst_type_mark_as_plugin_api(CPS_TYPE_ENERGY_MODE, static_cast<GstPluginAPIFlags>(0));
}
