// SPDX-License-Identifier: LGPL-2.1-or-later
// Codecs whose units are not parsed, but for what tells that decoding can start there.
#include "gst/bitstream/picturekind.h"
#include "gst/bitstream/unitpictureparser.h"

#include <string>
#include <utility>

namespace cps {

namespace {

class WholeUnitParser : public UnitPictureParser {
public:
  bool set_caps(const GstCaps *caps) override {
    const char *name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
    if (media_type_.empty())
      media_type_ = name;
    return media_type_ == name;
  }

protected:
  const std::string &media_type() const { return media_type_; }

private:
  std::string media_type_;
};

class IntraParser final : public WholeUnitParser {
protected:
  bool read(const CodedUnit &unit, CodedPicture &picture) override {
    picture.has_picture = unit.size > 0;
    picture.random_access = picture.starts_sequence = true;
    picture.reference = false;
    picture.references.known = true;
    return true;
  }
};

// Containers mark pictures as keys that are none, by accident or for all codecs that their writer does not know. So
// where the picture itself does not tell, decoding starts at the first one.
class KeyFrameParser final : public WholeUnitParser {
public:
  bool set_caps(const GstCaps *caps) override {
    kinds_ = picture_kind_reader(gst_caps_get_structure(caps, 0));
    return WholeUnitParser::set_caps(caps);
  }
  void reset() override {
    WholeUnitParser::reset();
    begun_ = false;
    order_ = {};
  }
  bool orders_by_pts() const override { return !kinds_.read; }
  bool holds_last() const override { return kinds_.holds_last; }
  bool loses_last() const override { return kinds_.loses_last; }

protected:
  bool read(const CodedUnit &unit, CodedPicture &picture) override {
    picture.has_picture = !is_empty(unit);
    if (!picture.has_picture)
      return true;
    const bool first = !std::exchange(begun_, true);
    const PictureKind kind = kinds_.read ? kinds_.read(unit.data, unit.size) : PictureKind::Broken;
    picture.random_access = kinds_.read && !kinds_.holds_last ? kind == PictureKind::I : first;
    if (kinds_.read)
      order_.place(kind, picture);
    return true;
  }
  void add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const override {
    if (!is_empty(unit))
      fingerprint.add({unit.data, unit.size});
  }

private:
  // Theora's three header packets, which may come in the stream (Theora specification, 6.1), and what TechSmith's
  // screen codec has where nothing changes, the header of a deflated stream alone: decoders show nothing for that.
  bool is_empty(const CodedUnit &unit) const {
    constexpr size_t kDeflateHeader = 2;
    if (media_type() == "video/x-camtasia")
      return unit.size <= kDeflateHeader;
    return unit.size == 0 || (media_type() == "video/x-theora" && (unit.data[0] & 0x80) != 0);
  }

  PictureKindReader kinds_;
  AnchorOrder order_;
  bool begun_ = false;
};

} // namespace

std::unique_ptr<PictureParser> make_intra_parser() {
  return std::make_unique<IntraParser>();
}

std::unique_ptr<PictureParser> make_keyframe_parser() {
  return std::make_unique<KeyFrameParser>();
}

} // namespace cps
