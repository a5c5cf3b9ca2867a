// SPDX-License-Identifier: LGPL-2.1-or-later
// Codecs whose units are not parsed, except for the detection of entry points.
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

  // Raw frames are told by their times only, because the bytes between their rows may be others in every pass: y4mdec
  // of GStreamer 1.22 leaves them uninitialised.
  void add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const override {
    if (media_type() != "video/x-raw")
      return WholeUnitParser::add_to_fingerprint(unit, fingerprint);
    const uint64_t size = unit.size;
    fingerprint.add({reinterpret_cast<const uint8_t *>(&size), sizeof size});
  }
};

// Containers mark pictures as key frames incorrectly, by accident or for every codec that the writer does not know.
// Therefore, if the picture itself does not contain its type, only the first picture is an entry point.
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
  // True for units that decoders do not show: the three header packets of Theora, which may be in the stream (Theora
  // specification, 6.1), and a TechSmith screen codec unit without changes, which is only the header of a deflate
  // stream.
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
