// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-patchselect
 * @title: patchselect
 *
 * Scores the patches of a sequence of frames by their energy (#CpsEnergyMeta, from patchenergy), selects the top
 * #CpsPatchSelect:k-keep, and cuts them out at target size. Outputs one buffer of three tensors per sequence.
 *
 * | tensor | shape, type | contents |
 * |---|---|---|
 * | `patches` | [K,3,P,P], #CpsPatchSelect:output-dtype | RGB, 0..255 before scaling |
 * | `meta_fields` | [K,6] int64 | seq_pos, frame_id, is_i, patch_linear_idx, patch_h_idx, patch_w_idx |
 * | `meta_scores` | [K] float32 | the patch's score: see #CpsPatchSelect:ranking |
 *
 * If #CpsPatchSelect:ranking is replenishment, the patches are selected such that a replay differs least from the clip,
 * in which each place of the grid shows the patch that was last selected there. This needs no patchenergy. The best of
 * a clip by meta_scores, after those of its first frame, are what a smaller k-keep would have selected.
 *
 * With #CpsPatchSelect:min-score clips have at most k-keep patches, and as many as reach that score. The caps change
 * from clip to clip then.
 *
 * With #CpsPatchSelect:output-layout canvas the selected 2x2 blocks are packed into #CpsPatchSelect:canvases images of
 * the target size, in ascending order of frame, row and column. Each canvas is full; a clip has as many as it has
 * frames, at most. Blocks keep their inner order, and where each patch comes from is in patch_positions.
 *
 * | tensor | shape, type | contents |
 * |---|---|---|
 * | `canvases` | [N,H,W,3] uint8 | RGB |
 * | `patch_positions` | [N*rows*columns,3] int64 | frame_id, row, column of each patch, row by row of the canvases |
 * | `meta_scores` | [N*rows*columns] float32 | the score of the patch there |
 *
 * A #CpsTensorMeta describes the tensors and the clip's metadata. Frames are released when they arrive: only their
 * planes at target size are kept until the sequence is complete.
 *
 * Frames in CUDA memory are processed on their GPU, and the tensors are in its memory. If downstream accepts only
 * tensors in system memory, this element accepts only frames in system memory.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=v.mp4 ! qtdemux ! h264parse ! frameplanner ! avdec_h264
 *     ! uniformsampler sequence-length=16 ! patchenergy ! patchselect k-keep=2048 output-dtype=bf16
 *     ! tensormetasink location=clip-%05d.safetensors
 * ]|
 *
 * Since: 0.1
 */
#include "gst/elements/process/patchselect.h"

#include "gst/elements/common/memorylimit.h"
#include "gst/elements/process/colormatrix.h"
#include "gst/elements/process/patchassembler.h"
#include "gst/elements/process/resampling.h"

GST_DEBUG_CATEGORY_STATIC(patch_select_debug);

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

#define CPS_TYPE_RANKING (cps_ranking_get_type())
static GType cps_ranking_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::Ranking::Energy), "By the energy that patchenergy computes", "energy"},
        {static_cast<gint>(cps::Ranking::Replenishment), "By what a replay of the selected patches would lose",
         "replenishment"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsRanking", values);
  }();
  return type;
}

#define CPS_TYPE_OUTPUT_LAYOUT (cps_output_layout_get_type())
static GType cps_output_layout_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::OutputLayout::Patches), "One patch after the other", "patches"},
        {static_cast<gint>(cps::OutputLayout::Canvas), "Images of the target size, made of the selected blocks",
         "canvas"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsOutputLayout", values);
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

struct _CpsPatchSelect {
  CpsTensorClip parent;
};

G_DEFINE_FINAL_TYPE(CpsPatchSelect, cps_patch_select, CPS_TYPE_TENSOR_CLIP)
GST_ELEMENT_REGISTER_DEFINE(patchselect, "patchselect", GST_RANK_NONE, CPS_TYPE_PATCH_SELECT)

static void cps_patch_select_init(CpsPatchSelect *) {}

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
  install(cps::size_rule_spec());
  install(cps::resample_spec());
  install(g_param_spec_int("patch-size", "Patch size", "Side of a patch in pixels at target size", G_MININT, G_MAXINT,
                           14, flags));
  install(g_param_spec_int("k-keep", "Patches to keep",
                           "Patches to select from a clip; 0 or less selects none; not used with output-layout=canvas",
                           G_MININT, G_MAXINT, 2048, flags));
  install(g_param_spec_enum("ranking", "Ranking",
                            "Score by which patches are selected; replenishment needs no patchenergy", CPS_TYPE_RANKING,
                            static_cast<gint>(cps::Ranking::Energy), flags));
  install(g_param_spec_double("min-score", "Minimum score",
                              "Leave out units whose score in meta_scores is lower, except those of random-access "
                              "frames, or with ranking=replenishment those of the first frame (0 = off)",
                              -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags));
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
  install(g_param_spec_enum("output-layout", "Output layout",
                            "How the selected patches are put out; canvas needs selection-unit=block2x2 and canvases, "
                            "and no min-score",
                            CPS_TYPE_OUTPUT_LAYOUT, static_cast<gint>(cps::OutputLayout::Patches), flags));
  install(g_param_spec_uint("canvases", "Canvases",
                            "Canvases to fill with output-layout=canvas, in place of k-keep; a clip has at most "
                            "one for each frame",
                            0, G_MAXUINT, 0, flags));
  install(g_param_spec_enum("output-dtype", "Output type",
                            "Element type of the patches tensor; not used with output-layout=canvas, which is u8",
                            CPS_TYPE_OUTPUT_DTYPE, CPS_DTYPE_BF16, flags));
  install(cps::color_matrix_spec());
  install(g_param_spec_double("scale", "Scale", "Factor on RGB values of 0..255, before mean and std (1 = off)",
                              -G_MAXFLOAT, G_MAXFLOAT, 1, flags));
  GParamSpec *channel = g_param_spec_double("channel", "Channel", "One channel", -G_MAXFLOAT, G_MAXFLOAT, 0, flags);
  install(gst_param_spec_array("mean", "Mean", "What is subtracted from R, G and B after scale (empty = off)", channel,
                               flags));
  install(gst_param_spec_array("std", "Standard deviation", "What R, G and B are divided by after mean (empty = off)",
                               channel, flags));
  install(cps::cuda_device_id_spec());
  install(cps::max_memory_spec());
}

static void cps_patch_select_class_init(CpsPatchSelectClass *klass) {
  GST_DEBUG_CATEGORY_INIT(patch_select_debug, "patchselect", 0, "patch selection");
  auto *clip_class = CPS_TENSOR_CLIP_CLASS(klass);
  cps::setup_tensor_clip(clip_class, "format=static, num_tensors=3, framerate=0/1");
  install_properties(G_OBJECT_CLASS(klass));
  clip_class->category = patch_select_debug;
  clip_class->entry = "patchenergy";
  clip_class->make = [](bool cuda, cps::StageContext &context) -> std::unique_ptr<cps::ClipAssembler> {
    return std::make_unique<cps::PatchAssembler>(cps::make_patch_stage(cuda, context));
  };
  clip_class->memory = cps::patch_memory;
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Patch selector", "Converter/Video/Tensor",
                                        "Selects the most informative patches of a frame sequence as tensors",
                                        "The codecpatch developers");
  for (GType type : {CPS_TYPE_RANKING, CPS_TYPE_SELECTION_UNIT, CPS_TYPE_OUTPUT_LAYOUT, CPS_TYPE_OUTPUT_DTYPE,
                     CPS_TYPE_COLOR_MATRIX, CPS_TYPE_RESAMPLE, CPS_TYPE_SIZE_RULE})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}
