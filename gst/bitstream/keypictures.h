// Is a picture coded without any other? For codecs that tell it at the beginning of the picture.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>

namespace cps {

// Decoding can start with the picture in these `size` bytes, which are one at least.
using IsKeyPicture = bool (*)(const uint8_t *data, size_t size);

// How that is read of the codec of these caps; nullptr where nobody here knows.
IsKeyPicture key_picture_reader(const GstStructure *caps);

} // namespace cps
