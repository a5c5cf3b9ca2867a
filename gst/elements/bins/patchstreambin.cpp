// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-patchstreambin
 * @title: patchstreambin
 *
 * Reads a video and outputs the tensors of its most informative patches: uniformdecodebin, patchenergy and patchselect
 * in one element, with the properties of all three.
 *
 * The tensors are in the memory of the #CpsStreamBin:process-backend.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 patchstreambin uri=file:///v.mp4 sequence-length=16 k-keep=2048 output-dtype=bf16
 *     ! tensormetasink location=clip-%05d.safetensors
 * ]|
 *
 * Since: 0.1
 */
#include "gst/elements/bins/patchstreambin.h"

#include "gst/elements/common/memorykind.h"
#include "gst/elements/process/patchenergy.h"
#include "gst/elements/process/patchselect.h"
#include "kernels/select.h"

struct _CpsPatchStreamBin {
  CpsStreamBin parent;
};

G_DEFINE_FINAL_TYPE(CpsPatchStreamBin, cps_patch_stream_bin, CPS_TYPE_STREAM_BIN)
GST_ELEMENT_REGISTER_DEFINE(patchstreambin, "patchstreambin", GST_RANK_NONE, CPS_TYPE_PATCH_STREAM_BIN)

static void cps_patch_stream_bin_init(CpsPatchStreamBin *) {}

// Only ranking by energy needs patchenergy.
static bool uses_stage(CpsStreamBin *self, GType stage) {
  gint ranking = 0;
  g_object_get(self, "ranking", &ranking, nullptr);
  return stage != CPS_TYPE_PATCH_ENERGY || static_cast<cps::Ranking>(ranking) == cps::Ranking::Energy;
}

static void cps_patch_stream_bin_class_init(CpsPatchStreamBinClass *klass) {
  const cps::Owned<GstCaps> caps = cps::tensor_template_caps("format=static, num_tensors=3, framerate=0/1");
  cps::setup_stream_bin(CPS_STREAM_BIN_CLASS(klass), caps.get(), {CPS_TYPE_PATCH_ENERGY, CPS_TYPE_PATCH_SELECT});
  CPS_STREAM_BIN_CLASS(klass)->uses_stage = uses_stage;
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Patch stream", "Source/Bin/Video/Tensor",
                                        "Reads a video and selects its most informative patches as tensors",
                                        "The codecpatch developers");
}
