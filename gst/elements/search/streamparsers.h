// SPDX-License-Identifier: LGPL-2.1-or-later
// The factory name of the parser that a video stream needs; empty if none.
#pragma once

#include <gst/gst.h>
#include <string>

namespace cps {

// After a parsebin, because parsebin 1.22 has no parser for JPEG pictures, and passes on arbitrary blocks of a file.
std::string parser_behind_parsebin(GstPad *pad);

// After a demuxer: the parser that parsebin would add.
std::string parser_of(GstPad *pad);

} // namespace cps
