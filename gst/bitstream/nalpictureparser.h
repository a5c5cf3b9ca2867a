// SPDX-License-Identifier: LGPL-2.1-or-later
// Common parts of the H.264 and H.265 parsers: framing, codec_data, fingerprints, and damaged pictures.
#pragma once

#include "gst/bitstream/nal.h"
#include "gst/bitstream/pictureparser.h"
#include "gst/common/owned.h"

#include <gst/base/gstbytereader.h>

#include <array>
#include <cstdint>
#include <memory>

namespace cps {

// Picture order counts of the last pictures of a sequence. They reveal that the first picture of the next sequence is
// lost, because the counts in a sequence are unique, and a picture can precede in display order only as many earlier
// decoded pictures as a decoder can hold.
class RecentOrders {
public:
  bool contradict(int32_t order) const;
  void add(int32_t order);
  void clear() { count_ = 0; }

private:
  static constexpr size_t kKnown = size_t{2} * References::kMax;

  std::array<int32_t, kKnown> orders_ = {}; // ring buffer
  size_t count_ = 0;
};

class NalPictureParser : public PictureParser {
public:
  bool set_caps(const GstCaps *caps) final;
  bool parse(GstBuffer *access_unit, CodedPicture &picture) final;
  UnitSummary summarize(GstBuffer *access_unit) const final;
  void reset() override {
    last_order_ = 0;
    recent_orders_.clear();
    unit_ = 0;
  }

protected:
  uint32_t unit() const { return unit_; } // number of the current access unit, in decode order

  explicit NalPictureParser(const char *media_type) : media_type_(media_type) {}

  // Reads the parameter sets of the configuration record in codec_data. Returns the size of NAL unit lengths, 0 on
  // error.
  virtual unsigned read_config(GstByteReader &config) = 0;
  // For read_config(), because GstByteReader's function reads unaligned words, which is undefined behaviour.
  static bool read_uint16(GstByteReader &config, unsigned &value);
  // Hands `count` NAL units with two-byte lengths to read_other(), for read_config().
  bool read_config_nals(GstByteReader &config, unsigned count);

  virtual bool is_slice(const Nal &nal) const = 0;  // of the base layer's primary picture
  virtual bool is_header(const Nal &nal) const = 0; // a parameter set
  virtual void start_unit() {}
  // Reads any NAL unit except slices.
  virtual void read_other(const Nal &nal) = 0;
  // Reads the first slice with a valid header. False if the header is invalid; the state must then be unchanged.
  virtual bool read_first_slice(const Nal &nal, CodedPicture &picture) = 0;
  virtual void read_next_slice(const Nal &, CodedPicture &) {}

private:
  bool parse_unit(GstBuffer *access_unit, CodedPicture &picture);
  void place(CodedPicture &picture);

  const char *media_type_;
  unsigned length_size_ = 0; // 0: start codes
  int32_t last_order_ = 0;
  RecentOrders recent_orders_;
  uint32_t unit_ = 0;
};

std::unique_ptr<PictureParser> make_h264_parser();
std::unique_ptr<PictureParser> make_h265_parser();

// Returns the msb for which msb + `lsb` is nearest to the previous order (H.264 (8-3), H.265 (8-1)).
int64_t order_msb(int64_t prev_msb, int64_t prev_lsb, int64_t lsb, int64_t max_lsb);

// Clamps orders to the range of int32_t, because damaged headers may contain any value.
int32_t saturate_order(int64_t order);

} // namespace cps
