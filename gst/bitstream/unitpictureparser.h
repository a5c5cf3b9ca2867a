// SPDX-License-Identifier: LGPL-2.1-or-later
// What the parsers of codecs without NAL units share: mapping, counting, and what to do with damaged units.
#pragma once

#include "gst/bitstream/nal.h"
#include "gst/bitstream/pictureparser.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace cps {

// One access unit as it lies in memory; may be empty.
struct CodedUnit {
  const uint8_t *data;
  size_t size;
  bool delta; // GST_BUFFER_FLAG_DELTA_UNIT: by the container's or the parser's word it is no key frame
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
  uint32_t number() const { return number_; } // of the access unit at hand, in decode order

  // Fills in `picture`, all but the fingerprint. False where the unit is damaged: then it counts as one picture of
  // which nothing is known, unless `picture` says that it holds none.
  virtual bool read(const CodedUnit &unit, CodedPicture &picture) = 0;

  // What is the same on every reading of the file, whatever the elements upstream put around it.
  // By default all of the unit.
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
// Every unit is a picture that refers to no other.
std::unique_ptr<PictureParser> make_intra_parser();
// Of the codec no more is known than which pictures decoding can start at, if that: the container says when a picture
// is shown.
std::unique_ptr<PictureParser> make_keyframe_parser();

} // namespace cps
