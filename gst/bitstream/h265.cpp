// SPDX-License-Identifier: LGPL-2.1-or-later
// H.265. Clause numbers refer to Rec. ITU-T H.265. In H.265 a coded field is a picture of its own, and decoders output
// it as one, so a pair of fields is two frames.
#include "gst/bitstream/nalpictureparser.h"
#include "gst/bitstream/roomy.h"

#include <algorithm>
#include <vector>

#define GST_USE_UNSTABLE_API
#include <gst/codecparsers/gsth265parser.h>

namespace cps {

CPS_RELEASE(GstH265Parser, gst_h265_parser_free);

namespace {

struct NalHeader {
  explicit NalHeader(const Nal &nal)
      : type(nal.data[0] >> 1 & 0x3f), layer((nal.data[0] & 1) << 5 | (nal.size > 1 ? nal.data[1] >> 3 : 0)),
        temporal_id(nal.size > 1 ? (nal.data[1] & 7) - 1 : -1) {}

  bool is_slice() const { return type <= GST_H265_NAL_SLICE_RASL_R || is_irap(); }
  bool is_irap() const { return type >= GST_H265_NAL_SLICE_BLA_W_LP && type <= GST_H265_NAL_SLICE_CRA_NUT; }
  bool is_rasl() const { return GST_H265_IS_NAL_TYPE_RASL(type); }
  // A RADL, RASL or sub-layer non-reference picture is never prevTid0Pic.
  bool anchors_order() const {
    const bool sublayer_non_reference = type < GST_H265_NAL_SLICE_BLA_W_LP && type % 2 == 0;
    return temporal_id == 0 && !is_rasl() && !GST_H265_IS_NAL_TYPE_RADL(type) && !sublayer_non_reference;
  }

  int type;
  int layer;
  int temporal_id; // -1: damaged
};

Roomy<GstH265NalUnit> to_gst(const Nal &nal, const NalHeader &header) {
  Roomy<GstH265NalUnit> unit;
  unit.type = static_cast<guint8>(header.type);
  unit.layer_id = static_cast<guint8>(header.layer);
  unit.temporal_id_plus1 = static_cast<guint8>(header.temporal_id + 1);
  unit.data = const_cast<guint8 *>(nal.data);
  unit.size = static_cast<guint>(nal.size);
  unit.header_bytes = 2;
  unit.valid = TRUE;
  return unit;
}

struct SliceHeader : Roomy<GstH265SliceHdr> {
  SliceHeader() = default;
  ~SliceHeader() { gst_h265_slice_hdr_free(this); }
  SliceHeader(const SliceHeader &) = delete;
  SliceHeader &operator=(const SliceHeader &) = delete;
};

class H265Parser final : public NalPictureParser {
public:
  H265Parser() : NalPictureParser("video/x-h265"), parser_(gst_h265_parser_new()) {}
  bool full_range() const override { return full_range_; }
  int64_t order_window() const override { return order_window_; }
  void reset() override;

protected:
  unsigned read_config(GstByteReader &config) override;
  bool is_slice(const Nal &nal) const override;
  bool is_header(const Nal &nal) const override;
  void read_other(const Nal &nal) override;
  bool read_first_slice(const Nal &nal, CodedPicture &picture) override;

private:
  // State of the decoding processes of 8.1.3 and 8.3.1.
  struct State {
    bool awaits_irap = true; // at the start of the stream and after an end of sequence
    bool skips_rasl = false; // NoRaslOutputFlag of the last IRAP picture
    int64_t msb = 0;         // of prevTid0Pic
    int64_t lsb = 0;
  };

  // A picture that later pictures may reference.
  struct Decoded {
    int64_t order;
    uint32_t unit; // cppcheck-suppress unusedStructMember ; read through an iterator
  };

  int64_t next_order(const NalHeader &header, bool starts_sequence, const SliceHeader &slice);
  void find_references(const NalHeader &header, int64_t order, const SliceHeader &slice, CodedPicture &picture);

  Owned<GstH265Parser> parser_;
  State state_;
  std::vector<Decoded> decoded_;
  int64_t order_window_ = INT64_MAX;
  bool full_range_ = false; // of the last sequence parameter set
};

void H265Parser::reset() {
  NalPictureParser::reset();
  state_ = {};
  decoded_.clear();
  order_window_ = INT64_MAX;
}

// HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 8.3.3.1.
unsigned H265Parser::read_config(GstByteReader &config) {
  guint8 length_size_minus1, array_count;
  if (!gst_byte_reader_skip(&config, 21) || !gst_byte_reader_get_uint8(&config, &length_size_minus1) ||
      !gst_byte_reader_get_uint8(&config, &array_count))
    return 0;
  for (int i = 0; i < array_count; ++i) {
    unsigned count;
    if (!gst_byte_reader_skip(&config, 1) || !read_uint16(config, count) || !read_config_nals(config, count))
      return 0;
  }
  return (length_size_minus1 & 3) + 1;
}

bool H265Parser::is_slice(const Nal &nal) const {
  const NalHeader header(nal);
  return header.is_slice() && header.layer == 0;
}

bool H265Parser::is_header(const Nal &nal) const {
  const NalHeader header(nal);
  return header.type >= GST_H265_NAL_VPS && header.type <= GST_H265_NAL_PPS;
}

void H265Parser::read_other(const Nal &nal) {
  const NalHeader header(nal);
  if (header.layer != 0 || header.temporal_id < 0)
    return;
  if (header.type == GST_H265_NAL_EOS || header.type == GST_H265_NAL_EOB) {
    state_.awaits_irap = true;
    return;
  }
  Roomy<GstH265NalUnit> unit = to_gst(nal, header);
  // Both functions store the parameter set, but parse_nal() skips the VUI, which contains the sample range.
  Roomy<GstH265SPS> sps;
  if (header.type != GST_H265_NAL_SPS ||
      gst_h265_parser_parse_sps(parser_.get(), &unit, &sps, TRUE) != GST_H265_PARSER_OK)
    gst_h265_parser_parse_nal(parser_.get(), &unit);
  else
    full_range_ = sps.vui_parameters_present_flag && sps.vui_params.video_signal_type_present_flag &&
                  sps.vui_params.video_full_range_flag;
}

bool H265Parser::read_first_slice(const Nal &nal, CodedPicture &picture) {
  const NalHeader header(nal);
  if (header.temporal_id < 0)
    return false;
  Roomy<GstH265NalUnit> unit = to_gst(nal, header);
  SliceHeader slice;
  if (gst_h265_parser_parse_slice_hdr(parser_.get(), &unit, &slice) != GST_H265_PARSER_OK ||
      slice.dependent_slice_segment_flag)
    return false;

  picture.random_access = header.is_irap();
  // An IRAP picture with NoRaslOutputFlag, 8.1.3.
  picture.starts_sequence = header.is_irap() && (header.type != GST_H265_NAL_SLICE_CRA_NUT || state_.awaits_irap);
  // The end-of-sequence NAL unit that decoders need is in the previous access unit, which may be dropped.
  picture.late_start = picture.starts_sequence && header.type == GST_H265_NAL_SLICE_CRA_NUT;
  if (header.is_irap()) {
    state_.awaits_irap = false;
    state_.skips_rasl = picture.starts_sequence;
  }
  // PicOutputFlag, 8.3.1: a RASL picture after such an IRAP picture refers to missing pictures, and decoders do not
  // output it.
  picture.output = slice.pic_output_flag && !(header.is_rasl() && state_.skips_rasl);
  const int64_t order = next_order(header, picture.starts_sequence, slice);
  if (picture.starts_sequence)
    decoded_.clear();
  find_references(header, order, slice, picture);
  picture.anchors_order = header.anchors_order();
  picture.decodable_leading = GST_H265_IS_NAL_TYPE_RADL(header.type);
  picture.order = saturate_order(order);
  return true;
}

// PicOrderCntVal, 8.3.1.
int64_t H265Parser::next_order(const NalHeader &header, bool starts_sequence, const SliceHeader &slice) {
  const int64_t max_lsb = int64_t{1} << (slice.pps->sps->log2_max_pic_order_cnt_lsb_minus4 + 4);
  order_window_ = std::min(order_window_, max_lsb / 2);
  const int64_t lsb = slice.pic_order_cnt_lsb; // 0 for IDR pictures
  const int64_t msb = starts_sequence ? 0 : order_msb(state_.msb, state_.lsb, lsb, max_lsb);
  if (header.anchors_order()) {
    state_.msb = msb;
    state_.lsb = lsb;
  }
  return msb + lsb;
}

// The reference picture set, 8.3.2. Sets the picture's references, and updates `decoded_` to those available to later
// pictures.
void H265Parser::find_references(const NalHeader &header, int64_t order, const SliceHeader &slice,
                                 CodedPicture &picture) {
  References &references = picture.references;
  references.known = true;
  std::vector<Decoded> kept;
  const auto refer = [&](int64_t delta, bool used) {
    const auto found =
        std::find_if(decoded_.begin(), decoded_.end(), [&](const Decoded &d) { return d.order == order + delta; });
    if (found != decoded_.end())
      kept.push_back(*found);
    if (!used)
      return;
    if (found == decoded_.end())
      picture.after_loss |= picture.output; // otherwise the reference precedes an entry point
    if (found == decoded_.end() || references.count == References::kMax)
      references.known = false;
    else
      references.units[references.count++] = found->unit;
  };
  const bool idr = header.type == GST_H265_NAL_SLICE_IDR_W_RADL || header.type == GST_H265_NAL_SLICE_IDR_N_LP;
  if (!idr) {
    const GstH265SPS &sps = *slice.pps->sps;
    const GstH265ShortTermRefPicSet &set = slice.short_term_ref_pic_set_sps_flag
                                               ? sps.short_term_ref_pic_set[slice.short_term_ref_pic_set_idx]
                                               : slice.short_term_ref_pic_sets;
    for (int i = 0; i < set.NumNegativePics; ++i)
      refer(set.DeltaPocS0[i], set.UsedByCurrPicS0[i]);
    for (int i = 0; i < set.NumPositivePics; ++i)
      refer(set.DeltaPocS1[i], set.UsedByCurrPicS1[i]);
    if (slice.num_long_term_sps + slice.num_long_term_pics > 0) { // rare, so not resolved
      references.known = false;
      kept = decoded_;
    }
  }
  kept.push_back({order, unit()});
  if (kept.size() > size_t{2} * References::kMax) // only damaged streams have more
    kept.erase(kept.begin());
  decoded_ = std::move(kept);
}

} // namespace

std::unique_ptr<PictureParser> make_h265_parser() {
  return std::make_unique<H265Parser>();
}

} // namespace cps
