// SPDX-License-Identifier: LGPL-2.1-or-later
// Detects encrypted videos by the caps and messages of demuxers.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// True for caps of an encrypted video. Such caps have the media type that the decrypted stream would have.
bool is_encrypted_video(const GstCaps *caps);

// The encryption scheme, for users: "cenc".
std::string encryption_scheme(const GstCaps *caps);

// Returns caps of an encrypted video if the message is a request for keys, else nullptr. Needed because qtdemux
// requests keys before it adds a pad, and fails.
Owned<GstCaps> encrypted_by_request(GstMessage *message);

} // namespace cps
