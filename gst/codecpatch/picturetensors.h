// SPDX-License-Identifier: LGPL-2.1-or-later
// The tensors and the metadata of docs/formats.md as patches to draw, checked. Internal.
#pragma once

#include "gst/codecpatch/cpssession.h"
#include "gst/codecpatch/cpstensormeta.h"
#include "kernels/render.h"

#include <map>
#include <string>
#include <vector>

namespace cps {

// A tensor in system memory that somebody else owns.
struct LentTensor {
  CpsDtype dtype;
  std::vector<int64_t> dims;
  const void *data;
};

using LentTensors = std::map<std::string, LentTensor>; // by name
using ClipTexts = std::map<std::string, std::string>;  // metadata by key

// The arguments of ClipPictures.
struct PictureTensors {
  PatchPixels pixels = {};
  std::vector<PlacedPatch> patches;
  PictureLayout layout;
};

// Why there are no pictures: a sentence.
struct PictureProblem {
  CpsSessionError code = CPS_SESSION_ERROR_FAILED;
  std::string text;
};

// Returns false with a problem if the tensors do not fit together, or cannot be drawn in this mode.
bool read_picture_tensors(const LentTensors &tensors, const ClipTexts &metadata, PictureMode mode, PictureTensors &out,
                          PictureProblem &problem);

} // namespace cps
