// SPDX-License-Identifier: LGPL-2.1-or-later
// AV1. Section numbers refer to the AV1 Bitstream & Decoding Process Specification.
#include "gst/bitstream/roomy.h"
#include "gst/bitstream/unitpictureparser.h"
#include "gst/common/owned.h"
#include "gst/common/readmap.h"

#include <algorithm>
#include <array>
#include <vector>

#define GST_USE_UNSTABLE_API
#include <gst/codecparsers/gstav1parser.h>

namespace cps {

CPS_RELEASE(GstAV1Parser, gst_av1_parser_free);

namespace {

constexpr size_t kConfigHeader = 4; // bytes of AV1CodecConfigurationRecord before its OBUs

bool holds_frame_data(GstAV1OBUType type) {
  return type == GST_AV1_OBU_FRAME || type == GST_AV1_OBU_FRAME_HEADER || type == GST_AV1_OBU_TILE_GROUP;
}

bool is_intra(const GstAV1FrameHeaderOBU &frame) {
  return frame.frame_type == GST_AV1_KEY_FRAME || frame.frame_type == GST_AV1_INTRA_ONLY_FRAME;
}

// The eight reference slots, each with the unit that last wrote it. A frame inherits everything from slots (samples,
// motion vectors, probabilities, segmentation map, film grain; 7.20 and 7.21), so the slots alone determine its
// dependencies.
class Slots {
public:
  static constexpr uint32_t kUnknown = UINT32_MAX;

  Slots() { writers_.fill(kUnknown); }

  uint32_t writer(unsigned slot) const { return writers_[slot]; }
  void write(unsigned flags, uint32_t unit) {
    for (unsigned slot = 0; slot < writers_.size(); ++slot)
      if (flags >> slot & 1)
        writers_[slot] = unit;
  }

private:
  std::array<uint32_t, GST_AV1_NUM_REF_FRAMES> writers_;
};

// Collects the references of a temporal unit while its frames are read.
class CallbackCollector {
public:
  CallbackCollector(uint32_t unit, uint32_t entry) : unit_(unit), entry_(entry) { references_.known = true; }

  void add(uint32_t writer) {
    if (writer == Slots::kUnknown)
      references_.known = false;
    // The entry point is needed anyway. Recording it would only add long distances.
    if (!references_.known || writer == unit_ || writer == entry_)
      return;
    uint32_t *end = references_.units + references_.count;
    if (std::find(references_.units, end, writer) != end)
      return;
    references_.known = references_.count < References::kMax;
    if (references_.known)
      references_.units[references_.count++] = writer;
  }
  void forget() { references_.known = false; }

  References references() const { return references_.known ? references_ : References{}; }

private:
  const uint32_t unit_;
  const uint32_t entry_;
  References references_;
};

// Parses temporal units or single frames.
class Av1Parser final : public UnitPictureParser {
public:
  Av1Parser() : parser_(gst_av1_parser_new()) {}

  bool set_caps(const GstCaps *caps) override;
  bool full_range() const override { return full_range_; }
  void reset() override;

protected:
  bool read(const CodedUnit &unit, CodedPicture &picture) override;
  void add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const override;

private:
  bool read_config(GstBuffer *codec_data);
  bool read_unit(const CodedUnit &unit, CodedPicture &picture);
  bool read_obu(GstAV1OBU &obu, CodedPicture &picture, CallbackCollector &gatherer);
  bool read_frame(GstAV1FrameHeaderOBU &frame, CodedPicture &picture, CallbackCollector &gatherer);
  void gather(const GstAV1FrameHeaderOBU &frame, CallbackCollector &gatherer) const;

  Owned<GstAV1Parser> parser_;
  std::vector<uint8_t> config_; // OBUs of codec_data
  bool full_range_ = false;     // of the last sequence header
  bool has_frame_ids_ = false;  // of the last sequence header
  Slots slots_;
  uint32_t entry_ = Slots::kUnknown; // the last unit that is an entry point
};

bool Av1Parser::set_caps(const GstCaps *caps) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  const char *format = gst_structure_get_string(s, "stream-format");
  const char *alignment = gst_structure_get_string(s, "alignment");
  if (!gst_structure_has_name(s, "video/x-av1") || (format && !g_str_equal(format, "obu-stream")) ||
      (alignment && g_str_equal(alignment, "obu")))
    return false;
  const GValue *value = gst_structure_get_value(s, "codec_data");
  return !value || !GST_VALUE_HOLDS_BUFFER(value) || read_config(gst_value_get_buffer(value));
}

// In files, the sequence header may be only here (AV1 in ISOBMFF, 2.3 and 2.4).
bool Av1Parser::read_config(GstBuffer *codec_data) {
  ReadMap map(codec_data);
  if (!map)
    return false;
  config_.assign(map.data() + std::min(kConfigHeader, map.size()), map.data() + map.size());
  CodedPicture none;
  read_unit({config_.data(), config_.size(), false}, none);
  return true;
}

void Av1Parser::reset() {
  UnitPictureParser::reset();
  parser_.reset(gst_av1_parser_new());
  full_range_ = has_frame_ids_ = false;
  slots_ = {};
  entry_ = Slots::kUnknown;
  CodedPicture none;
  read_unit({config_.data(), config_.size(), false}, none);
}

// Ignores temporal delimiters and sequence headers, because containers and parsers add and remove them.
void Av1Parser::add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const {
  guint32 used = 0;
  for (size_t at = 0; at < unit.size; at += used) {
    Roomy<GstAV1OBU> obu;
    const GstAV1ParserResult result = gst_av1_parser_identify_one_obu(
        parser_.get(), unit.data + at, static_cast<guint32>(unit.size - at), &obu, &used);
    if (result != GST_AV1_PARSER_OK && result != GST_AV1_PARSER_DROP) {
      fingerprint.add({unit.data + at, unit.size - at});
      return;
    }
    if (holds_frame_data(obu.obu_type))
      fingerprint.add({obu.data, obu.obu_size});
  }
}

bool Av1Parser::read(const CodedUnit &unit, CodedPicture &picture) {
  if (read_unit(unit, picture))
    return true;
  picture.has_picture = unit.size > 0;
  slots_ = {}; // the unit may have written any of them
  return false;
}

bool Av1Parser::read_unit(const CodedUnit &unit, CodedPicture &picture) {
  // Start each unit with a temporal delimiter, because containers omit it.
  Roomy<GstAV1OBU> delimiter;
  delimiter.obu_type = delimiter.header.obu_type = GST_AV1_OBU_TEMPORAL_DELIMITER;
  gst_av1_parser_parse_temporal_delimiter_obu(parser_.get(), &delimiter);

  picture.output = picture.reference = false;
  CallbackCollector gatherer(number(), entry_);
  guint32 used = 0;
  for (size_t at = 0; at < unit.size; at += used) {
    Roomy<GstAV1OBU> obu;
    const GstAV1ParserResult result = gst_av1_parser_identify_one_obu(
        parser_.get(), unit.data + at, static_cast<guint32>(unit.size - at), &obu, &used);
    if (result == GST_AV1_PARSER_DROP) // belongs to a layer that is not decoded
      continue;
    if (result != GST_AV1_PARSER_OK || !read_obu(obu, picture, gatherer))
      return false;
  }
  picture.references = gatherer.references();
  if (picture.random_access)
    entry_ = number();
  return true;
}

bool Av1Parser::read_obu(GstAV1OBU &obu, CodedPicture &picture, CallbackCollector &gatherer) {
  GstAV1ParserResult result = GST_AV1_PARSER_OK;
  switch (obu.obu_type) {
  case GST_AV1_OBU_SEQUENCE_HEADER: {
    Roomy<GstAV1SequenceHeaderOBU> sequence;
    result = gst_av1_parser_parse_sequence_header_obu(parser_.get(), &obu, &sequence);
    if (result == GST_AV1_PARSER_OK) {
      full_range_ = sequence.color_config.color_range;
      has_frame_ids_ = sequence.frame_id_numbers_present_flag;
    }
    break;
  }
  case GST_AV1_OBU_TEMPORAL_DELIMITER:
    result = gst_av1_parser_parse_temporal_delimiter_obu(parser_.get(), &obu);
    break;
  case GST_AV1_OBU_FRAME: {
    Roomy<GstAV1FrameOBU> frame;
    result = gst_av1_parser_parse_frame_obu(parser_.get(), &obu, &frame);
    return result == GST_AV1_PARSER_OK && read_frame(frame.frame_header, picture, gatherer);
  }
  case GST_AV1_OBU_FRAME_HEADER: {
    Roomy<GstAV1FrameHeaderOBU> frame;
    result = gst_av1_parser_parse_frame_header_obu(parser_.get(), &obu, &frame);
    return result == GST_AV1_PARSER_OK && read_frame(frame, picture, gatherer);
  }
  case GST_AV1_OBU_TILE_GROUP: { // the library must see the last one before the next frame
    Roomy<GstAV1TileGroupOBU> tiles;
    result = gst_av1_parser_parse_tile_group_obu(parser_.get(), &obu, &tiles);
    break;
  }
  default:
    break;
  }
  return result == GST_AV1_PARSER_OK;
}

bool Av1Parser::read_frame(GstAV1FrameHeaderOBU &frame, CodedPicture &picture, CallbackCollector &gatherer) {
  const bool shown_key = frame.frame_type == GST_AV1_KEY_FRAME && frame.show_frame && !frame.show_existing_frame;
  // A key frame with show_frame empties and fills all slots. A key frame that is shown later (show_existing_frame) does
  // so at that time, but then depends on a slot itself.
  if (shown_key && !picture.has_picture)
    picture.random_access = picture.starts_sequence = true;
  picture.has_picture = true;
  picture.output |= frame.show_frame || frame.show_existing_frame;
  picture.reference |= frame.refresh_frame_flags != 0;
  gather(frame, gatherer);
  slots_.write(frame.refresh_frame_flags, number());
  if (frame.show_existing_frame && frame.frame_type != GST_AV1_KEY_FRAME)
    return true;
  return gst_av1_parser_reference_frame_update(parser_.get(), &frame) == GST_AV1_PARSER_OK;
}

void Av1Parser::gather(const GstAV1FrameHeaderOBU &frame, CallbackCollector &gatherer) const {
  if (frame.show_existing_frame) {
    gatherer.add(slots_.writer(static_cast<unsigned>(frame.frame_to_show_map_idx) % GST_AV1_NUM_REF_FRAMES));
    return;
  }
  if (is_intra(frame)) { // inherits no contexts: primary_ref_frame is none (5.9.2)
    // The frame id must not differ from the previous one by half the range or more. The frames between an inter frame
    // and its references ensure that, but here all of them might be dropped.
    if (frame.frame_type == GST_AV1_INTRA_ONLY_FRAME && has_frame_ids_)
      gatherer.forget();
    return;
  }
  if (frame.frame_refs_short_signaling) // the slots are derived from all order hints (7.8)
    for (unsigned slot = 0; slot < GST_AV1_NUM_REF_FRAMES; ++slot)
      gatherer.add(slots_.writer(slot));
  for (const gint8 slot : frame.ref_frame_idx) // primary_ref_frame is one of these
    gatherer.add(slot < 0 ? Slots::kUnknown : slots_.writer(static_cast<unsigned>(slot)));
}

} // namespace

std::unique_ptr<PictureParser> make_av1_parser() {
  return std::make_unique<Av1Parser>();
}

} // namespace cps
