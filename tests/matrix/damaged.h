// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that ffmpeg encodes, and what is done to one of their access units.
#pragma once

#include <string>
#include <vector>

namespace matrix {

// An access unit of a file, as ffprobe has it.
struct Unit {
  size_t frame = 0; // by display order
  size_t at = 0, size = 0;
  char type = '?'; // of its picture
  bool key = false;
};

// In decode order.
using Units = std::vector<Unit>;
Units units_of(const std::string &path);

enum class Damage {
  FlipKey,        // bits within the picture that a GOP begins with
  FlipReference,  // bits within a picture that others refer to
  FlipDisposable, // bits within one that none refers to
  LoseKey,
  LoseReference,
  LoseDisposable,
  CutOff, // the file ends within an access unit
};
constexpr Damage kDamages[] = {Damage::FlipKey,       Damage::FlipReference,  Damage::FlipDisposable, Damage::LoseKey,
                               Damage::LoseReference, Damage::LoseDisposable, Damage::CutOff};
const char *name_of(Damage damage);
bool flips(Damage damage); // bits

// A file after it was damaged.
struct Victim {
  std::vector<size_t> units;  // that are left, by their number in the whole file
  std::vector<size_t> frames; // those of the whole file that are left, in the order that they are shown
  std::vector<bool> affected; // by number of the whole file: may the frame look different?
};

// Which unit of the file is to be damaged; that of a picture which it has not is units.size().
size_t choose(const Units &units, Damage damage);

// How a codec and its container are.
struct Kind {
  bool torn_counts = false; // an access unit that ends too early is a picture all the same
  bool by_anchors = false;  // a picture that others refer to is shown when the next one comes, as in MPEG-2
};

// What that should come to.
Victim expect(const Units &units, Damage damage, size_t unit, const Kind &kind);

// Writes the damaged file.
void damage_file(const std::string &from, const std::string &to, const Units &units, Damage damage, size_t unit);

} // namespace matrix
