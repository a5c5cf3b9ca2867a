// SPDX-License-Identifier: LGPL-2.1-or-later
// The checksums that the slices of FFV1 carry.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cps {

// Are there checksums of which one is wrong? libavcodec copies such slices from the picture before, and does not say
// so.
bool has_wrong_ffv1_checksum(const uint8_t *data, size_t size);

} // namespace cps
