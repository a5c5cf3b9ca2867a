// SPDX-License-Identifier: LGPL-2.1-or-later
// Clause numbers are those of Rec. ITU-T H.264.
#include "tests/matrix/h264coder.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace coder {

namespace {

constexpr int kMb = 16, kColumns = kWidth / kMb;
constexpr int kBoth = -1; // in place of a parity: a frame

void require(bool holds, const char *rule) {
  if (!holds)
    throw std::logic_error(rule);
}

// A frame that is marked as used for reference.
struct Reference {
  int number; // -1: inferred in a gap of frame_num
  int frame_num;
  int long_index = -1; // -1: short-term
  bool parity[2] = {true, true};

  bool is_long() const { return long_index >= 0; }
};

// One coded picture: a frame or a field of one.
struct Coded {
  const Frame &frame;
  int parity; // or kBoth
  bool second;

  bool is_field() const { return parity != kBoth; }
  char type() const { return second && frame.type == 'I' && !frame.intra_pair ? 'P' : frame.type; }
  bool idr() const { return frame.idr && !second; }
  int step() const { return is_field() ? 2 : 1; }
  int first_line() const { return is_field() ? parity : 0; }
};

class Coder {
public:
  Coder(const H264Stream &parameters, Stream &out)
      : sps_(parameters), out_(out), max_frame_num_(1 << parameters.frame_num_bits) {}
  void code(const Frame &frame);

private:
  // Which picture a list begins with.
  struct Choice {
    int number;
    int parity;                                      // or kBoth
    std::optional<std::pair<unsigned, int>> command; // ref_pic_list_modification, none for the unmodified list
  };

  void lose();
  void code_picture(const Coded &coded);
  void write_order(const Coded &coded, BitWriter &out);
  void write_marking(const Coded &coded, BitWriter &out);
  void write_macroblocks(const Coded &coded, char type, int first_row, int end_row, BitWriter &out) const;
  bool is_coded(const Coded &coded, int column, int row) const;

  int picture_number(const Coded &coded, const Reference &reference, int parity) const;
  const Reference &find(int number) const;
  std::vector<Reference>::const_iterator oldest() const;
  Choice unmodified(const Coded &coded) const;
  Choice modified(const Coded &coded, int number) const;
  void predict(const Coded &coded, const std::vector<Choice> &choices);
  void mark(const Coded &coded);
  void slide();
  int wrap(const Reference &reference) const {
    return reference.frame_num > frame_num_ ? reference.frame_num - max_frame_num_ : reference.frame_num;
  }
  int order(const Coded &coded) const {
    return 2 * (coded.frame.number - base_) + (coded.second && sps_.poc_type < 2 ? 1 : 0);
  }

  const H264Stream sps_;
  Stream &out_;
  const int max_frame_num_;
  std::vector<Reference> references_; // of the frame at hand, once its first field is coded
  Picture source_, decoded_;
  bool idr_seen_ = false;
  unsigned idr_id_ = 0;
  int frame_num_ = 0;
  int last_reference_frame_num_ = 0;
  int base_ = 0; // number of the frame whose order is 0
  int long_limit_ = 0;
  int order_msb_ = 0, order_lsb_ = 0;               // of the previous reference picture
  int frame_num_offset_ = 0, offset_frame_num_ = 0; // of the previous picture
};

void Coder::code(const Frame &frame) {
  if (frame.idr) {
    require(frame.type == 'I' && frame.reference && !frame.lost, "an IDR picture is an intra reference picture");
    references_.clear();
    base_ = frame.number;
    frame_num_ = long_limit_ = order_msb_ = order_lsb_ = frame_num_offset_ = offset_frame_num_ = 0;
    idr_id_ ^= 1;
    idr_seen_ = true;
  } else {
    require(idr_seen_, "a stream begins with an IDR picture");
    frame_num_ = (last_reference_frame_num_ + 1) % max_frame_num_;
  }
  if (frame.lost) {
    lose();
    return;
  }
  source_ = Picture(frame.number);
  const bool bottom = frame.form == Form::BottomFirst || frame.form == Form::BottomOnly;
  if (frame.form == Form::Frame) {
    code_picture({frame, kBoth, false});
  } else {
    code_picture({frame, bottom, false});
    if (frame.form == Form::TopFirst || frame.form == Form::BottomFirst)
      code_picture({frame, !bottom, true});
  }
  out_.pictures[frame.number] = decoded_;
  out_.frames++;
  if (frame.form == Form::TopOnly || frame.form == Form::BottomOnly)
    out_.hidden.push_back(frame.number);
  if (frame.idr || (frame.recovery == 0 && frame.exact && frame.type == 'I' && !frame.mixed))
    out_.entries.push_back(frame.number);
}

// 8.2.5.2: what a decoder infers. Only reference pictures are missed.
void Coder::lose() {
  require(sps_.frame_num_gaps, "no gaps of frame_num");
  slide();
  references_.push_back({-1, frame_num_});
  last_reference_frame_num_ = frame_num_;
}

// --- References ---

// PicNum or LongTermPicNum, 8.2.4.1.
int Coder::picture_number(const Coded &coded, const Reference &reference, int parity) const {
  const int number = reference.is_long() ? reference.long_index : wrap(reference);
  return coded.is_field() ? 2 * number + (parity == coded.parity ? 1 : 0) : number;
}

std::vector<Reference>::const_iterator Coder::oldest() const {
  return std::min_element(references_.begin(), references_.end(), [this](const auto &a, const auto &b) {
    return a.is_long() != b.is_long() ? b.is_long() : wrap(a) < wrap(b);
  });
}

const Reference &Coder::find(int number) const {
  if (number == kOldest)
    return *oldest();
  const auto found =
      std::find_if(references_.begin(), references_.end(), [number](const Reference &r) { return r.number == number; });
  require(found != references_.end(), "the frame is no reference any more");
  return *found;
}

// What the initial list of a P picture begins with: 8.2.4.2.1, 8.2.4.2.2, 8.2.4.2.5.
Coder::Choice Coder::unmodified(const Coded &coded) const {
  std::vector<Reference> list = references_;
  std::stable_sort(list.begin(), list.end(), [this](const Reference &a, const Reference &b) {
    if (a.is_long() != b.is_long())
      return b.is_long();
    return a.is_long() ? a.long_index < b.long_index : wrap(a) > wrap(b);
  });
  for (const int parity : {coded.parity, 1 - coded.parity})
    for (const Reference &reference : list)
      if (!coded.is_field() ? reference.parity[0] && reference.parity[1] : reference.parity[parity]) {
        require(reference.number >= 0, "predicted from a frame that is not there");
        return {reference.number, coded.is_field() ? parity : kBoth, {}};
      }
  throw std::logic_error("nothing to predict from");
}

// Of fields, the one of the same parity, or the first of the same frame.
Coder::Choice Coder::modified(const Coded &coded, int number) const {
  const Reference &reference = find(number);
  const bool own = number == coded.frame.number;
  require(own ? coded.second : coded.is_field() || (reference.parity[0] && reference.parity[1]), "half a reference");
  const int parity = !coded.is_field() ? kBoth : own ? 1 - coded.parity : coded.parity;
  const int picture = picture_number(coded, reference, parity);
  if (reference.is_long())
    return {number, parity, std::make_pair(2u, picture)};
  const int difference = picture - (coded.is_field() ? 2 * frame_num_ + 1 : frame_num_);
  require(difference < 0, "a reference lies before the picture");
  return {number, parity, std::make_pair(0u, -difference - 1)};
}

// Skipped macroblocks, all with motion vectors of 0. A field of the other parity has its chroma lines a quarter above
// or below (Table 8-9).
void Coder::predict(const Coded &coded, const std::vector<Choice> &choices) {
  std::vector<Picture> sources;
  for (const Choice &choice : choices)
    sources.push_back(choice.number == coded.frame.number ? decoded_ : out_.pictures.at(choice.number));
  for (int p = 0; p < 3; ++p) {
    const int lines = Picture::height(p) / coded.step();
    const auto sample = [&](size_t i, int x, int y) -> int {
      const int parity = choices[i].parity;
      const auto at = [&](int line) -> int {
        line = std::clamp(line, 0, lines - 1);
        return sources[i].line(p, coded.is_field() ? 2 * line + parity : line)[x];
      };
      if (!coded.is_field() || parity == coded.parity || p == 0)
        return at(y);
      const int eighths = 8 * y + (parity == 1 ? -2 : 2), rest = eighths & 7;
      return ((8 - rest) * at(eighths >> 3) + rest * at((eighths >> 3) + 1) + 4) >> 3;
    };
    for (int y = 0; y < lines; ++y)
      for (int x = 0; x < Picture::width(p); ++x) {
        const int value = choices.size() == 1 ? sample(0, x, y) : (sample(0, x, y) + sample(1, x, y) + 1) >> 1;
        decoded_.line(p, y * coded.step() + coded.first_line())[x] = static_cast<uint8_t>(value);
      }
  }
}

// Sliding window, 8.2.5.3.
void Coder::slide() {
  if (references_.size() < sps_.references)
    return;
  const auto oldest = this->oldest();
  require(!oldest->is_long(), "all references are long-term");
  references_.erase(oldest);
}

// 8.2.5.1
void Coder::mark(const Coded &coded) {
  const auto drop = [this](auto which) {
    references_.erase(std::remove_if(references_.begin(), references_.end(), which), references_.end());
  };
  if (coded.second) {
    references_.back().parity[coded.parity] = true;
    return;
  }
  if (coded.frame.marks.empty() && !coded.idr())
    slide();
  Reference current{coded.frame.number, frame_num_};
  for (const Mark &m : coded.frame.marks) {
    const auto has_index = [&m](const Reference &r) { return r.long_index == m.index; };
    require((m.operation != Mark::KeepLong && m.operation != Mark::KeepThis) || m.index < long_limit_, "no such index");
    switch (m.operation) {
    case Mark::Forget:
    case Mark::ForgetLong:
      drop([number = find(m.number).number](const Reference &r) { return r.number == number; });
      break;
    case Mark::KeepLong:
      drop(has_index);
      const_cast<Reference &>(find(m.number)).long_index = m.index;
      break;
    case Mark::LimitLong:
      long_limit_ = m.index;
      drop([&m](const Reference &r) { return r.long_index >= m.index; });
      break;
    case Mark::KeepThis:
      drop(has_index);
      current.long_index = m.index;
      break;
    case Mark::Reset:
      references_.clear();
      long_limit_ = 0;
      current.frame_num = frame_num_ = 0;
      base_ = coded.frame.number;
      order_msb_ = order_lsb_ = frame_num_offset_ = offset_frame_num_ = 0;
    }
  }
  if (coded.is_field())
    current.parity[1 - coded.parity] = false;
  references_.push_back(current);
  require(references_.size() <= std::max(1u, sps_.references), "too many references");
  last_reference_frame_num_ = frame_num_;
}

// --- Syntax ---

void Coder::code_picture(const Coded &coded) {
  const Frame &frame = coded.frame;
  require(frame.type != 'B' || frame.from.size() == 2, "a B picture names its references");
  std::vector<Choice> choices;
  if (coded.type() == 'P' || frame.mixed) {
    const bool own = coded.second && (frame.chained || frame.type == 'I');
    const bool named = own || !frame.from.empty();
    choices.push_back(!named ? unmodified(coded) : modified(coded, own ? frame.number : frame.from[0]));
  } else if (coded.type() == 'B') {
    choices = {modified(coded, frame.from[0]), modified(coded, frame.from[1])};
  }
  if (!choices.empty())
    predict(coded, choices);

  Bytes out;
  if (frame.recovery >= 0 && !coded.second)
    out = h264_recovery_point(static_cast<uint32_t>(frame.recovery), frame.exact);
  const int slices = frame.mixed ? 2 : frame.slices;
  BitWriter order;
  write_order(coded, order); // once, for it goes on with the counters
  for (int s = 0; s < slices; ++s) {
    BitWriter slice;
    const char type = frame.mixed && s == 1 ? 'P' : coded.type();
    const int rows = kHeight / kMb / coded.step();
    const int first = rows * s / slices, end = rows * (s + 1) / slices;
    require(!sps_.mbaff || slices == 1, "pairs of macroblocks are not sliced here");
    slice.ue(static_cast<uint32_t>(first * kColumns)).ue(type == 'P' ? 0 : type == 'B' ? 1 : 2).ue(0);
    slice.u(sps_.frame_num_bits, static_cast<uint32_t>(frame_num_));
    if (sps_.fields)
      slice.u(1, coded.is_field());
    if (coded.is_field())
      slice.u(1, static_cast<uint32_t>(coded.parity));
    if (coded.idr())
      slice.ue(idr_id_);
    slice.append(order);
    if (type == 'B')
      slice.u(1, 1); // direct_spatial_mv_pred_flag
    if (type != 'I')
      slice.u(1, 0); // num_ref_idx_active_override_flag: one each
    for (size_t list = 0; type != 'I' && list < choices.size(); ++list) {
      slice.u(1, choices[list].command.has_value());
      if (choices[list].command)
        slice.ue(choices[list].command->first).ue(static_cast<uint32_t>(choices[list].command->second)).ue(3);
    }
    if (frame.reference)
      write_marking(coded, slice);
    slice.se(0).ue(1); // slice_qp_delta, disable_deblocking_filter_idc
    write_macroblocks(coded, type, first, end, slice);
    const int nal_type = coded.idr() ? 5 : 1;
    append_nal(out, {static_cast<uint8_t>((frame.reference ? 0x60 : 0) | nal_type)}, slice.trailing().data());
  }
  out_.bytes.append(out.begin(), out.end());

  for (int p = 0; p < 3; ++p) {
    const int size = p == 0 ? kMb : kMb / 2;
    for (int y = 0; y < Picture::height(p) / coded.step(); ++y)
      for (int column = 0; column < kColumns; ++column)
        if (is_coded(coded, column, y / size)) {
          const int line = y * coded.step() + coded.first_line();
          std::memcpy(decoded_.line(p, line) + column * size, source_.line(p, line) + column * size,
                      static_cast<size_t>(size));
        }
  }
  if (frame.reference)
    mark(coded);
}

// 8.2.1
void Coder::write_order(const Coded &coded, BitWriter &out) {
  const int wanted = order(coded);
  if (!coded.idr() && frame_num_ < offset_frame_num_)
    frame_num_offset_ += max_frame_num_;
  offset_frame_num_ = frame_num_;
  const bool deltas = sps_.bottom_deltas && !coded.is_field();
  if (sps_.poc_type == 0) {
    const int range = 1 << sps_.lsb_bits, lsb = wanted & (range - 1);
    const int ahead = (lsb - order_lsb_ + range) % range; // 8-3
    const int decoded = order_msb_ + order_lsb_ + (ahead > range / 2 ? ahead - range : ahead);
    require(decoded == wanted, "the order does not fit its bits");
    if (coded.frame.reference) {
      order_msb_ = wanted - lsb;
      order_lsb_ = lsb;
    }
    out.u(sps_.lsb_bits, static_cast<uint32_t>(lsb));
    if (deltas)
      out.se(1);
  } else if (sps_.poc_type == 1) {
    const int cycle = static_cast<int>(sps_.offset_for_ref_frame.size());
    const int frames = frame_num_offset_ + frame_num_ - (coded.frame.reference || cycle == 0 ? 0 : 1);
    int expected = coded.frame.reference ? 0 : sps_.offset_for_non_ref_pic;
    for (int i = 0; cycle > 0 && i < frames; ++i)
      expected += sps_.offset_for_ref_frame[static_cast<size_t>(i % cycle)];
    if (coded.parity == 1)
      expected += sps_.offset_for_top_to_bottom_field;
    out.se(wanted - expected);
    if (deltas)
      out.se(0);
  }
}

// dec_ref_pic_marking( )
void Coder::write_marking(const Coded &coded, BitWriter &out) {
  if (coded.idr()) {
    out.u(2, 0);
    return;
  }
  std::vector<Mark> marks;
  for (const Mark &m : coded.frame.marks)
    if (!coded.second || m.operation == Mark::KeepThis)
      marks.push_back(m);
  out.u(1, !marks.empty());
  if (marks.empty())
    return;
  const int current = coded.is_field() ? 2 * frame_num_ + 1 : frame_num_;
  for (const Mark::Operation once : {Mark::LimitLong, Mark::Reset, Mark::KeepThis})
    require(std::count_if(marks.begin(), marks.end(), [once](const Mark &m) { return m.operation == once; }) <= 1,
            "an operation that there may be one of");
  for (const Mark &m : marks) {
    const auto operation = static_cast<uint32_t>(m.operation);
    if (m.operation == Mark::LimitLong || m.operation == Mark::KeepThis || m.operation == Mark::Reset) {
      out.ue(operation);
      if (m.operation != Mark::Reset)
        out.ue(static_cast<uint32_t>(m.index));
      continue;
    }
    const Reference &reference = find(m.number);
    require(reference.is_long() == (m.operation == Mark::ForgetLong), "the frame is marked otherwise");
    for (int parity = coded.is_field() ? 0 : kBoth; parity < (coded.is_field() ? 2 : 0); ++parity) {
      const int number = picture_number(coded, reference, parity);
      out.ue(operation).ue(static_cast<uint32_t>(reference.is_long() ? number : current - number - 1));
      if (m.operation == Mark::KeepLong)
        out.ue(static_cast<uint32_t>(m.index));
    }
  }
  out.ue(0);
}

// Not skipped: all of an I picture, the number, and a spot that moves from picture to picture.
bool Coder::is_coded(const Coded &coded, int column, int row) const {
  const int rows = kHeight / kMb / coded.step(), number_rows = 2 / coded.step();
  const bool all = coded.frame.solid || (coded.type() == 'I' && !(coded.frame.mixed && row >= rows / 2));
  if (all || row < number_rows)
    return true;
  const bool pairs = sps_.mbaff && !coded.is_field();
  const int height = pairs ? 2 : 1, spots = (rows - number_rows) / height * kColumns;
  const int spot = (coded.frame.number * 7 + coded.parity + 1) % spots;
  return column == spot % kColumns && (row - number_rows) / height == spot / kColumns;
}

void Coder::write_macroblocks(const Coded &coded, char type, int first_row, int end_row, BitWriter &out) const {
  const bool pairs = sps_.mbaff && !coded.is_field();
  const int height = pairs ? 2 : 1;
  uint32_t skipped = 0;
  for (int i = 0; i < (end_row - first_row) * kColumns; ++i) {
    const int column = i / height % kColumns, top_row = first_row + i / height / kColumns * height, half = i % height;
    if (!is_coded(coded, column, top_row + half)) {
      ++skipped;
      continue;
    }
    if (type != 'I')
      out.ue(skipped);
    skipped = 0;
    const bool field_pair = pairs && (column + top_row / 2 + coded.frame.number) % 3 == 0;
    if (pairs && half == 0)
      out.u(1, field_pair);                                   // mb_field_decoding_flag
    out.ue(type == 'P' ? 30 : type == 'B' ? 48 : 25).align(); // I_PCM
    for (int p = 0; p < 3; ++p) {
      const int size = p == 0 ? kMb : kMb / 2;
      for (int y = 0; y < size; ++y) {
        const int line = field_pair ? top_row * size + 2 * y + half : (top_row + half) * size + y;
        const uint8_t *samples = source_.line(p, line * coded.step() + coded.first_line()) + column * size;
        for (int x = 0; x < size; ++x)
          out.u(8, samples[x]);
      }
    }
  }
  if (skipped > 0)
    out.ue(skipped);
}

} // namespace

Picture::Picture(int number) : Picture() {
  for (int p = 0; p < 3; ++p)
    for (int y = 0; y < height(p); ++y)
      for (int x = 0; x < width(p); ++x) {
        int value = p == 0 ? 60 + (x * 3 + y * 2 + number * 11) % 127 : 100 + (x + y + number * 3) % 53;
        if (p == 0 && y < 2 * kMb)
          value = ((number >> (x / kMb) & 1) != 0) == (y < kMb) ? 216 : 40;
        line(p, y)[x] = static_cast<uint8_t>(value);
      }
}

Stream code(const std::string &name, const std::string &description, H264Stream parameters,
            const std::vector<Frame> &frames) {
  parameters.width_mbs = kColumns;
  parameters.height_mbs = kHeight / kMb / (parameters.fields ? 2 : 1);
  parameters.timing = true;
  parameters.reorder = 0;
  for (size_t i = 0; i < frames.size(); ++i)
    if (!frames[i].lost)
      parameters.reorder = std::max(
          parameters.reorder,
          static_cast<unsigned>(std::count_if(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(i),
                                              [&](const Frame &f) { return !f.lost && f.number > frames[i].number; })));
  parameters.dpb_size = parameters.references + parameters.reorder + 1;

  Stream out;
  out.name = name;
  out.description = description;
  Coder coder(parameters, out);
  for (const Frame &frame : frames) {
    if (frame.idr) {
      const Bytes sets = parameters.parameter_sets();
      out.bytes.append(sets.begin(), sets.end());
    }
    try {
      coder.code(frame);
    } catch (const std::logic_error &error) {
      throw std::logic_error(name + ", frame " + std::to_string(frame.number) + ": " + error.what());
    }
  }
  std::sort(out.entries.begin(), out.entries.end());
  require(out.pictures.begin()->first == 0 && out.pictures.rbegin()->first == out.frames - 1 &&
              out.pictures.size() == static_cast<size_t>(out.frames),
          "frames are numbered from 0 in display order");
  return out;
}

} // namespace coder
