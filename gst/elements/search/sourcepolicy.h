// SPDX-License-Identifier: LGPL-2.1-or-later
// Which URIs a bin opens, and which references to other sources it follows.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// Default of allow-uri-schemes: schemes that only the application uses, and whose data end. Other schemes wait for a
// sender (udp, srt, tcp, rtp), or read something that is not a file (v4l2, fd, testbin).
constexpr const char *kUriSchemes = "data,file,http,https,rtsp,rtsps";

struct SourcePolicy {
  std::string schemes = kUriSchemes; // comma-separated; "*": all
  bool playlists = false;            // allows network playlists, by their URL
};

// Returns an empty string, or a sentence that describes what is wrong with the URI.
std::string check_uri(const SourcePolicy &policy, const std::string &uri);

// True if the URI names a local pipe or device, whose bytes can be read only once.
bool comes_once(const std::string &uri);

// The URI for error messages: without user name and password, and shortened.
std::string printable_uri(const std::string &uri);

// "an HLS playlist" and the like if the caps have such a type, else nullptr.
const char *reference_name(const GstCaps *caps);

void post_reference_error(GstBin *bin, const std::string &name);

// True if the element opens other sources by itself.
bool opens_others(GstElementFactory *factory);

} // namespace cps
