// SPDX-License-Identifier: LGPL-2.1-or-later
// What a picture is predicted from, for codecs that tell it at the beginning of the picture, and what follows from
// that.
#pragma once

#include "gst/bitstream/pictureparser.h"

#include <cstddef>
#include <cstdint>

namespace cps {

enum class PictureKind {
  I,
  P,      // from one before it
  B,      // from two, one of which is shown later
  Broken, // its header cannot be read
};

// Of the picture in these `size` bytes, which are one at least.
using ReadPictureKind = PictureKind (*)(const uint8_t *data, size_t size);

// How that is read of a codec.
struct PictureKindReader {
  ReadPictureKind read = nullptr; // nullptr where nobody here knows
  bool holds_last = false;        // the decoder shows a picture only once the next anchor comes, so that it cannot jump
  bool loses_last = false;        // and none comes behind the last one
};
PictureKindReader picture_kind_reader(const GstStructure *caps);

// The display order of codecs that show an I or P picture when the next one is decoded, and a B picture at once.
class AnchorOrder {
public:
  // Says of the next picture in decode order where it is shown, and whether it is.
  void place(PictureKind kind, CodedPicture &picture) {
    const bool anchor = kind != PictureKind::B;
    anchors_ += anchor ? 1 : 0;
    picture.order = 2 * anchors_ + (anchor ? 1 : 0);
    picture.reference = anchor;
    // At the head of a stream that was cut there: half of what it is predicted from is missing.
    picture.output = anchor || anchors_ > 1;
  }

private:
  int32_t anchors_ = 0; // I and P pictures so far
};

} // namespace cps
