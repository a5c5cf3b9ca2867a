// SPDX-License-Identifier: LGPL-2.1-or-later
// MPEG-4 part 2. Clause numbers refer to ISO/IEC 14496-2. Key frames are taken from the container's flags, because only
// the container knows which headers a decoder needs first. Display order is derived from the bitstream, because AVI
// stores no presentation times and parsers drop those of other containers.
#include "gst/bitstream/roomy.h"
#include "gst/bitstream/unitpictureparser.h"
#include "gst/common/readmap.h"

#define GST_USE_UNSTABLE_API
#include <gst/codecparsers/gstmpeg4parser.h>

namespace cps {

namespace {

// The video object planes (VOPs) of a unit.
struct Planes {
  int coded = 0;
  int all = 0;
  GstMpeg4VideoObjectCodingType first = GST_MPEG4_I_VOP; // coding type of the first VOP
};

class Mpeg4Parser final : public UnitPictureParser {
public:
  bool set_caps(const GstCaps *caps) override;
  void reset() override;

protected:
  bool read(const CodedUnit &unit, CodedPicture &picture) override;
  void add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const override;

private:
  Planes read_planes(const CodedUnit &unit);
  bool is_coded(const Nal &packet, const CodedUnit &unit) const;
  void place(const Planes &planes, CodedPicture &picture);

  Roomy<GstMpeg4VideoObjectLayer> layer_;
  bool has_layer_ = false;
  int32_t anchors_ = 0; // I-, P- and S-VOPs so far
  bool packed_ = false; // decoder output lags by one B-VOP
};

bool Mpeg4Parser::set_caps(const GstCaps *caps) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  const GValue *value = gst_structure_get_value(s, "codec_data");
  if (value && GST_VALUE_HOLDS_BUFFER(value)) {
    ReadMap map(gst_value_get_buffer(value));
    if (map)
      read_planes({map.data(), map.size(), false});
  }
  return gst_structure_has_name(s, "video/mpeg") || gst_structure_has_name(s, "video/x-divx") ||
         gst_structure_has_name(s, "video/x-xvid");
}

void Mpeg4Parser::reset() {
  UnitPictureParser::reset();
  anchors_ = 0;
  packed_ = false;
}

// Starts at the first VOP, because parsers may repeat the headers before it.
void Mpeg4Parser::add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const {
  NalReader reader(unit.data, unit.size, 0);
  for (Nal packet; reader.next(packet);)
    if (packet.data[0] == GST_MPEG4_VIDEO_OBJ_PLANE) {
      fingerprint.add({packet.data, static_cast<size_t>(unit.data + unit.size - packet.data)});
      return;
    }
}

Planes Mpeg4Parser::read_planes(const CodedUnit &unit) {
  Planes planes;
  NalReader reader(unit.data, unit.size, 0);
  for (Nal packet; reader.next(packet);) {
    if (packet.data[0] >= GST_MPEG4_VIDEO_LAYER_FIRST && packet.data[0] <= GST_MPEG4_VIDEO_LAYER_LAST) {
      has_layer_ =
          gst_mpeg4_parse_video_object_layer(&layer_, nullptr, packet.data, packet.size) == GST_MPEG4_PARSER_OK;
    } else if (packet.data[0] == GST_MPEG4_VIDEO_OBJ_PLANE) {
      if (planes.all++ == 0 && packet.size > 1)
        planes.first = static_cast<GstMpeg4VideoObjectCodingType>(packet.data[1] >> 6);
      planes.coded += is_coded(packet, unit) ? 1 : 0;
    }
  }
  return planes;
}

// vop_coded, or true if it cannot be read. Passes the data up to the end of the unit, because a VOP may end with zero
// bits.
bool Mpeg4Parser::is_coded(const Nal &packet, const CodedUnit &unit) const {
  Roomy<GstMpeg4VideoObjectPlane> plane;
  plane.coded = 1;
  Roomy<GstMpeg4VideoObjectLayer> layer = layer_;
  if (has_layer_)
    gst_mpeg4_parse_video_object_plane(&plane, nullptr, &layer, packet.data,
                                       static_cast<gsize>(unit.data + unit.size - packet.data));
  return plane.coded;
}

bool Mpeg4Parser::read(const CodedUnit &unit, CodedPicture &picture) {
  const Planes planes = read_planes(unit);
  picture.has_picture = planes.all > 0;
  if (!picture.has_picture)
    return true;
  picture.random_access = !unit.delta && planes.first == GST_MPEG4_I_VOP && planes.coded > 0;
  place(planes, picture);
  return true;
}

void Mpeg4Parser::place(const Planes &planes, CodedPicture &picture) {
  packed_ |= planes.all > 1;
  if (planes.coded == 0) {
    // Decoders output nothing for a not-coded VOP, except in a packed bitstream. There, output lags by one unit: since
    // the unit that held two VOPs, each unit outputs its predecessor's B-VOP, and this not-coded VOP flushes the last
    // one.
    picture.output = packed_;
    picture.order = 2 * anchors_;
    packed_ = false;
    return;
  }
  // Decoders output an I-, P- or S-VOP when the next one is decoded, and a B-VOP immediately (6.1.3.8).
  const bool anchor = planes.first != GST_MPEG4_B_VOP;
  anchors_ += anchor ? 1 : 0;
  picture.order = 2 * anchors_ + (anchor ? 1 : 0);
  picture.reference = anchor || packed_;
  // B-VOPs at the start of a cut stream lack one of their two references.
  picture.output = anchor || anchors_ > 1;
  packed_ &= !anchor || planes.all > 1;
}

} // namespace

std::unique_ptr<PictureParser> make_mpeg4_parser() {
  return std::make_unique<Mpeg4Parser>();
}

} // namespace cps
