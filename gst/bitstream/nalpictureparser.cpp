// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/nalpictureparser.h"

#include "gst/common/readmap.h"

#include <algorithm>

namespace cps {

bool NalPictureParser::set_caps(const GstCaps *caps) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  const char *alignment = gst_structure_get_string(s, "alignment");
  if (!gst_structure_has_name(s, media_type_) || (alignment && !g_str_equal(alignment, "au")))
    return false;

  const GValue *value = gst_structure_get_value(s, "codec_data");
  const char *format = gst_structure_get_string(s, "stream-format");
  if (format ? g_str_equal(format, "byte-stream") : !value) {
    length_size_ = 0;
    return true;
  }
  GstBuffer *codec_data = value && GST_VALUE_HOLDS_BUFFER(value) ? gst_value_get_buffer(value) : nullptr;
  if (!codec_data)
    return false;
  ReadMap map(codec_data);
  if (!map)
    return false;
  GstByteReader config;
  gst_byte_reader_init(&config, map.data(), static_cast<guint>(map.size()));
  length_size_ = read_config(config);
  return length_size_ > 0;
}

bool NalPictureParser::read_uint16(GstByteReader &config, unsigned &value) {
  const guint8 *data;
  if (!gst_byte_reader_get_data(&config, 2, &data))
    return false;
  value = data[0] << 8 | data[1];
  return true;
}

bool NalPictureParser::read_config_nals(GstByteReader &config, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    unsigned size;
    const guint8 *data;
    if (!read_uint16(config, size) || !gst_byte_reader_get_data(&config, size, &data))
      return false;
    if (size > 0)
      read_other({data, size});
  }
  return true;
}

bool NalPictureParser::parse(GstBuffer *access_unit, CodedPicture &picture) {
  const bool understood = parse_unit(access_unit, picture);
  unit_++;
  return understood;
}

bool NalPictureParser::parse_unit(GstBuffer *access_unit, CodedPicture &picture) {
  picture = {};
  ReadMap map(access_unit);
  if (!map)
    return false;

  start_unit();
  Fingerprint fingerprint;
  NalReader reader(map.data(), map.size(), length_size_);
  bool understood = false;
  for (Nal nal; reader.next(nal);) {
    if (!is_slice(nal)) {
      reader.split(nal);
      picture.parameter_sets |= is_header(nal);
      read_other(nal);
      continue;
    }
    picture.has_picture = true;
    fingerprint.add(nal);
    if (understood)
      read_next_slice(nal, picture);
    else
      understood = read_first_slice(nal, picture);
  }
  if (!picture.has_picture && reader.damaged()) { // the slices could not be found
    picture.has_picture = true;
    fingerprint.add({map.data(), map.size()});
  }
  picture.fingerprint = fingerprint.value();
  if (!picture.has_picture)
    return true;
  if (understood) {
    place(picture);
  } else {
    picture.order = last_order_; // equal orders keep decode order, so the picture follows the previous one
    picture.after_loss = true;   // or this picture is lost
  }
  return understood;
}

// Starts a new sequence also if the picture that should have started it is lost.
void NalPictureParser::place(CodedPicture &picture) {
  last_order_ = picture.order;
  if (picture.second_field)
    return;
  if (!picture.starts_sequence && recent_orders_.contradict(picture.order))
    picture.starts_sequence = picture.after_loss = true;
  if (picture.starts_sequence)
    recent_orders_.clear();
  recent_orders_.add(picture.order);
}

UnitSummary NalPictureParser::summarize(GstBuffer *access_unit) const {
  ReadMap map(access_unit);
  if (!map)
    return {};
  UnitSummary summary;
  Fingerprint fingerprint;
  const size_t prefix = length_size_ > 0 ? length_size_ : 3;
  NalReader reader(map.data(), map.size(), length_size_);
  for (Nal nal; reader.next(nal);)
    if (is_slice(nal))
      fingerprint.add(nal);
    else if (!reader.split(nal) && is_header(nal) &&
             !reader.damaged()) // with the padding, because the length includes it
      summary.parameter_sets.push_back({static_cast<size_t>(nal.data - map.data()) - prefix,
                                        static_cast<size_t>(reader.position() - nal.data) + prefix});
  if (fingerprint.value() == 0 && reader.damaged())
    fingerprint.add({map.data(), map.size()});
  summary.fingerprint = fingerprint.value();
  return summary;
}

bool RecentOrders::contradict(int32_t order) const {
  const size_t size = orders_.size(), known = std::min(count_, size);
  if (known == 0 || orders_[(count_ - 1) % size] == order) // one picture in two units
    return false;
  const auto begin = orders_.begin(), end = begin + static_cast<std::ptrdiff_t>(known);
  const auto later = std::count_if(begin, end, [order](int32_t other) { return other > order; });
  return later > References::kMax || std::find(begin, end, order) != end;
}

void RecentOrders::add(int32_t order) {
  orders_[count_++ % orders_.size()] = order;
}

int64_t order_msb(int64_t prev_msb, int64_t prev_lsb, int64_t lsb, int64_t max_lsb) {
  if (prev_lsb - lsb >= max_lsb / 2)
    return prev_msb + max_lsb;
  if (lsb - prev_lsb > max_lsb / 2)
    return prev_msb - max_lsb;
  return prev_msb;
}

int32_t saturate_order(int64_t order) {
  return static_cast<int32_t>(std::clamp<int64_t>(order, INT32_MIN, INT32_MAX));
}

} // namespace cps
