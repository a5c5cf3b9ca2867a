// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/pictures.md: pictures of the patches of a clip, from the values of its tensors.
#pragma once

#include "kernels/patchlayout.h"
#include "kernels/pixels.h"
#include "kernels/plane.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cps {

enum class PictureMode { Sparse, Hold, Mosaic, Scores };

struct Color {
  uint8_t red, green, blue, alpha;
};

struct PictureStyle {
  PictureMode mode = PictureMode::Hold;
  Color background = {0, 0, 0, 255}; // of places of which nothing is known
  int dim = 0;                       // percent of their value that pixels keep that were selected in an earlier frame
};

// What an output value was made from: RGB = (value * std + mean) / scale, the inverse of OutputScaling.
struct InverseScaling {
  double scale = 1;
  double mean[3] = {0, 0, 0};
  double std[3] = {1, 1, 1};

  bool is_identity() const;
};

// The values of a tensor of pixels.
struct PatchPixels {
  const void *values; // aligned to their type
  PixelType type;
  Size size; // of a patch, or of a whole frame
  PixelStrides strides;
  InverseScaling scaling;
};

// One patch of the tensor, in its order.
struct PlacedPatch {
  int64_t first_value; // of its pixels
  int position;        // of its frame: the first one at which this frame was sampled
  int place;           // row * columns + column in the grid of its frame
  float score;
};

struct PictureLayout {
  Size grid;              // of the frames
  Size sheet;             // of PictureMode::Mosaic, in patches; further patches are on further sheets
  std::vector<int> shown; // for each position of the sequence, the first position of the same frame
};

// The colour of a score, from 0 (lowest) to 255 (highest).
Color heat_color(int level);

// Draws a clip, picture by picture. Threads may share an object; the values must outlive it.
class ClipPictures {
public:
  ClipPictures(const PatchPixels &pixels, std::vector<PlacedPatch> patches, PictureLayout layout,
               const PictureStyle &style);

  int count() const; // one per position; of PictureMode::Mosaic one per sheet
  Size size() const; // in pixels
  // The position of the frame that picture `index` shows; of PictureMode::Mosaic, of the first patch on that sheet.
  int position(int index) const;
  // Writes picture `index` as rows of R, G, B, A, `stride` bytes apart.
  void draw(int index, uint8_t *rgba, ptrdiff_t stride) const;

private:
  size_t first_on_sheet(int index) const;
  void draw_sheet(int index, uint8_t *rgba, ptrdiff_t stride) const;
  void draw_frame(int index, uint8_t *rgba, ptrdiff_t stride) const;
  void draw_legend(uint8_t *rgba, ptrdiff_t stride) const;
  std::vector<int> last_selected(int index) const;
  int level(float score) const;

  PatchPixels pixels_;
  std::vector<PlacedPatch> patches_;
  PictureLayout layout_;
  PictureStyle style_;
  std::vector<std::vector<int>> selected_; // for each position, the patches of its frame
  float lowest_ = 0, highest_ = 0;         // finite score
};

} // namespace cps
