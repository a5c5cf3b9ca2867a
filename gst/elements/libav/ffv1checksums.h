// SPDX-License-Identifier: LGPL-2.1-or-later
// Checksums in the slices of FFV1.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cps {

// True if a checksum is wrong. Needed because libavcodec replaces such slices by the previous picture without reporting
// it.
bool has_wrong_ffv1_checksum(const uint8_t *data, size_t size);

} // namespace cps
