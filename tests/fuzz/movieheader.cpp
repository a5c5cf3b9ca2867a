// SPDX-License-Identifier: LGPL-2.1-or-later
// The header of MP4 files, which is changed in place.
#include "gst/bitstream/movieheader.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<uint8_t> header(data, data + size);
  cps::read_segment_index(header.data(), header.size());
  for (const cps::MovieTrack &track : cps::open_movie_header(header.data(), header.size()))
    for (const cps::Edit &edit : track.edits)
      REQUIRE(edit.start <= edit.stop);
  return 0;
}
