// SPDX-License-Identifier: LGPL-2.1-or-later
// VP9. Section numbers refer to the VP9 Bitstream & Decoding Process Specification.
#include "gst/bitstream/roomy.h"
#include "gst/bitstream/unitpictureparser.h"
#include "gst/common/owned.h"

#define GST_USE_UNSTABLE_API
#include <gst/codecparsers/gstvp9parser.h>

namespace cps {

CPS_RELEASE(GstVp9Parser, gst_vp9_parser_free);

namespace {

// Parses superframes and single frames: a unit is what the decoder receives at once.
//
// Each frame inherits probabilities, segmentation maps and motion vectors from the previous one, even from frames that
// refresh no reference. Therefore all frames between a key frame and a wanted frame are needed, and references stay
// unknown.
class Vp9Parser final : public UnitPictureParser {
public:
  Vp9Parser() : parser_(gst_vp9_parser_new()) {}

  bool set_caps(const GstCaps *caps) override {
    return gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-vp9");
  }
  void reset() override {
    UnitPictureParser::reset();
    parser_.reset(gst_vp9_parser_new());
  }

protected:
  bool read(const CodedUnit &unit, CodedPicture &picture) override;

private:
  bool read_superframe(const CodedUnit &unit, GstVp9SuperframeInfo &superframe);

  Owned<GstVp9Parser> parser_;
};

// Annex B. The size check is needed because the library would read an index longer than the unit.
bool Vp9Parser::read_superframe(const CodedUnit &unit, GstVp9SuperframeInfo &superframe) {
  const unsigned marker = unit.data[unit.size - 1];
  const size_t index_size = 2 + ((marker >> 3 & 3) + 1) * ((marker & 7) + 1);
  if ((marker & 0xe0) == 0xc0 && unit.size < index_size)
    return false;
  return gst_vp9_parser_parse_superframe_info(parser_.get(), &superframe, unit.data, unit.size) == GST_VP9_PARSER_OK;
}

bool Vp9Parser::read(const CodedUnit &unit, CodedPicture &picture) {
  picture.has_picture = unit.size > 0;
  if (!picture.has_picture)
    return true;
  Roomy<GstVp9SuperframeInfo> superframe;
  if (!read_superframe(unit, superframe))
    return false;
  picture.output = false;
  const uint8_t *data = unit.data;
  size_t left = unit.size;
  for (unsigned i = 0; i < superframe.frames_in_superframe; ++i) {
    const size_t size = superframe.frame_sizes[i];
    Roomy<GstVp9FrameHdr> frame;
    if (size > left || gst_vp9_parser_parse_frame_header(parser_.get(), &frame, data, size) != GST_VP9_PARSER_OK)
      return false;
    data += size;
    left -= size;
    picture.output |= frame.show_frame || frame.show_existing_frame;
    // A key frame fills every reference. A frame before it in the same superframe would lack its references.
    if (i == 0)
      picture.random_access = !frame.show_existing_frame && frame.frame_type == GST_VP9_KEY_FRAME;
  }
  picture.starts_sequence = picture.random_access;
  return true;
}

} // namespace

std::unique_ptr<PictureParser> make_vp9_parser() {
  return std::make_unique<Vp9Parser>();
}

} // namespace cps
