// SPDX-License-Identifier: LGPL-2.1-or-later
// Which parser a stream of video wants, by the name of its factory; empty where it wants none.
#pragma once

#include <gst/gst.h>
#include <string>

namespace cps {

// Behind a parsebin: 1.22 has no parser for pictures of JPEG, and passes blocks of a file on in which they lie anyhow.
std::string parser_behind_parsebin(GstPad *pad);

// Behind a demuxer: what a parsebin would put there.
std::string parser_of(GstPad *pad);

} // namespace cps
