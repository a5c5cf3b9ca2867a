// SPDX-License-Identifier: LGPL-2.1-or-later
// Room for structures that grow.
#pragma once

#include <cstddef>

namespace cps {

// A structure of codecparsers, zeroed, with room behind it. That library is not stable: its structures have got new
// fields from version to version (GstAV1FrameHeaderOBU 380 bytes in 1.24), and it fills in all that it knows of,
// whatever it was when we were compiled. So everything that it writes to or copies from is one of these. Fields that
// were there before stay where they were as long as new ones come behind them.
//
// Structures that it allocates by itself (parsers) are larger by as much: of those, nothing is read but through it.
template <typename T> struct Roomy : T {
  static constexpr size_t kRoom = sizeof(T) + 4096;

  // cppcheck-suppress uninitDerivedMemberVar ; {} zeroes a C struct
  Roomy() : T{} {} // NOLINT(clang-analyzer-optin.cplusplus.UninitializedObject): likewise

  unsigned char room[kRoom] = {};
};

} // namespace cps
