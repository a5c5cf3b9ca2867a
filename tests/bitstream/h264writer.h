// SPDX-License-Identifier: LGPL-2.1-or-later
// H.264 pictures of one grey macroblock each, which every decoder shows as they are: their luma is their name. And the
// parameter sets for pictures of any size.
#pragma once

#include "tests/bitstream/bitwriter.h"

struct H264Stream {
  unsigned frame_num_bits = 4;
  unsigned poc_type = 0;
  unsigned lsb_bits = 4;
  bool fields = false; // then a frame has two macroblocks
  bool mbaff = false;
  unsigned width_mbs = 1, height_mbs = 1; // of a field where there are fields
  unsigned references = 4;
  unsigned reorder = 4;
  unsigned dpb_size = 4;
  bool timing = false; // 25 frames a second
  bool frame_num_gaps = false;
  bool bottom_deltas = false; // bottom_field_pic_order_in_frame_present_flag
  // pic_order_cnt_type 1
  int offset_for_non_ref_pic = 0;
  int offset_for_top_to_bottom_field = 0;
  std::vector<int> offset_for_ref_frame;

  Bytes parameter_sets() const {
    Bytes out;
    BitWriter sps;
    sps.u(8, 77).u(8, 0).u(8, 40).ue(0).ue(frame_num_bits - 4).ue(poc_type);
    if (poc_type == 0)
      sps.ue(lsb_bits - 4);
    if (poc_type == 1) {
      sps.u(1, 0).se(offset_for_non_ref_pic).se(offset_for_top_to_bottom_field);
      sps.ue(static_cast<uint32_t>(offset_for_ref_frame.size()));
      for (int offset : offset_for_ref_frame)
        sps.se(offset);
    }
    sps.ue(references).u(1, frame_num_gaps).ue(width_mbs - 1).ue(height_mbs - 1).u(1, !fields);
    if (fields)
      sps.u(1, mbaff);
    sps.u(1, 1).u(1, 0);
    // VUI with the bitstream restriction, so that decoders know how much to reorder.
    sps.u(1, 1).u(4, 0).u(1, timing);
    if (timing)
      sps.u(32, 1).u(32, 50).u(1, 1);
    sps.u(3, 0).u(1, 1).u(1, 1).ue(0).ue(0).ue(10).ue(10).ue(poc_type == 2 ? 0 : reorder).ue(dpb_size).trailing();
    append_nal(out, {0x67}, sps.data());

    BitWriter pps;
    pps.ue(0).ue(0).u(1, 0).u(1, bottom_deltas).ue(0).ue(0).ue(0).u(3, 0).se(0).se(0).se(0).u(3, 4).trailing();
    append_nal(out, {0x68}, pps.data());
    return out;
  }
};

struct H264Picture {
  uint8_t luma = 0;
  unsigned frame_num = 0;
  int lsb = 0; // or delta_pic_order_cnt[0] with pic_order_cnt_type 1
  int bottom_delta = 0;
  bool idr = false;
  bool reference = true;
  bool resets_order = false; // memory_management_control_operation 5
  enum { Frame, Top, Bottom } structure = Frame;
  bool inter = false; // then it skips every macroblock
  unsigned first_mb = 0;

  Bytes nal(const H264Stream &stream) const {
    BitWriter slice;
    slice.ue(first_mb).ue(inter ? 0 : 2).ue(0).u(stream.frame_num_bits, frame_num);
    if (stream.fields)
      slice.u(1, structure != Frame);
    if (structure != Frame)
      slice.u(1, structure == Bottom);
    if (idr)
      slice.ue(0);
    if (stream.poc_type == 0)
      slice.u(stream.lsb_bits, static_cast<unsigned>(lsb) & ((1u << stream.lsb_bits) - 1));
    if (stream.poc_type == 1)
      slice.se(lsb);
    if (stream.bottom_deltas && structure == Frame && stream.poc_type < 2)
      slice.se(bottom_delta);
    if (inter)
      slice.u(2, 0); // num_ref_idx_active_override_flag, ref_pic_list_modification_flag_l0
    if (idr)
      slice.u(2, 0);
    else if (reference && resets_order)
      slice.u(1, 1).ue(5).ue(0);
    else if (reference)
      slice.u(1, 0);
    slice.se(0).ue(1); // slice_qp_delta, disable_deblocking_filter_idc
    const unsigned mbs = stream.fields && structure == Frame ? 2 : 1;
    if (inter)
      slice.ue(mbs);
    for (unsigned mb = 0; mb < mbs && !inter; ++mb)
      slice.ue(25).align().bytes(256, luma).bytes(128, 128); // I_PCM
    Bytes out;
    const unsigned type = idr ? 5 : 1;
    append_nal(out, {static_cast<uint8_t>((reference ? 0x60 : 0) | type)}, slice.trailing().data());
    return out;
  }
};

inline Bytes h264_recovery_point(uint32_t recovery_frame_cnt, bool exact_match = true) {
  BitWriter payload;
  payload.ue(recovery_frame_cnt).u(1, exact_match).u(1, 0).u(2, 0);
  payload.trailing();
  BitWriter sei;
  sei.u(8, 6).u(8, payload.data().size());
  for (uint8_t byte : payload.data())
    sei.u(8, byte);
  Bytes out;
  append_nal(out, {0x06}, sei.trailing().data());
  return out;
}

inline H264Picture idr() {
  H264Picture p;
  p.idr = true;
  return p;
}

inline H264Picture ref(unsigned frame_num, int lsb) {
  H264Picture p;
  p.frame_num = frame_num;
  p.lsb = lsb;
  return p;
}

inline H264Picture non_ref(unsigned frame_num, int lsb) {
  H264Picture p = ref(frame_num, lsb);
  p.reference = false;
  return p;
}

inline H264Picture reset(H264Picture p) {
  p.resets_order = true;
  return p;
}

inline H264Picture field(H264Picture p, decltype(H264Picture::structure) structure) {
  p.structure = structure;
  return p;
}
