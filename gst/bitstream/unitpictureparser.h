// SPDX-License-Identifier: LGPL-2.1-or-later
// Common parts of the parsers for codecs without NAL units: mapping, counting, and damaged units.
#pragma once

#include "gst/bitstream/nal.h"
#include "gst/bitstream/pictureparser.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace cps {

// One access unit in memory; may be empty.
struct CodedUnit {
  const uint8_t *data;
  size_t size;
  bool delta; // GST_BUFFER_FLAG_DELTA_UNIT: not a key frame according to the container or the parser
};

class UnitPictureParser : public PictureParser {
public:
  bool parse(GstBuffer *access_unit, CodedPicture &picture) final;
  UnitSummary summarize(GstBuffer *access_unit) const final;
  void reset() override {
    last_order_ = 0;
    number_ = 0;
  }

protected:
  uint32_t number() const { return number_; } // of the current access unit, in decode order

  // Sets all fields of `picture` but the fingerprint. False if the unit is damaged: it then counts as one picture with
  // unknown properties, unless `picture` says that there is none.
  virtual bool read(const CodedUnit &unit, CodedPicture &picture) = 0;

  // Hashes the data that are the same in every pass over the file, regardless of headers that upstream elements add. By
  // default all of the unit.
  virtual void add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const;

private:
  bool read_picture(const CodedUnit &unit, CodedPicture &picture);

  int32_t last_order_ = 0;
  uint32_t number_ = 0;
};

std::unique_ptr<PictureParser> make_vp8_parser();
std::unique_ptr<PictureParser> make_vp9_parser();
std::unique_ptr<PictureParser> make_av1_parser();
std::unique_ptr<PictureParser> make_mpegvideo_parser();
std::unique_ptr<PictureParser> make_mpeg4_parser();
std::unique_ptr<PictureParser> make_vc1_parser();
// For codecs whose pictures are all intra-coded.
std::unique_ptr<PictureParser> make_intra_parser();
// For codecs of which at most the entry points are known: the container determines the display order.
std::unique_ptr<PictureParser> make_keyframe_parser();

} // namespace cps
