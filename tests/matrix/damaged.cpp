// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/matrix/damaged.h"

#include "tests/pipelines/ffmpegfiles.h"

#include <algorithm>
#include <sstream>

namespace matrix {

namespace {

std::vector<std::string> split(const std::string &line) {
  std::vector<std::string> words;
  std::istringstream in(line);
  for (std::string word; std::getline(in, word, ',');)
    words.push_back(word);
  return words;
}

bool is_ts(const std::string &path) {
  return path.size() > 3 && path.compare(path.size() - 3, 3, ".ts") == 0;
}

bool loses(Damage damage) {
  return damage == Damage::LoseKey || damage == Damage::LoseReference || damage == Damage::LoseDisposable;
}

bool is_disposable(Damage damage) {
  return damage == Damage::FlipDisposable || damage == Damage::LoseDisposable;
}

// Where the bits to be flipped are: behind the headers of the picture, and not in those of packets of MPEG-TS.
size_t place_in(const Unit &unit, const std::string &path) {
  const size_t middle = unit.at + unit.size / 2;
  constexpr size_t kTsPacket = 188;
  return is_ts(path) ? middle / kTsPacket * kTsPacket + kTsPacket / 2 : middle;
}

std::vector<size_t> shown_in_order(const Units &units, const std::vector<size_t> &left) {
  std::vector<size_t> frames;
  for (const size_t unit : left)
    frames.push_back(units[unit].frame);
  std::sort(frames.begin(), frames.end());
  return frames;
}

std::vector<size_t> shown_by_anchors(const Units &units, const std::vector<size_t> &left) {
  std::vector<size_t> frames;
  const Unit *held = nullptr;
  for (const size_t unit : left) {
    const Unit *next = &units[unit];
    if (next->type != 'B')
      std::swap(next, held);
    if (next)
      frames.push_back(next->frame);
  }
  if (held)
    frames.push_back(held->frame);
  return frames;
}

} // namespace

Units units_of(const std::string &path) {
  Units units;
  std::vector<std::pair<std::string, size_t>> stamps; // of each unit
  std::string types;                                  // of each frame
  std::istringstream lines(test::output_of({"ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
                                            "packet=pts,size,pos,flags:frame=pict_type", "-of", "csv", path}));
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> words = split(line);
    if (words.size() >= 2 && words[0] == "frame")
      types += words[1][0];
    if (words.size() < 5 || words[0] != "packet")
      continue;
    stamps.emplace_back(words[1], units.size());
    units.push_back({units.size(), std::stoul(words[3]), std::stoul(words[2]), '?', words[4][0] == 'K'});
  }
  fail_unless(types.size() == units.size(), "%s: %zu frames of %zu units", path.c_str(), types.size(), units.size());
  if (stamps.at(0).first != "N/A") // else they are in display order
    std::sort(stamps.begin(), stamps.end(),
              [](const auto &a, const auto &b) { return std::stol(a.first) < std::stol(b.first); });
  for (size_t frame = 0; frame < stamps.size(); frame++) {
    units[stamps[frame].second].frame = frame;
    units[stamps[frame].second].type = types[frame];
  }
  return units;
}

const char *name_of(Damage damage) {
  constexpr const char *kNames[] = {"bits of a key picture",   "bits of a reference", "bits of a disposable picture",
                                    "no key picture",          "no reference",        "no disposable picture",
                                    "cut off within a picture"};
  return kNames[static_cast<size_t>(damage)];
}

bool flips(Damage damage) {
  return damage == Damage::FlipKey || damage == Damage::FlipReference || damage == Damage::FlipDisposable;
}

size_t choose(const Units &units, Damage damage) {
  const auto next_key = [&units](size_t from) {
    while (from < units.size() && !units[from].key)
      from++;
    return from;
  };
  const size_t second = next_key(1), third = next_key(second + 1);
  if (damage == Damage::FlipKey || damage == Damage::LoseKey)
    return second;
  const bool intra = third == second + 1; // all are key pictures
  if (intra)
    return is_disposable(damage) ? units.size() : second + 3;
  size_t unit = second + 3;
  while (unit < third && (units[unit].type == 'B') != is_disposable(damage))
    unit++;
  return unit < third ? unit : units.size();
}

Victim expect(const Units &units, Damage damage, size_t unit, const Kind &kind) {
  Victim victim;
  victim.affected.resize(units.size());
  const size_t end = damage != Damage::CutOff ? units.size() : unit + (kind.torn_counts ? 1 : 0);
  for (size_t i = 0; i < end; i++)
    if (i != unit || !loses(damage))
      victim.units.push_back(i);
  victim.frames = kind.by_anchors ? shown_by_anchors(units, victim.units) : shown_in_order(units, victim.units);

  victim.affected[units[unit].frame] = true;
  if (is_disposable(damage))
    return victim;
  size_t key = unit + 1;
  for (; key < units.size() && !units[key].key; key++)
    victim.affected[units[key].frame] = true;
  for (size_t i = key + 1; i < units.size() && !units[i].key; i++) // leading pictures, of an open GOP
    if (units[i].frame < units[key].frame)
      victim.affected[units[i].frame] = true;
  return victim;
}

void damage_file(const std::string &from, const std::string &to, const Units &units, Damage damage, size_t unit) {
  if (loses(damage)) {
    pipes::ffmpeg("-i " + from + " -c copy -bsf:v noise=drop=eq(n\\," + std::to_string(unit) + ") " + to);
    return;
  }
  std::string bytes = pipes::read_file(from);
  const size_t at = place_in(units[unit], from);
  if (damage == Damage::CutOff) {
    bytes.resize(at);
  } else {
    constexpr size_t kFlipped = 6; // bytes
    for (size_t i = at; i < at + kFlipped; i++)
      bytes[i] = static_cast<char>(~bytes[i]);
  }
  pipes::write_file(to, bytes);
}

} // namespace matrix
