// SPDX-License-Identifier: LGPL-2.1-or-later
// VP8. Section numbers refer to RFC 6386.
#include "gst/bitstream/roomy.h"
#include "gst/bitstream/unitpictureparser.h"

#define GST_USE_UNSTABLE_API
#include <gst/codecparsers/gstvp8parser.h>

namespace cps {

namespace {

// Each frame inherits entropy contexts from the previous one, even from frames that update no reference (section 9.11).
// Therefore all frames between a key frame and a wanted frame are needed, and references stay unknown.
class Vp8Parser final : public UnitPictureParser {
public:
  Vp8Parser() { gst_vp8_parser_init(&parser_); }

  bool set_caps(const GstCaps *caps) override {
    return gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-vp8");
  }
  void reset() override {
    UnitPictureParser::reset();
    gst_vp8_parser_init(&parser_);
  }

protected:
  bool read(const CodedUnit &unit, CodedPicture &picture) override;

private:
  Roomy<GstVp8Parser> parser_;
};

// An empty unit only tells decoders that data were lost.
bool Vp8Parser::read(const CodedUnit &unit, CodedPicture &picture) {
  picture.has_picture = unit.size > 0;
  if (!picture.has_picture)
    return true;
  Roomy<GstVp8FrameHdr> frame;
  if (gst_vp8_parser_parse_frame_header(&parser_, &frame, unit.data, unit.size) != GST_VP8_PARSER_OK)
    return false;
  picture.random_access = picture.starts_sequence = frame.key_frame;
  picture.output = frame.show_frame; // alternate reference frames are used for prediction only
  return true;
}

} // namespace

std::unique_ptr<PictureParser> make_vp8_parser() {
  return std::make_unique<Vp8Parser>();
}

} // namespace cps
