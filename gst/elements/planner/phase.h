// SPDX-License-Identifier: LGPL-2.1-or-later
// The phases in which frameplanner processes a stream.
#pragma once

namespace cps {

enum class Phase {
  Start,     // no data has arrived
  Indexing,  // first pass: every access unit is parsed and dropped
  Rewinding, // waiting for the seek to the start
  Stamping,  // second pass: needed access units are numbered and pushed
  Passing,   // no index: all access units are pushed unchanged
};

inline const char *phase_name(Phase phase) {
  switch (phase) {
  case Phase::Start:
    return "start";
  case Phase::Indexing:
    return "indexing";
  case Phase::Rewinding:
    return "rewinding";
  case Phase::Stamping:
    return "stamping";
  case Phase::Passing:
    return "passing";
  }
  return "";
}

} // namespace cps
