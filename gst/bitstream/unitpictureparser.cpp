// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/bitstream/unitpictureparser.h"

#include "gst/common/readmap.h"

namespace cps {

namespace {

CodedUnit unit_of(GstBuffer *buffer, const ReadMap &map) {
  return {map.data(), map.size(), GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT) != 0};
}

} // namespace

bool UnitPictureParser::parse(GstBuffer *access_unit, CodedPicture &picture) {
  picture = {};
  ReadMap map(access_unit);
  const bool understood = map && read_picture(unit_of(access_unit, map), picture);
  number_++;
  return understood;
}

bool UnitPictureParser::read_picture(const CodedUnit &unit, CodedPicture &picture) {
  const bool understood = read(unit, picture);
  if (!picture.has_picture)
    return understood;
  if (!understood) {
    picture = {};
    picture.has_picture = true;
    picture.order = last_order_; // equal orders keep decode order, so the picture follows the previous one
  }
  last_order_ = picture.order;
  Fingerprint fingerprint;
  add_to_fingerprint(unit, fingerprint);
  picture.fingerprint = fingerprint.value();
  return understood;
}

void UnitPictureParser::add_to_fingerprint(const CodedUnit &unit, Fingerprint &fingerprint) const {
  if (unit.size > 0)
    fingerprint.add({unit.data, unit.size});
}

UnitSummary UnitPictureParser::summarize(GstBuffer *access_unit) const {
  ReadMap map(access_unit);
  if (!map)
    return {};
  Fingerprint fingerprint;
  add_to_fingerprint(unit_of(access_unit, map), fingerprint);
  return {fingerprint.value(), {}};
}

} // namespace cps
