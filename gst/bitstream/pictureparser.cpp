#include "gst/bitstream/pictureparser.h"

#include "gst/bitstream/nalpictureparser.h"

namespace cps {

std::unique_ptr<PictureParser> PictureParser::create(const GstCaps *caps) {
  if (!caps || !gst_caps_is_fixed(caps))
    return nullptr;
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  std::unique_ptr<PictureParser> parser;
  if (gst_structure_has_name(s, "video/x-h264"))
    parser = make_h264_parser();
  else if (gst_structure_has_name(s, "video/x-h265"))
    parser = make_h265_parser();
  if (!parser || !parser->set_caps(caps))
    return nullptr;
  return parser;
}

} // namespace cps
