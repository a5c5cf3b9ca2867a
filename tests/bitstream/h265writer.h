// SPDX-License-Identifier: LGPL-2.1-or-later
// H.265 headers by hand: parameter sets, and pictures without slice data, good for parsing only.
#pragma once

#include "tests/bitstream/bitwriter.h"

// 16x16, lsb of 4 bits, pic_output_flag present.
inline Bytes h265_parameter_sets() {
  const auto profile_tier_level = [](BitWriter &bits) { bits.u(8, 1).u(32, 0x60000000).u(48, 0).u(8, 93).u(16, 0); };
  BitWriter vps;
  vps.u(4, 0).u(2, 3).u(6, 0).u(3, 1).u(1, 1).u(16, 0xffff); // two temporal sub-layers, nested
  profile_tier_level(vps);
  vps.u(1, 0).ue(4).ue(2).ue(0).u(6, 0).ue(0).u(2, 0).trailing();

  BitWriter sps;
  sps.u(4, 0).u(3, 1).u(1, 1); // two temporal sub-layers, nested
  profile_tier_level(sps);
  sps.ue(0).ue(1).ue(16).ue(16).u(1, 0).ue(0).ue(0).ue(0); // 4:2:0, size, 8 bits, log2_max_pic_order_cnt_lsb_minus4
  sps.u(1, 0).ue(4).ue(2).ue(0);                           // DPB size, reordering, latency
  sps.ue(0).ue(1).ue(0).ue(2).ue(0).ue(0);                 // block sizes
  sps.u(1, 0).u(1, 0).u(1, 0).u(1, 0).ue(0).u(3, 0);       // no tools, no reference picture sets
  sps.u(1, 0).u(1, 0).trailing();                          // no VUI, no extension

  BitWriter pps;
  pps.ue(0).ue(0).u(1, 0).u(1, 1).u(3, 0).u(2, 0).ue(0).ue(0).se(0); // output_flag_present_flag
  pps.u(3, 0).se(0).se(0).u(1, 0).u(2, 0).u(3, 0).u(1, 0).u(1, 0);
  pps.u(1, 0).u(1, 0).ue(0).u(2, 0).trailing();

  Bytes out;
  append_nal(out, {0x40, 1}, vps.data());
  append_nal(out, {0x42, 1}, sps.data());
  append_nal(out, {0x44, 1}, pps.data());
  return out;
}

inline Bytes h265_end_of_sequence() {
  Bytes out;
  append_nal(out, {0x48, 1}, {});
  return out;
}

struct H265Picture {
  enum Type {
    TrailN = 0,
    TrailR = 1,
    RadlN = 6,
    RadlR = 7,
    RaslN = 8,
    RaslR = 9,
    BlaWLp = 16,
    IdrWRadl = 19,
    Cra = 21
  };
  Type type = TrailR;
  unsigned lsb = 0;
  unsigned temporal_id = 0;
  bool output = true;
  unsigned layer = 0;

  Bytes nal() const {
    BitWriter slice;
    slice.u(1, 1); // first_slice_segment_in_pic_flag
    if (type >= BlaWLp)
      slice.u(1, 0);
    slice.ue(0).ue(2).u(1, output);
    if (type != IdrWRadl)
      slice.u(4, lsb).u(1, 0).ue(0).ue(0);
    slice.se(0).trailing();
    Bytes out;
    append_nal(out,
               {static_cast<uint8_t>(type << 1 | layer >> 5), static_cast<uint8_t>(layer << 3 | (temporal_id + 1))},
               slice.data());
    return out;
  }
};
