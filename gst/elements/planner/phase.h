// SPDX-License-Identifier: LGPL-2.1-or-later
// What frameplanner is doing with its stream.
#pragma once

namespace cps {

enum class Phase {
  Start,     // nothing has come yet
  Indexing,  // first reading: every access unit is parsed and swallowed
  Rewinding, // waiting for the seek back
  Stamping,  // second reading
  Passing,   // no index: everything goes through as it is
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
