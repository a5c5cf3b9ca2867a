// SPDX-License-Identifier: LGPL-2.1-or-later
// MPEG-1 and MPEG-2 video. Clause numbers refer to Rec. ITU-T H.262.
#include "gst/bitstream/roomy.h"
#include "gst/bitstream/unitpictureparser.h"

#include <optional>

#define GST_USE_UNSTABLE_API
#include <gst/codecparsers/gstmpegvideoparser.h>

namespace cps {

namespace {

bool is_slice(const Nal &packet) {
  return packet.data[0] >= GST_MPEG_VIDEO_PACKET_SLICE_MIN && packet.data[0] <= GST_MPEG_VIDEO_PACKET_SLICE_MAX;
}

// Passes the data up to the end of the unit, because a header may end with zero bytes, which look like padding.
Roomy<GstMpegVideoPacket> to_gst(const Nal &packet, const CodedUnit &unit) {
  Roomy<GstMpegVideoPacket> result;
  result.data = packet.data;
  result.type = packet.data[0];
  result.offset = 1;
  result.size = static_cast<gint>(unit.data + unit.size - packet.data - 1);
  return result;
}

// The picture of a unit; if it has two fields, the first one.
struct Picture {
  Roomy<GstMpegVideoPictureHdr> header;
  unsigned structure = GST_MPEG_VIDEO_PICTURE_STRUCTURE_FRAME;
  bool both_fields = false;
  bool has_matrix = false; // quant_matrix_extension()

  bool is_field() const { return structure != GST_MPEG_VIDEO_PICTURE_STRUCTURE_FRAME && !both_fields; }
  bool is_bidirectional() const { return header.pic_type == GST_MPEG_VIDEO_PICTURE_TYPE_B; }
  // A P field after an I field refers only to the I field (7.6.3.5), so the two form an I frame.
  bool is_intra() const { return header.pic_type != GST_MPEG_VIDEO_PICTURE_TYPE_P && !is_bidirectional(); }
};

// An I or P frame as a reference.
struct Anchor {
  bool known = false;
  uint32_t first = 0; // its first and last unit; they differ if each field has a unit
  uint32_t last = 0;
};

// Headers before the next picture.
struct Pending {
  bool sequence = false;
  bool gop = false;
  bool closed_gop = false;
};

class MpegVideoParser final : public UnitPictureParser {
public:
  bool set_caps(const GstCaps *caps) override;
  void reset() override;
  // sequence_end_code, because libmpeg2 does not show the last I or P picture without it.
  std::string_view end_of_sequence() const override { return {"\0\0\1\xb7", 4}; }

protected:
  bool read(const CodedUnit &unit, CodedPicture &coded) override;
  void add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const override;

private:
  bool read_packet(const Nal &packet, const CodedUnit &unit, CodedPicture &coded, std::optional<Picture> &picture);
  static void read_extension(const Nal &packet, const CodedUnit &unit, Picture &picture);
  bool completes_frame(const Picture &picture) const;
  void place(const Picture &picture, CodedPicture &coded);
  void place_second_field(CodedPicture &coded);
  void refer(const Picture &picture, CodedPicture &coded) const;
  void forget_anchors();

  Pending pending_;
  Anchor before_, last_;         // the last two anchors, in decode order
  int32_t anchors_ = 0;          // number so far
  bool closed_gop_ = false;      // the GOP of the last I picture is closed
  std::optional<Picture> field_; // its frame still lacks the other field
  References field_references_;
  std::optional<uint32_t> sequence_unit_; // contains the current sequence header
  std::optional<uint32_t> matrix_unit_;   // contains the last quant_matrix_extension() after that header
};

bool MpegVideoParser::set_caps(const GstCaps *caps) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  gint version = 0;
  gboolean systemstream = FALSE;
  gst_structure_get_boolean(s, "systemstream", &systemstream);
  return gst_structure_has_name(s, "video/mpeg") && gst_structure_get_int(s, "mpegversion", &version) &&
         (version == 1 || version == 2) && !systemstream;
}

void MpegVideoParser::reset() {
  *this = {};
}

// Starts at the picture header, because parsers may repeat the headers before it.
void MpegVideoParser::add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const {
  NalReader reader(unit.data, unit.size, 0);
  for (Nal packet; reader.next(packet);)
    if (packet.data[0] == GST_MPEG_VIDEO_PACKET_PICTURE || is_slice(packet)) {
      fingerprint.add({packet.data, static_cast<size_t>(unit.data + unit.size - packet.data)});
      return;
    }
}

bool MpegVideoParser::read(const CodedUnit &unit, CodedPicture &coded) {
  std::optional<Picture> picture;
  bool understood = true;
  NalReader reader(unit.data, unit.size, 0);
  for (Nal packet; reader.next(packet);)
    understood &= read_packet(packet, unit, coded, picture);
  if (!coded.has_picture)
    return true;
  if (!understood || !picture) {
    forget_anchors();
    return false;
  }
  if (completes_frame(*picture))
    place_second_field(coded);
  else
    place(*picture, coded);
  return true;
}

bool MpegVideoParser::read_packet(const Nal &packet, const CodedUnit &unit, CodedPicture &coded,
                                  std::optional<Picture> &picture) {
  const Roomy<GstMpegVideoPacket> parsed = to_gst(packet, unit);
  switch (packet.data[0]) {
  case GST_MPEG_VIDEO_PACKET_SEQUENCE:
    pending_.sequence = true;
    sequence_unit_ = number();
    matrix_unit_.reset(); // 6.3.11: a sequence header sets the matrices, at least to the defaults
    return true;
  case GST_MPEG_VIDEO_PACKET_GOP: {
    Roomy<GstMpegVideoGop> gop;
    pending_.gop = gst_mpeg_video_packet_parse_gop(&parsed, &gop);
    pending_.closed_gop = pending_.gop && gop.closed_gop;
    return true;
  }
  case GST_MPEG_VIDEO_PACKET_PICTURE: {
    coded.has_picture = true;
    Picture read;
    if (!gst_mpeg_video_packet_parse_picture_header(&parsed, &read.header))
      return false;
    if (picture)
      picture->both_fields = true;
    else
      picture = read;
    return true;
  }
  case GST_MPEG_VIDEO_PACKET_EXTENSION:
    if (picture)
      read_extension(packet, unit, *picture);
    return true;
  default:
    coded.has_picture |= is_slice(packet);
    return true;
  }
}

void MpegVideoParser::read_extension(const Nal &packet, const CodedUnit &unit, Picture &picture) {
  const Roomy<GstMpegVideoPacket> parsed = to_gst(packet, unit);
  Roomy<GstMpegVideoPictureExt> extension;
  if (packet.size < 2)
    return;
  const int type = packet.data[1] >> 4;
  if (type == GST_MPEG_VIDEO_PACKET_EXT_QUANT_MATRIX)
    picture.has_matrix = true;
  else if (type == GST_MPEG_VIDEO_PACKET_EXT_PICTURE && !picture.both_fields &&
           gst_mpeg_video_packet_parse_picture_extension(&parsed, &extension))
    picture.structure = extension.picture_structure;
}

// 6.1.1.4.1: the two fields of a frame are adjacent and have the same temporal_reference.
bool MpegVideoParser::completes_frame(const Picture &picture) const {
  return field_ && picture.is_field() && picture.structure != field_->structure &&
         picture.header.tsn == field_->header.tsn && picture.is_bidirectional() == field_->is_bidirectional();
}

void MpegVideoParser::place(const Picture &picture, CodedPicture &coded) {
  // An I or P picture is shown when the next one is decoded, and a B picture immediately (6.1.1.11). Decoders do so,
  // and unlike temporal_reference this also holds for edited streams.
  const bool anchor = !picture.is_bidirectional();
  if (anchor) {
    anchors_++;
    before_ = last_;
    last_ = {true, number(), number()};
  }
  coded.order = 2 * anchors_ + (anchor ? 1 : 0);
  if (picture.is_intra()) {
    closed_gop_ = pending_.closed_gop;
    // Decoding cannot start here with matrices from an earlier picture.
    coded.random_access = (pending_.sequence || pending_.gop) && !matrix_unit_;
    coded.starts_sequence = coded.random_access && closed_gop_;
  } else if (anchor) {
    closed_gop_ = false;
  }
  coded.reference = anchor || picture.has_matrix;
  refer(picture, coded);
  // Excludes the B pictures at the start of a cut stream. Decoders skip them, because one of their two references is
  // missing.
  coded.output = anchor || closed_gop_ || anchors_ > 1;
  pending_ = {};
  if (picture.has_matrix)
    matrix_unit_ = number();
  field_.reset();
  if (picture.is_field()) {
    field_ = picture;
    field_references_ = coded.references;
  }
}

void MpegVideoParser::place_second_field(CodedPicture &coded) {
  const bool anchor = !field_->is_bidirectional();
  coded.second_field = true;
  coded.order = 2 * anchors_ + (anchor ? 1 : 0);
  coded.reference = anchor;
  coded.references = field_references_;
  if (coded.references.known)
    coded.references.units[coded.references.count++] = number() - 1;
  if (anchor)
    last_.last = number();
  field_.reset();
}

void MpegVideoParser::refer(const Picture &picture, CodedPicture &coded) const {
  References &references = coded.references;
  references.known = true;
  const auto add = [&](uint32_t unit) {
    if (unit != number())
      references.units[references.count++] = unit;
  };
  const auto add_anchor = [&](const Anchor &anchor) {
    references.known &= anchor.known;
    add(anchor.first);
    if (anchor.last != anchor.first)
      add(anchor.last);
  };
  if (picture.is_bidirectional()) {
    add_anchor(last_);
    if (!closed_gop_)
      add_anchor(before_);
  } else if (!picture.is_intra()) {
    add_anchor(before_);
  }
  if (matrix_unit_)
    add(*matrix_unit_);
  if (coded.random_access && sequence_unit_)
    add(*sequence_unit_);
}

void MpegVideoParser::forget_anchors() {
  before_ = last_ = {};
  pending_ = {};
  field_.reset();
}

} // namespace

std::unique_ptr<PictureParser> make_mpegvideo_parser() {
  return std::make_unique<MpegVideoParser>();
}

} // namespace cps
