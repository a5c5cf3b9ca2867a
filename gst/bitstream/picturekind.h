// SPDX-License-Identifier: LGPL-2.1-or-later
// Picture types, for codecs with the type at the start of the picture, and the display order that results from them.
#pragma once

#include "gst/bitstream/pictureparser.h"

#include <cstddef>
#include <cstdint>

namespace cps {

enum class PictureKind {
  I,
  P,      // predicted from an earlier picture
  B,      // predicted from two pictures, one of which is shown later
  Broken, // invalid header
};

// Reads the type of the picture in `size` bytes, which is at least 1.
using ReadPictureKind = PictureKind (*)(const uint8_t *data, size_t size);

// How to read the types of a codec.
struct PictureKindReader {
  ReadPictureKind read = nullptr; // nullptr if unknown
  bool holds_last =
      false; // the decoder outputs an anchor only when the next anchor arrives, so the stream cannot be skipped through
  bool loses_last = false; // and the decoder does not output the last anchor
};
PictureKindReader picture_kind_reader(const GstStructure *caps);

// Display order of codecs that show an I or P picture when the next one is decoded, and a B picture immediately.
class AnchorOrder {
public:
  // Sets the order and output flag of the next picture in decode order.
  void place(PictureKind kind, CodedPicture &picture) {
    const bool anchor = kind != PictureKind::B;
    anchors_ += anchor ? 1 : 0;
    picture.order = 2 * anchors_ + (anchor ? 1 : 0);
    picture.reference = anchor;
    // B pictures at the start of a cut stream lack one of their two references.
    picture.output = anchor || anchors_ > 1;
  }

private:
  int32_t anchors_ = 0; // I and P pictures so far
};

} // namespace cps
