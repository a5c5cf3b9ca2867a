// SPDX-License-Identifier: LGPL-2.1-or-later
// VC-1 and WMV 9. Clause numbers refer to SMPTE 421M. Display order is derived from the picture type, because Microsoft
// containers store decode times, in which pictures that are shown later come first.
#include "gst/bitstream/bits.h"
#include "gst/bitstream/picturekind.h"
#include "gst/bitstream/unitpictureparser.h"
#include "gst/common/readmap.h"

#include <optional>

namespace cps {

namespace {

using Kind = PictureKind;

// Suffixes of start codes, Annex E.5.
enum Bdu : uint8_t { kField = 0x0c, kFrame = 0x0d, kEntryPoint = 0x0e, kSequence = 0x0f };

// Fields of sequence headers that affect the parsing of picture headers.
struct Sequence {
  bool advanced = false;
  bool interlaced = false; // advanced profile only
  bool has_range = false;  // simple and main profile: RANGERED, MAXBFRAMES, FINTERPFLAG
  bool has_b_pictures = false;
  bool has_interpolation = false;
};

// 6.1, after the start code.
std::optional<Sequence> read_advanced_sequence(const Nal &header) {
  Bits bits(header.data, header.size);
  Sequence sequence;
  sequence.advanced = bits.read(2) == 3;
  bits.skip(3 + 2 + 3 + 5 + 1 + 12 + 12 + 1); // skip to INTERLACE
  sequence.interlaced = bits.read(1) == 1;
  return sequence.advanced && !bits.ended() ? std::make_optional(sequence) : std::nullopt;
}

// STRUCT_C, Annex J.1.1.
std::optional<Sequence> read_simple_sequence(const Nal &header) {
  Bits bits(header.data, header.size);
  Sequence sequence;
  if (bits.read(2) == 3)
    return std::nullopt;
  bits.skip(22);
  sequence.has_range = bits.read(1) == 1;
  sequence.has_b_pictures = bits.read(3) > 0;
  bits.skip(2);
  sequence.has_interpolation = bits.read(1) == 1;
  return bits.ended() ? std::nullopt : std::make_optional(sequence);
}

// 7.1.1.4 and 9.1.1.
Kind read_advanced_kind(const Sequence &sequence, Bits &bits) {
  constexpr unsigned kTwoFields = 2;
  const unsigned coding = sequence.interlaced ? bits.ones(2) : 0;
  if (coding == kTwoFields) {
    const unsigned fields = bits.read(3); // I/I, I/P, P/I, P/P, and four combinations of B and BI
    return fields >= 4 ? Kind::B : fields < 2 ? Kind::I : Kind::P;
  }
  constexpr Kind kinds[] = {Kind::P, Kind::B, Kind::I, Kind::B, Kind::P}; // P, B, I, BI, skipped
  return kinds[bits.ones(4)];
}

// 7.1.
Kind read_simple_kind(const Sequence &sequence, Bits &bits) {
  bits.skip((sequence.has_interpolation ? 1 : 0) + 2 + (sequence.has_range ? 1 : 0));
  if (bits.read(1) == 1)
    return Kind::P;
  return !sequence.has_b_pictures || bits.read(1) == 1 ? Kind::I : Kind::B;
}

// The parts of a unit or of codec_data, without start codes.
struct Contents {
  bool any = false;
  bool entry_point = false;
  std::optional<Nal> sequence;
  std::optional<Nal> frame; // only this part, not the following ones
};

Contents read_contents(const uint8_t *data, size_t size) {
  Contents contents;
  NalReader reader(data, size, 0);
  for (Nal part; !contents.frame && reader.next(part);) {
    const Nal body{part.data + 1, part.size - 1};
    contents.any |= part.data[0] >= kField && part.data[0] <= kSequence;
    contents.entry_point |= part.data[0] == kEntryPoint;
    if (part.data[0] == kSequence)
      contents.sequence = body;
    else if (part.data[0] == kFrame && body.size > 0)
      contents.frame = body;
  }
  return contents;
}

class Vc1Parser final : public UnitPictureParser {
public:
  bool set_caps(const GstCaps *caps) override;
  void reset() override {
    UnitPictureParser::reset();
    order_ = {};
    in_band_ = false;
  }

protected:
  bool read(const CodedUnit &unit, CodedPicture &picture) override;
  void add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const override {
    if (const auto frame = contents_of(unit).frame)
      fingerprint.add(*frame);
  }

private:
  Contents contents_of(const CodedUnit &unit) const;
  std::optional<Kind> read_kind(const Nal &frame) const;

  std::optional<Sequence> sequence_;
  bool in_band_ = false; // entry points are in the stream, not only in codec_data
  AnchorOrder order_;
};

bool Vc1Parser::set_caps(const GstCaps *caps) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  gint version = 0;
  if (!gst_structure_has_name(s, "video/x-wmv") || !gst_structure_get_int(s, "wmvversion", &version) || version != 3)
    return false;
  const GValue *value = gst_structure_get_value(s, "codec_data");
  if (!value || !GST_VALUE_HOLDS_BUFFER(value))
    return true;
  ReadMap map(gst_value_get_buffer(value));
  if (!map)
    return true;
  const Contents contents = read_contents(map.data(), map.size());
  if (contents.sequence)
    sequence_ = read_advanced_sequence(*contents.sequence);
  else if (!contents.any)
    sequence_ = read_simple_sequence({map.data(), map.size()});
  return true;
}

Contents Vc1Parser::contents_of(const CodedUnit &unit) const {
  Contents contents;
  if (!sequence_ || sequence_->advanced) // other profiles have no start codes, but their data may contain similar bytes
    contents = read_contents(unit.data, unit.size);
  if (!contents.any && unit.size > 0)
    contents.frame = Nal{unit.data, unit.size};
  return contents;
}

std::optional<Kind> Vc1Parser::read_kind(const Nal &frame) const {
  if (!sequence_)
    return std::nullopt;
  Bits bits(frame.data, frame.size);
  const Kind kind = sequence_->advanced ? read_advanced_kind(*sequence_, bits) : read_simple_kind(*sequence_, bits);
  return bits.ended() ? std::nullopt : std::make_optional(kind);
}

bool Vc1Parser::read(const CodedUnit &unit, CodedPicture &picture) {
  const Contents contents = contents_of(unit);
  if (contents.sequence)
    sequence_ = read_advanced_sequence(*contents.sequence);
  in_band_ |= contents.entry_point;
  picture.has_picture = contents.frame.has_value();
  if (!picture.has_picture)
    return true;
  const std::optional<Kind> kind = read_kind(*contents.frame);
  if (!kind)
    return false;
  // The pictures after an entry point depend on its parameters, so no entry point may be dropped.
  picture.random_access = *kind == Kind::I && (contents.entry_point || !in_band_);
  order_.place(*kind, picture);
  return true;
}

} // namespace

std::unique_ptr<PictureParser> make_vc1_parser() {
  return std::make_unique<Vc1Parser>();
}

} // namespace cps
