// SPDX-License-Identifier: LGPL-2.1-or-later
// What a bin opens: which URIs, and which references to others that a source may have in it.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// allow-uri-schemes by default: what the application names by itself, and whose reading ends. Others wait for someone
// to send (udp, srt, tcp, rtp), or read what no file is (v4l2, fd, testbin).
constexpr const char *kUriSchemes = "data,file,http,https,rtsp,rtsps";

struct SourcePolicy {
  std::string schemes = kUriSchemes; // separated by commas; "*": all
  bool playlists = false;            // of the network, by their URL
};

// Empty, or a sentence about what is wrong with the URI.
std::string check_uri(const SourcePolicy &policy, const std::string &uri);

// Does it name a pipe or a device of this machine, whose bytes nobody can have twice?
bool comes_once(const std::string &uri);

// As errors have it: without the name and password that it may have in it, and not long.
std::string printable_uri(const std::string &uri);

// "an HLS playlist" and the like, where that is what the caps say; nullptr where they say something else.
const char *reference_name(const GstCaps *caps);

void post_reference_error(GstBin *bin, const std::string &name);

// Does the element open other sources by itself, whatever its name?
bool opens_others(GstElementFactory *factory);

} // namespace cps
