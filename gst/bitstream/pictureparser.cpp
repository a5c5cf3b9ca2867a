// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/pictureparser.h"

#include "gst/bitstream/nalpictureparser.h"
#include "gst/bitstream/unitpictureparser.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cps {

namespace {

const char *const kIntraTypes[] = {
    "image/jp2",
    "image/jpeg",
    "image/png",
    "image/x-j2c",
    "image/x-jpc",
    "video/sp5x",
    "video/x-apple-intermediate-codec",
    "video/x-asus",
    "video/x-cineform",
    "video/x-dnxhd",
    "video/x-dv",
    "video/x-gst-av-ffvhuff",
    "video/x-huffyuv",
    "video/x-mjpeg-b",
    "video/x-prores",
    "video/x-raw",
    "video/x-speedhq",
};

std::unique_ptr<PictureParser> make_parser(const GstStructure *s) {
  const auto is = [s](const char *media_type) { return gst_structure_has_name(s, media_type); };
  gint version = 0;
  if (is("video/x-h264"))
    return make_h264_parser();
  if (is("video/x-h265"))
    return make_h265_parser();
  if (is("video/x-vp8"))
    return make_vp8_parser();
  if (is("video/x-vp9"))
    return make_vp9_parser();
  if (is("video/x-av1"))
    return make_av1_parser();
  if (is("video/mpeg") && (!gst_structure_get_int(s, "mpegversion", &version) || version < 4))
    return make_mpegvideo_parser();
  const bool divx3 = gst_structure_get_int(s, "divxversion", &version) && version < 4;
  if (is("video/mpeg") || (is("video/x-divx") && !divx3) || is("video/x-xvid"))
    return make_mpeg4_parser();
  const char *format = gst_structure_get_string(s, "format");
  if (is("video/x-wmv") && gst_structure_get_int(s, "wmvversion", &version) && version == 3 &&
      !(format && g_str_has_prefix(format, "MSS"))) // a screen codec
    return make_vc1_parser();
  gboolean intra_only = FALSE; // in caps that name a libavcodec codec
  gst_structure_get_boolean(s, "intra-only", &intra_only);
  if (intra_only || std::any_of(std::begin(kIntraTypes), std::end(kIntraTypes), is))
    return make_intra_parser();
  return make_keyframe_parser();
}

} // namespace

std::unique_ptr<PictureParser> PictureParser::create(const GstCaps *caps) {
  if (!caps || !gst_caps_is_fixed(caps))
    return nullptr;
  std::unique_ptr<PictureParser> parser = make_parser(gst_caps_get_structure(caps, 0));
  return parser && parser->set_caps(caps) ? std::move(parser) : nullptr;
}

} // namespace cps
