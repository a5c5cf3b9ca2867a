// SPDX-License-Identifier: LGPL-2.1-or-later
// Reserves space for structures that may grow.
#pragma once

#include <cstddef>

namespace cps {

// A zeroed codecparsers structure with space after it. The codecparsers API is unstable: structures gain fields in new
// versions (GstAV1FrameHeaderOBU 380 bytes in 1.24), and the library writes all fields that it knows, regardless of the
// version that we were compiled with. Therefore every structure that it writes to or copies from must be Roomy.
// Existing fields keep their offsets as long as new ones are added at the end.
//
// Structures that the library allocates (parsers) grow, too; access them only through its functions.
template <typename T> struct Roomy : T {
  static constexpr size_t kRoom = sizeof(T) + 4096;

  // cppcheck-suppress uninitDerivedMemberVar ; {} zeroes a C struct
  Roomy() : T{} {} // NOLINT(clang-analyzer-optin.cplusplus.UninitializedObject): likewise

  unsigned char room[kRoom] = {};
};

} // namespace cps
