// RealVideo 20, 30 and 40. RealMedia has the times of few pictures, and those in decode order: the order of display is
// that of the picture types, with B pictures before the anchor that they follow.
#include "gst/bitstream/unitpictureparser.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace cps {

namespace {

class RealVideoParser final : public UnitPictureParser {
public:
  bool set_caps(const GstCaps *caps) override {
    gint version = 0;
    const GstStructure *video = gst_caps_get_structure(caps, 0);
    if (!gst_structure_has_name(video, "video/x-pn-realvideo") ||
        !gst_structure_get_int(video, "rmversion", &version) || version < 2 || version > 4)
      return false;
    version_ = version;
    return true;
  }
  void reset() override {
    UnitPictureParser::reset();
    anchors_ = bidirectional_ = 0;
  }

protected:
  bool read(const CodedUnit &unit, CodedPicture &picture) override {
    picture.has_picture = unit.size > 0;
    if (!picture.has_picture)
      return true;
    const std::optional<unsigned> type = picture_type(unit);
    if (!type)
      return false;
    // Whether others can be left out has not been shown: decoding starts at the first picture.
    picture.random_access = picture.starts_sequence = anchors_ == 0;
    constexpr unsigned kBidirectional = 3;
    if (*type == kBidirectional && anchors_ > 0) {
      bidirectional_ = std::min(bidirectional_ + 1, kSpan - 1);
      picture.order = (anchors_ - 1) * kSpan + bidirectional_;
    } else {
      picture.order = ++anchors_ * kSpan;
      bidirectional_ = 0;
    }
    return true;
  }

  void add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const override {
    if (unit.size > 0)
      fingerprint.add({unit.data, unit.size});
  }

private:
  // The table of the slices comes first: their number less one, and eight bytes for each. Then the first slice, with
  // the type at its beginning, behind a few bits of other use.
  std::optional<unsigned> picture_type(const CodedUnit &unit) const {
    const size_t at = 1 + 8 * (size_t{unit.data[0]} + 1);
    if (unit.size <= at)
      return std::nullopt;
    const unsigned before = version_ == 2 ? 0 : version_ == 3 ? 3 : 1;
    return unit.data[at] >> (6 - before) & 3;
  }

  static constexpr int32_t kSpan = 64; // orders from an anchor to the next
  int version_ = 0;
  int32_t anchors_ = 0;
  int32_t bidirectional_ = 0; // since the last anchor
};

} // namespace

std::unique_ptr<PictureParser> make_realvideo_parser() {
  return std::make_unique<RealVideoParser>();
}

} // namespace cps
