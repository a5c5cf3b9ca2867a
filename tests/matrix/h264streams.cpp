// SPDX-License-Identifier: LGPL-2.1-or-later
// The streams of h264coder.h. Each is about one way in which pictures of H.264 depend on each other.
#include "tests/matrix/h264coder.h"

#include <algorithm>

namespace coder {

namespace {

using Script = std::vector<Frame>;

Frame frame(char type, int number, std::vector<int> from = {}) {
  Frame f;
  f.type = type;
  f.number = number;
  f.from = std::move(from);
  return f;
}

Frame intra(int number) {
  return frame('I', number);
}

Frame idr(int number) {
  Frame f = intra(number);
  f.idr = true;
  return f;
}

// An I picture with a recovery point: an entry point where `count` is 0.
Frame entry(int number, int count = 0) {
  Frame f = intra(number);
  f.recovery = count;
  return f;
}

Frame unused(Frame f) { // no reference
  f.reference = false;
  return f;
}

Frame pair(Frame f, Form form = Form::TopFirst) {
  f.form = form;
  return f;
}

H264Stream parameters(unsigned references, bool fields = false) {
  H264Stream s;
  s.frame_num_bits = s.lsb_bits = 8;
  s.references = references;
  s.fields = fields;
  return s;
}

// Pairs of fields, one I and then P; what they are predicted from is of the same parity, or the other field.
Stream field_pairs() {
  Script script;
  for (int i = 0; i < 60; ++i) {
    Frame f = pair(i % 12 ? frame('P', i) : idr(i), i / 12 % 2 ? Form::BottomFirst : Form::TopFirst);
    f.chained = i % 3 == 2;
    f.intra_pair = i % 24 == 0;
    script.push_back(f);
  }
  return code("field-pairs", "field pairs I P P..., all reference, top or bottom first, IDR every 12",
              parameters(2, true), script);
}

// I b b P b b P, where b are non-reference pairs of fields.
Stream field_pairs_b(bool mixed) {
  Script script;
  for (int gop = 0; gop < 6; ++gop)
    for (int i = 0; i < 12; i += 3) {
      const int at = 12 * gop + i;
      const auto form = [mixed](int number) { return mixed && number / 2 % 2 ? Form::Frame : Form::TopFirst; };
      if (i == 0) {
        script.push_back(pair(idr(at), form(at)));
      } else {
        script.push_back(pair(frame('P', at, {at - 3}), form(at)));
        script.push_back(unused(pair(frame('B', at - 2, {at - 3, at}), form(at - 2))));
        script.push_back(unused(pair(frame('B', at - 1, {at - 3, at}), form(at - 1))));
      }
      if (i == 9)
        for (int n = at + 1; n < at + 3; ++n) // the last before the next IDR picture
          script.push_back(pair(frame('P', n, {n - 1}), form(n)));
    }
  return mixed ? code("paff", "frames and field pairs mixed, I b b P with non-reference b, IDR every 12",
                      parameters(3, true), script)
               : code("field-pairs-b", "field pairs I b b P with non-reference b, P as second field of I, IDR every 12",
                      parameters(3, true), script);
}

// GOPs of `length` that begin with an I picture and a recovery point, the first alone is IDR; `leading` B pictures
// follow each in decode order and refer across it. Counters of four bits.
Stream open_gop(unsigned references, int length, int leading, bool fields) {
  Script script;
  const int gops = 72 / length;
  const auto as = [fields](const Frame &f) { return fields ? pair(f) : f; };
  for (int gop = 0; gop < gops; ++gop) {
    const int at = length * gop;
    if (gop == 0)
      script.push_back(as(idr(at)));
    else
      script.push_back(as(entry(at)));
    for (int b = at - leading; gop > 0 && b < at; ++b)
      script.push_back(unused(as(frame('B', b, {at - leading - 1, at}))));
    for (int i = at + 1; i < at + length - (gop + 1 < gops ? leading : 0); ++i)
      script.push_back(as(frame('P', i, {i - 1})));
  }
  const std::string name = "open-gop-" + std::to_string(length) + "-ref" + std::to_string(references) + "-leading" +
                           std::to_string(leading) + (fields ? "-fields" : "");
  H264Stream s = parameters(references, fields);
  s.frame_num_bits = s.lsb_bits = 4;
  return code(name,
              "recovery points on I pictures every " + std::to_string(length) + ", " + std::to_string(leading) +
                  " leading B, " + std::to_string(references) + " references, frame_num and order of 4 bits",
              s, script);
}

// As open_gop(), with a pyramid of leading pictures: a reference B and a P among them, and trailing ones before them.
Stream open_pyramid() {
  Script script{idr(0)};
  for (int at = 6; at < 72; at += 6) {
    script.push_back(entry(at));
    const bool late = at % 12 == 0; // the leading pictures come late
    if (late)
      script.push_back(frame('P', at + 1, {at}));
    script.push_back(frame('B', at - 3, {at - 5, at}));
    script.push_back(unused(frame('P', at - 4, {at - 3})));
    script.push_back(unused(frame('B', at - 2, {at - 5, at - 3})));
    script.push_back(unused(frame('B', at - 1, {at - 3, at})));
    if (!late)
      script.push_back(frame('P', at + 1, {at}));
  }
  script.insert(script.begin() + 1, frame('P', 1, {0}));
  script.push_back(frame('P', 68, {67}));
  H264Stream s = parameters(4);
  s.frame_num_bits = 4;
  s.lsb_bits = 6;
  return code("open-pyramid",
              "recovery points, leading pictures that others refer to, leading P, late leading pictures", s, script);
}

// Macroblock pairs; some of them are coded as fields.
Stream mbaff() {
  Script script;
  for (int gop = 0; gop < 60; gop += 12)
    for (int i = gop; i < gop + 12; i += 2) {
      script.push_back(i == gop ? idr(i) : frame('P', i, {i - 2}));
      if (i > gop)
        script.push_back(unused(frame('B', i - 1, {i - 2, i})));
      if (i == gop + 10)
        script.push_back(frame('P', i + 1, {i}));
    }
  H264Stream s = parameters(2, true);
  s.mbaff = true;
  return code("mbaff", "frames of macroblock pairs, frame and field, I b P, IDR every 12", s, script);
}

// Layers of P pictures, the top one no reference.
Stream hierarchical_p() {
  Script script;
  for (int i = 0; i < 72; ++i) {
    const int at = i % 24;
    Frame f = at == 0 ? idr(i) : frame('P', i, {i - (at % 8 == 0 ? 8 : at % 4 == 0 ? 4 : at % 2 == 0 ? 2 : 1)});
    f.reference = i % 2 == 0;
    f.slices = i % 3 + 1;
    script.push_back(f);
  }
  return code("hierarchical-p", "four temporal layers of P, the top one no reference, modified lists, IDR every 24",
              parameters(4), script);
}

// The B picture in the middle is a reference until the next P picture says otherwise.
Stream pyramid_b(bool fields) {
  Script script;
  const auto as = [fields](const Frame &f) { return fields ? pair(f) : f; };
  for (int i = 0; i <= 64; i += 4) {
    if (i % 16 == 0 && i > 0)
      script.push_back(as(idr(i)));
    else
      script.push_back(i == 0 ? as(idr(i)) : as(frame('P', i, {i - 4})));
    if (i % 16 == 0) {
      if (i > 0) // what the IDR picture cut off
        for (int n = 1; n < 4; ++n)
          script.insert(script.end() - 1, as(frame('P', i - 4 + n, {i - 5 + n})));
      continue;
    }
    if (i % 16 > 4)
      script.back().marks = {{Mark::Forget, i - 6}};
    script.push_back(as(frame('B', i - 2, {i - 4, i})));
    script.push_back(unused(as(frame('B', i - 3, {i - 4, i - 2}))));
    script.push_back(unused(as(frame('B', i - 1, {i - 2, i}))));
  }
  return code(fields ? "pyramid-b-fields" : "pyramid-b",
              "reference B that the next P marks as unused, b around it, IDR every 16", parameters(3, fields), script);
}

// Long-term references come and go; every fifth picture returns to one of them.
Stream long_term(bool fields) {
  Script script;
  int kept[2] = {0, 0};
  for (int i = 0; i < 70; ++i) {
    const int at = i % 35;
    Frame f = at == 0 ? idr(i) : frame('P', i, {i - 1});
    if (i % 3 == 1 && at > 1) {
      f.reference = false;
    } else if (i % 3 == 2 && at > 2) {
      f.from = {i - 2};
    }
    if (at == 1)
      f.marks = {{Mark::LimitLong, 0, 2}, {Mark::KeepLong, i - 1, 0}};
    if (at == 1)
      kept[0] = kept[1] = i - 1;
    if (at == 9 && !fields) { // libav forgets the first of two fields that both keep themselves
      f.marks = {{Mark::Forget, kOldest}, {Mark::KeepThis, 0, 1}};
      kept[1] = i;
    }
    if (at == 12 && fields) {
      f.marks = {{Mark::Forget, kOldest}, {Mark::KeepLong, i - 3, 1}};
      kept[1] = i - 3;
    }
    if (at == 20) {
      f.reference = true;
      f.marks = {{Mark::ForgetLong, kept[0]}, {Mark::KeepLong, script.back().reference ? i - 1 : i - 2, 0}};
      kept[0] = script.back().reference ? i - 1 : i - 2;
    }
    if (at == 27) {
      f.reference = true;
      f.marks = {{Mark::LimitLong, 0, 1}};
      kept[1] = kept[0];
    }
    if (i % 5 == 4 && at > 9)
      f.from = {kept[i % 2]};
    script.push_back(fields ? pair(f) : f);
  }
  return code(fields ? "long-term-fields" : "long-term",
              "long-term references kept over many pictures, renewed, forgotten and limited, IDR every 35",
              parameters(4, fields), script);
}

// Entry points that are long-term references of their GOP; the picture after each forgets one from before it.
Stream open_long_term() {
  Script script;
  for (int i = 0; i < 72; ++i) {
    Frame f = i == 0 ? idr(i) : i % 6 == 0 ? entry(i) : frame('P', i, {i % 3 == 2 ? i / 6 * 6 : i - 1});
    if (i % 6 == 0 && i > 0)
      f.marks = {{Mark::LimitLong, 0, 1}, {Mark::KeepThis, 0, 0}};
    if (i == 1)
      f.marks = {{Mark::LimitLong, 0, 1}, {Mark::KeepLong, 0, 0}};
    if (i % 6 == 1 && i > 1)
      f.marks = {{Mark::Forget, i - 2}};
    script.push_back(f);
  }
  H264Stream s = parameters(4);
  s.frame_num_bits = s.lsb_bits = 4;
  return code("open-long-term", "recovery points on I pictures that are long-term references", s, script);
}

// Orders start over without an IDR picture: at P pictures, or at I pictures with a recovery point.
Stream order_resets(bool entries, unsigned poc_type) {
  Script script;
  for (int i = 0; i < 72; ++i) {
    Frame f = i == 0 ? idr(i) : entries && i % 9 == 0 ? entry(i) : frame('P', i, {i - 1});
    if (i % 9 == 0 && i > 0)
      f.marks = {{Mark::Reset}};
    if (i % 9 == 3 || i % 9 == 6) {
      f.from = {i - 2};
      script.insert(script.end() - 1, f);
      script[script.size() - 1] = unused(frame('B', i - 1, {i - 2, i}));
      continue;
    }
    script.push_back(f);
  }
  H264Stream s = parameters(3);
  s.frame_num_bits = s.lsb_bits = 4;
  s.poc_type = poc_type;
  s.offset_for_ref_frame = {3};
  s.offset_for_non_ref_pic = -2;
  return code(std::string("order-resets-") + (entries ? "I" : "P") + "-type" + std::to_string(poc_type),
              std::string("operation 5 every 9 pictures, on ") + (entries ? "I pictures with a recovery point" : "P"),
              s, script);
}

// pic_order_cnt_type 1 and 2, with recovery points.
Stream order_type(unsigned poc_type, bool fields) {
  Script script;
  const auto as = [fields](const Frame &f) { return fields ? pair(f) : f; };
  for (int i = 0; i < 72; i += 2) {
    if (poc_type == 2) {
      script.push_back(as(i == 0 ? idr(i) : i % 10 == 0 ? entry(i) : frame('P', i, {i - 2})));
      script.push_back(unused(as(frame('P', i + 1, {i}))));
      continue;
    }
    script.push_back(as(i == 0 ? idr(i) : i % 10 == 0 ? entry(i) : frame('P', i, {i - 2})));
    if (i > 0)
      script.push_back(unused(as(frame('B', i - 1, {i - 2, i}))));
  }
  if (poc_type == 1)
    script.push_back(as(frame('P', 71, {70})));
  H264Stream s = parameters(2, fields);
  s.frame_num_bits = 4;
  s.poc_type = poc_type;
  s.offset_for_ref_frame = {3, 5};
  s.offset_for_non_ref_pic = -2;
  s.offset_for_top_to_bottom_field = fields;
  return code("order-type" + std::to_string(poc_type) + (fields ? "-fields" : ""),
              "order from frame_num of 4 bits, non-reference pictures between, recovery points every 10", s, script);
}

// A temporal layer of reference pictures has been taken out.
Stream gaps() {
  Script script;
  for (int i = 0; i < 60; i += 2) {
    script.push_back(i % 20 == 0 ? idr(i) : frame('P', i, {i - 2}));
    Frame gone;
    gone.lost = true;
    script.push_back(gone);
    if (i % 4 == 0)
      script.push_back(gone);
    script.push_back(unused(frame('P', i + 1, {i})));
  }
  H264Stream s = parameters(4);
  s.frame_num_gaps = true;
  s.frame_num_bits = 4;
  return code("gaps", "gaps of frame_num where a layer is missing, IDR every 20", s, script);
}

// What looks like an entry point and is none.
Stream no_entries() {
  Script script;
  for (int i = 0; i < 96; ++i) {
    Frame f = i % 48 == 0 ? idr(i) : frame('P', i, {i - 1});
    if (i % 48 == 8)
      f = intra(i); // no recovery point
    if (i % 48 == 16)
      f = entry(i, 3);
    if (i % 48 == 9 || i % 48 == 17 || i % 48 == 10)
      f.from = {i / 8 * 8 - 1}; // back across it
    if (i % 48 == 37)
      f.from = {i - 2}; // likewise
    if (i % 48 == 24) {
      f = entry(i); // all of it is intra, though in P slices
      f.type = 'P';
      f.from = {i - 1};
      f.solid = true;
    }
    if (i % 48 == 32) {
      f = entry(i);
      f.from = {i - 1};
      f.mixed = f.solid = true;
    }
    if (i % 48 == 36) {
      f = entry(i);
      f.exact = false;
    }
    if (i % 48 == 40)
      f = entry(i); // this is one
    if (i % 4 == 2)
      f.reference = false;
    if (i % 4 == 3 && f.from == std::vector<int>{i - 1})
      f.from = {i - 2};
    script.push_back(f);
  }
  return code("no-entries",
              "I without recovery point, recovery points with a count, without exact match, on P slices and on I and P "
              "slices; one true one",
              parameters(4), script);
}

// Intra pictures that nothing refers to, each an entry point; one in two is shown before the one that it follows.
Stream intra_only(bool reordered) {
  Script script{idr(0)};
  for (int i = 1; i < 70; ++i) {
    const int number = !reordered || i == 69 ? i : i % 2 ? i + 1 : i - 1;
    script.push_back(unused(entry(number)));
  }
  H264Stream s = parameters(1);
  s.lsb_bits = 12;
  return code(reordered ? "intra-reordered" : "intra-only", "entry points alone, no reference", s, script);
}

// Entry points shown before the one that they follow; pictures before both refer to what is before both.
Stream nested_entries() {
  Script script{idr(0)};
  for (int i = 4; i <= 68; i += 4) {
    script.push_back(entry(i));
    script.push_back(entry(i - 2));
    script.push_back(unused(frame('B', i - 3, {std::max(i - 6, 0), i - 2})));
    script.push_back(unused(frame('P', i - 1, {i - 2})));
  }
  H264Stream s = parameters(4);
  return code("nested-entries",
              "I8 I6 b5 p7: two entry points, b5 is shown before both and refers to I2, which is before both", s,
              script);
}

// Pictures shown before the IDR picture that they follow, and are predicted from.
Stream before_idr() {
  Script script;
  for (int i = 2; i < 62; i += 10) {
    script.push_back(idr(i));
    script.push_back(frame('P', i - 1, {i}));
    script.push_back(unused(frame('P', i - 2, {i - 1})));
    for (int n = i + 1; n < i + 8; ++n)
      script.push_back(frame('P', n, {n == i + 1 ? i : n - 1}));
  }
  return code("before-idr", "negative orders: pictures shown before the IDR picture that they follow", parameters(2),
              script);
}

// Fields without a partner.
Stream lone_fields() {
  Script script;
  for (int i = 0; i < 60; ++i)
    script.push_back(pair(i % 20 ? frame('P', i, {i - 1}) : idr(i), i % 20 == 7 ? Form::TopOnly : Form::TopFirst));
  for (Frame &f : script)
    if (f.number % 20 == 7)
      f.reference = false;
    else if (f.number % 20 == 8)
      f.from = {f.number - 2};
  return code("lone-fields", "a top field alone", parameters(2, true), script);
}

} // namespace

const std::vector<Stream> &h264_streams() {
  static const std::vector<Stream> streams = [] {
    std::vector<Stream> all;
    all.push_back(field_pairs());
    all.push_back(field_pairs_b(false));
    all.push_back(field_pairs_b(true));
    for (const int length : {5, 6, 12})
      for (const unsigned references : {2u, 4u})
        for (const int leading : {0, 2})
          all.push_back(open_gop(references, length, leading, false));
    all.push_back(open_gop(1, 5, 0, false));
    all.push_back(open_gop(1, 6, 0, false));
    all.push_back(open_gop(2, 6, 1, true));
    all.push_back(open_pyramid());
    all.push_back(mbaff());
    all.push_back(hierarchical_p());
    for (const bool fields : {false, true}) {
      all.push_back(pyramid_b(fields));
      all.push_back(long_term(fields));
      all.push_back(order_type(1, fields));
      all.push_back(order_type(2, fields));
    }
    all.push_back(open_long_term());
    for (const unsigned poc_type : {0u, 1u}) {
      all.push_back(order_resets(false, poc_type));
      all.push_back(order_resets(true, poc_type));
    }
    all.push_back(gaps());
    all.push_back(no_entries());
    all.push_back(intra_only(false));
    all.push_back(intra_only(true));
    all.push_back(nested_entries());
    all.push_back(before_idr());
    all.push_back(lone_fields());
    return all;
  }();
  return streams;
}

} // namespace coder
