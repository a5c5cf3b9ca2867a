// SPDX-License-Identifier: LGPL-2.1-or-later
// An error message before an element posts it, for code without access to an element.
#pragma once

#include <gst/gst.h>
#include <string>
#include <utility>

namespace cps {

struct ElementError {
  GQuark domain = 0;
  gint code = 0;
  std::string text;
};

// Returns false, so that callers can return the result.
inline bool set_error(ElementError &error, GQuark domain, gint code, std::string text) {
  error = {domain, code, std::move(text)};
  return false;
}

inline GstFlowReturn post_error(gpointer element, const ElementError &error) {
  gst_element_message_full(GST_ELEMENT(element), GST_MESSAGE_ERROR, error.domain, error.code,
                           g_strdup(error.text.c_str()), nullptr, __FILE__, GST_FUNCTION, __LINE__);
  return GST_FLOW_ERROR;
}

// Errors for frames that cannot be read.
inline bool refuse_crop(ElementError &error) {
  return set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                   "The frame's crop meta lies outside of the frame.");
}
inline bool refuse_frame(ElementError &error) {
  return set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                   "Could not read a frame: its memory is smaller than its caps say.");
}
inline bool refuse_frame_or_energy(ElementError &error) {
  return set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                   "Could not read a frame or its energy: the memory does not fit its caps.");
}

} // namespace cps
