// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/animation.h"

#include "gst/common/readmap.h"

#include <string_view>

namespace cps {

// acTL, the chunk that announces an animation, precedes those of the picture (IDAT).
static bool is_animated_png(std::string_view data) {
  const size_t announced = data.find("acTL");
  return announced != std::string_view::npos && announced < data.find("IDAT");
}

// The animation flag is in the extended header (VP8X), which is the first chunk.
static bool is_animated_webp(std::string_view data) {
  constexpr size_t kHeader = 12, kFlags = 20;
  constexpr unsigned char kAnimation = 2;
  return data.size() > kFlags && data.substr(kHeader, 4) == "VP8X" &&
         (static_cast<unsigned char>(data[kFlags]) & kAnimation) != 0;
}

std::string undecodable_animation(const GstCaps *caps, GstBuffer *first) {
  const GstStructure *media = gst_caps_get_structure(caps, 0);
  const bool png = gst_structure_has_name(media, "image/png"), webp = gst_structure_has_name(media, "image/webp");
  if (!png && !webp)
    return "";
  const ReadMap map(first);
  const std::string_view data(reinterpret_cast<const char *>(map.data()), map.size());
  if (png)
    return is_animated_png(data) ? "an animated PNG (APNG)" : "";
  return is_animated_webp(data) ? "an animated WebP" : "";
}

} // namespace cps
