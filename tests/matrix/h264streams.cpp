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

Frame dropped(Frame f) { // no reference
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
        script.push_back(dropped(pair(frame('B', at - 2, {at - 3, at}), form(at - 2))));
        script.push_back(dropped(pair(frame('B', at - 1, {at - 3, at}), form(at - 1))));
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
      script.push_back(dropped(as(frame('B', b, {at - leading - 1, at}))));
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
    return all;
  }();
  return streams;
}

} // namespace coder
