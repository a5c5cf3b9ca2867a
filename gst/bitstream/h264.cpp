// SPDX-License-Identifier: LGPL-2.1-or-later
// H.264. Clause numbers refer to Rec. ITU-T H.264.
#include "gst/bitstream/nalpictureparser.h"
#include "gst/bitstream/roomy.h"

#include <algorithm>
#include <optional>

#define GST_USE_UNSTABLE_API
#include <gst/codecparsers/gsth264parser.h>

namespace cps {

CPS_RELEASE(GstH264NalParser, gst_h264_nal_parser_free);

namespace {

// The properties of a picture that the derivations need.
struct Picture {
  const GstH264SliceHdr &slice;
  bool idr;
  bool reference;
  bool resets_order; // memory_management_control_operation 5

  const GstH264SPS &sps() const { return *slice.pps->sequence; }
  bool is_field() const { return slice.field_pic_flag; }
  bool is_bottom_field() const { return slice.field_pic_flag && slice.bottom_field_flag; }
};

// Orders of the two fields of a frame; equal for a single field.
struct FieldOrders {
  int64_t top;
  int64_t bottom;

  int64_t first() const { return std::min(top, bottom); }
};

// Decoding process for picture order count, 8.2.1. Uses 64 bits, so that damaged headers cannot cause an overflow.
class PictureOrder {
public:
  // The order of the next picture in decode order.
  int64_t next(const Picture &picture);
  // frame_num of the previous picture, as later pictures see it.
  uint32_t frame_num() const { return frame_num_; }

private:
  FieldOrders from_lsb(const Picture &picture);
  FieldOrders from_frame_num_cycle(const Picture &picture) const;
  FieldOrders from_frame_num(const Picture &picture) const;

  int64_t msb_ = 0; // of the previous reference picture
  int64_t lsb_ = 0;
  int64_t frame_num_offset_ = 0; // of the previous picture
  uint32_t frame_num_ = 0;
};

int64_t PictureOrder::next(const Picture &picture) {
  if (picture.idr)
    *this = {};
  const GstH264SPS &sps = picture.sps();
  // (8-6), (8-11). Frames inferred in a gap of frame_num (8.2.5.2) lead to the same offset, so they need no handling.
  if (frame_num_ > picture.slice.frame_num)
    frame_num_offset_ = std::min<int64_t>(frame_num_offset_ + sps.max_frame_num, INT32_MAX);
  frame_num_ = picture.slice.frame_num;

  const FieldOrders orders = sps.pic_order_cnt_type == 0   ? from_lsb(picture)
                             : sps.pic_order_cnt_type == 1 ? from_frame_num_cycle(picture)
                                                           : from_frame_num(picture);
  if (!picture.resets_order)
    return orders.first();
  // After decoding, this picture has the lowest order of those that follow: tempPicOrderCnt in 8.2.1, prevPicOrderCnt*
  // in 8.2.1.1.
  *this = {};
  lsb_ = picture.is_field() ? 0 : orders.top - orders.first();
  return 0;
}

// pic_order_cnt_type 0, 8.2.1.1.
FieldOrders PictureOrder::from_lsb(const Picture &picture) {
  const int64_t lsb = picture.slice.pic_order_cnt_lsb;
  const int64_t msb = order_msb(msb_, lsb_, lsb, int64_t{1} << (picture.sps().log2_max_pic_order_cnt_lsb_minus4 + 4));
  if (picture.reference) {
    msb_ = msb;
    lsb_ = lsb;
  }
  const int64_t order = msb + lsb;
  return {order, order + (picture.is_field() ? 0 : picture.slice.delta_pic_order_cnt_bottom)};
}

// pic_order_cnt_type 1, 8.2.1.2.
FieldOrders PictureOrder::from_frame_num_cycle(const Picture &picture) const {
  const GstH264SPS &sps = picture.sps();
  const int64_t cycle_length = sps.num_ref_frames_in_pic_order_cnt_cycle;
  int64_t expected = 0;
  if (cycle_length > 0) {
    int64_t left = frame_num_offset_ + frame_num_ - (picture.reference ? 0 : 1); // absFrameNum
    int64_t per_cycle = 0;
    for (int i = 0; i < cycle_length; ++i)
      per_cycle += sps.offset_for_ref_frame[i];
    if (left > 0) {
      expected = (left - 1) / cycle_length * per_cycle;
      left = (left - 1) % cycle_length + 1;
    }
    for (int i = 0; i < left; ++i)
      expected += sps.offset_for_ref_frame[i];
  }
  if (!picture.reference)
    expected += sps.offset_for_non_ref_pic;

  const int64_t top = expected + picture.slice.delta_pic_order_cnt[0];
  const int64_t bottom = top + sps.offset_for_top_to_bottom_field;
  if (picture.is_bottom_field())
    return {bottom, bottom};
  if (picture.is_field())
    return {top, top};
  return {top, bottom + picture.slice.delta_pic_order_cnt[1]};
}

// pic_order_cnt_type 2, 8.2.1.3: output order is decode order.
FieldOrders PictureOrder::from_frame_num(const Picture &picture) const {
  const int64_t order = picture.idr ? 0 : 2 * (frame_num_offset_ + frame_num_) - (picture.reference ? 0 : 1);
  return {order, order};
}

bool has_order_reset(const GstH264SliceHdr &slice) {
  const GstH264DecRefPicMarking &marking = slice.dec_ref_pic_marking;
  const auto *begin = marking.ref_pic_marking;
  return std::any_of(begin, begin + marking.n_ref_pic_marking,
                     [](const auto &m) { return m.memory_management_control_operation == 5; });
}

Roomy<GstH264NalUnit> to_gst(const Nal &nal) {
  Roomy<GstH264NalUnit> unit;
  unit.ref_idc = nal.data[0] >> 5 & 3;
  unit.type = nal.data[0] & 0x1f;
  unit.idr_pic_flag = unit.type == GST_H264_NAL_SLICE_IDR;
  unit.data = const_cast<guint8 *>(nal.data);
  unit.size = static_cast<guint>(nal.size);
  unit.header_bytes = 1;
  unit.valid = TRUE;
  return unit;
}

class H264Parser final : public NalPictureParser {
public:
  H264Parser() : NalPictureParser("video/x-h264"), parser_(gst_h264_nal_parser_new()) {}
  bool full_range() const override { return full_range_; }
  void reset() override;

protected:
  unsigned read_config(GstByteReader &config) override;
  bool is_slice(const Nal &nal) const override;
  bool is_header(const Nal &nal) const override;
  void start_unit() override {
    recovery_point_ = false;
    recovery_count_.reset();
  }
  void read_other(const Nal &nal) override;
  bool read_first_slice(const Nal &nal, CodedPicture &coded) override;
  void read_next_slice(const Nal &nal, CodedPicture &coded) override;

private:
  // A field whose frame still lacks the other field.
  struct OpenField {
    bool open = false;
    bool bottom = false;
    bool reference = false;
  };

  bool read_header(GstH264NalUnit &unit, GstH264SliceHdr &slice);
  void read_sps(GstH264NalUnit &unit);
  void read_pps(GstH264NalUnit &unit);
  void read_sei(GstH264NalUnit &unit);
  bool completes_frame(const Picture &picture) const;
  bool follows_gap(const Picture &picture) const;
  bool recovers(const Picture &picture, bool intra);

  Owned<GstH264NalParser> parser_;
  PictureOrder order_;
  bool full_range_ = false; // of the last sequence parameter set
  OpenField field_;
  std::optional<uint32_t> reference_num_;  // frame_num of the previous reference picture
  bool recovery_point_ = false;            // the current access unit has a recovery point with recovery_frame_cnt 0
  std::optional<uint32_t> recovery_count_; // recovery_frame_cnt of the current access unit
  std::optional<uint32_t> recovery_num_;   // frame_num of the recovered picture
};

void H264Parser::reset() {
  NalPictureParser::reset();
  order_ = {};
  field_ = {};
  reference_num_.reset();
  recovery_num_.reset();
}

// AVCDecoderConfigurationRecord, ISO/IEC 14496-15 5.3.3.1.
unsigned H264Parser::read_config(GstByteReader &config) {
  guint8 length_size_minus1, sps_count, pps_count;
  if (!gst_byte_reader_skip(&config, 4) || !gst_byte_reader_get_uint8(&config, &length_size_minus1) ||
      !gst_byte_reader_get_uint8(&config, &sps_count) || !read_config_nals(config, sps_count & 0x1f) ||
      !gst_byte_reader_get_uint8(&config, &pps_count) || !read_config_nals(config, pps_count))
    return 0;
  return (length_size_minus1 & 3) + 1;
}

bool H264Parser::is_slice(const Nal &nal) const {
  const int type = nal.data[0] & 0x1f;
  return type >= GST_H264_NAL_SLICE && type <= GST_H264_NAL_SLICE_IDR;
}

bool H264Parser::is_header(const Nal &nal) const {
  const int type = nal.data[0] & 0x1f;
  return type == GST_H264_NAL_SPS || type == GST_H264_NAL_PPS || type == GST_H264_NAL_SPS_EXT ||
         type == GST_H264_NAL_SUBSET_SPS;
}

void H264Parser::read_other(const Nal &nal) {
  Roomy<GstH264NalUnit> unit = to_gst(nal);
  if (unit.type == GST_H264_NAL_SEI)
    read_sei(unit);
  else if (unit.type == GST_H264_NAL_SPS)
    read_sps(unit);
  else if (unit.type == GST_H264_NAL_PPS)
    read_pps(unit);
  else
    gst_h264_parser_parse_nal(parser_.get(), &unit); // stores parameter sets
}

// Not parse_nal(), which leaks the slice groups of a broken set.
void H264Parser::read_pps(GstH264NalUnit &unit) {
  Roomy<GstH264PPS> pps;
  gst_h264_parser_parse_pps(parser_.get(), &unit, &pps); // stores a copy
  gst_h264_pps_clear(&pps);
}

void H264Parser::read_sps(GstH264NalUnit &unit) {
  Roomy<GstH264SPS> sps;
  if (gst_h264_parser_parse_sps(parser_.get(), &unit, &sps) != GST_H264_PARSER_OK) // also stores it
    return;
  full_range_ = sps.vui_parameters_present_flag && sps.vui_parameters.video_signal_type_present_flag &&
                sps.vui_parameters.video_full_range_flag;
  gst_h264_sps_clear(&sps);
}

void H264Parser::read_sei(GstH264NalUnit &unit) {
  GArray *messages = nullptr;
  gst_h264_parser_parse_sei(parser_.get(), &unit, &messages);
  const guint size = g_array_get_element_size(messages); // the size in the library, which may differ from ours
  for (guint i = 0; i < messages->len; ++i) {
    const auto &message = *reinterpret_cast<const GstH264SEIMessage *>(messages->data + size_t{i} * size);
    if (message.payloadType != GST_H264_SEI_RECOVERY_POINT)
      continue;
    // D.2.8: pictures after an inexact recovery point may refer to pictures before it.
    const GstH264RecoveryPoint &point = message.payload.recovery_point;
    recovery_point_ |= point.recovery_frame_cnt == 0 && point.exact_match_flag;
    recovery_count_ = point.recovery_frame_cnt;
  }
  g_array_unref(messages);
}

bool H264Parser::read_header(GstH264NalUnit &unit, GstH264SliceHdr &slice) {
  // Data partitions B and C have no slice header.
  return unit.type != GST_H264_NAL_SLICE_DPB && unit.type != GST_H264_NAL_SLICE_DPC &&
         gst_h264_parser_parse_slice_hdr(parser_.get(), &unit, &slice, TRUE, TRUE) == GST_H264_PARSER_OK;
}

// Complementary field pairs, 3.30 and 3.31: both are reference fields or neither is; the second is not IDR and has no
// operation 5.
bool H264Parser::completes_frame(const Picture &picture) const {
  return field_.open && picture.is_field() && picture.is_bottom_field() != field_.bottom &&
         picture.slice.frame_num == order_.frame_num() && picture.reference == field_.reference && !picture.idr &&
         !picture.resets_order;
}

// 7.4.3: frame_num increases by one after each reference picture, unless the stream allows gaps.
bool H264Parser::follows_gap(const Picture &picture) const {
  const GstH264SPS &sps = picture.sps();
  return !picture.idr && reference_num_ && !sps.gaps_in_frame_num_value_allowed_flag &&
         picture.slice.frame_num != *reference_num_ &&
         picture.slice.frame_num != (*reference_num_ + 1) % static_cast<uint32_t>(sps.max_frame_num);
}

// D.2.8: the picture that recovery_frame_cnt refers to. Without a recovery point, decoders accept any intra reference
// picture.
bool H264Parser::recovers(const Picture &picture, bool intra) {
  const uint32_t number = picture.slice.frame_num;
  if (recovery_count_)
    recovery_num_ = (number + *recovery_count_) % static_cast<uint32_t>(picture.sps().max_frame_num);
  const bool recovered = picture.idr || (picture.reference && (recovery_num_ ? number == *recovery_num_ : intra));
  if (recovered)
    recovery_num_.reset();
  return recovered;
}

bool H264Parser::read_first_slice(const Nal &nal, CodedPicture &coded) {
  Roomy<GstH264NalUnit> unit = to_gst(nal);
  Roomy<GstH264SliceHdr> slice;
  if (!read_header(unit, slice))
    return false;
  const Picture picture{slice, unit.idr_pic_flag != 0, unit.ref_idc != 0, has_order_reset(slice)};
  const bool intra = GST_H264_IS_I_SLICE(&slice) || GST_H264_IS_SI_SLICE(&slice);

  coded.second_field = completes_frame(picture);
  coded.starts_sequence = picture.idr || picture.resets_order;
  coded.late_start = picture.resets_order;
  coded.random_access = picture.idr || (recovery_point_ && intra && !coded.second_field);
  coded.recovers = recovers(picture, intra);
  coded.reference = picture.reference;
  coded.after_loss = follows_gap(picture);
  if (picture.reference)
    reference_num_ = picture.resets_order ? 0 : picture.slice.frame_num;
  coded.order = saturate_order(order_.next(picture));
  field_ = {picture.is_field() && !coded.second_field, picture.is_bottom_field(), picture.reference};
  return true;
}

// A picture at a recovery point is exact only if all its slices are intra. Also, an access unit may contain a frame's
// second field.
void H264Parser::read_next_slice(const Nal &nal, CodedPicture &coded) {
  const bool check_intra = recovery_point_ && coded.random_access;
  if (!check_intra && !field_.open)
    return;
  Roomy<GstH264NalUnit> unit = to_gst(nal);
  Roomy<GstH264SliceHdr> slice;
  if (!read_header(unit, slice))
    return;
  const Picture picture{slice, unit.idr_pic_flag != 0, unit.ref_idc != 0, has_order_reset(slice)};
  coded.reference |= picture.reference;
  if (completes_frame(picture)) {
    coded.order = std::min(coded.order, saturate_order(order_.next(picture)));
    field_ = {};
    recovery_point_ = false; // the next slices belong to the second field
  } else if (check_intra && !GST_H264_IS_I_SLICE(&slice) && !GST_H264_IS_SI_SLICE(&slice)) {
    coded.random_access = false;
  }
}

} // namespace

std::unique_ptr<PictureParser> make_h264_parser() {
  return std::make_unique<H264Parser>();
}

} // namespace cps
