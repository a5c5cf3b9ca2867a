// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/keptindex.h"

#include "gst/elements/common/frametime.h"
#include "gst/elements/common/tagorientation.h"
#include "gst/elements/planner/indexplan.h"

#include <utility>

namespace cps {

// How a picture is displayed: mirrored left to right first, if at all, and then turned clockwise.
struct Turn {
  int degrees;
  bool mirrored;
};

static Turn turn_of(CpsOrientation orientation) {
  switch (orientation) {
  case CPS_ORIENTATION_90R:
    return {90, false};
  case CPS_ORIENTATION_180:
    return {180, false};
  case CPS_ORIENTATION_90L:
    return {270, false};
  case CPS_ORIENTATION_HORIZ:
    return {0, true};
  case CPS_ORIENTATION_VERT:
    return {180, true};
  case CPS_ORIENTATION_UL_LR:
    return {270, true};
  case CPS_ORIENTATION_UR_LL:
    return {90, true};
  default:
    return {0, false};
  }
}

// The fields are documented with cps_index_get_info().
static Owned<GstStructure> describe(const StreamIndex &index, GstPad *sinkpad, double nominal_fps) {
  const Turn turn = turn_of(orientation_of(sinkpad));
  const double fps = average_fps(index, nominal_fps);
  Owned<GstStructure> info(gst_structure_new("video", "rotation", G_TYPE_INT, turn.degrees, "mirrored", G_TYPE_BOOLEAN,
                                             turn.mirrored, "fps", G_TYPE_DOUBLE, fps, nullptr));
  if (fps > 0)
    gst_structure_set(info.get(), "duration", G_TYPE_UINT64, frame_time(index.frames(), fps), nullptr);
  const Owned<GstCaps> caps(gst_pad_get_current_caps(sinkpad));
  if (!caps)
    return info;
  const GstStructure *stream = gst_caps_get_structure(caps.get(), 0);
  gst_structure_set(info.get(), "codec", G_TYPE_STRING, gst_structure_get_name(stream), nullptr);
  int width = 0, height = 0;
  if (gst_structure_get(stream, "width", G_TYPE_INT, &width, "height", G_TYPE_INT, &height, nullptr)) {
    if (turn.degrees % 180 != 0)
      std::swap(width, height);
    gst_structure_set(info.get(), "width", G_TYPE_INT, width, "height", G_TYPE_INT, height, nullptr);
  }
  return info;
}

Owned<CpsIndex> keep_index(const StreamIndex &index, GstPad *sinkpad, double nominal_fps) {
  std::vector<GstClockTime> times;
  std::vector<guint8> random_access;
  for (uint32_t id = 0; id < index.frames(); ++id) {
    times.push_back(position_in(nullptr, index.time(id)));
    random_access.push_back(index.frame(id).random_access);
  }
  const std::string units = index.image();
  return Owned<CpsIndex>(cps_index_new(describe(index, sinkpad, nominal_fps).get(), index.frames(), times.data(),
                                       random_access.data(), units.data(), units.size()));
}

bool load_index(const CpsIndex &kept, StreamIndex &index) {
  gsize size = 0;
  const auto *image = static_cast<const uint8_t *>(cps_index_get_units(&kept, &size));
  return index.load(image, size, cps_index_get_n_frames(&kept));
}

} // namespace cps
