// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables for the kernels: collected on the host and uploaded together.
#pragma once

#include "gst/cuda/device.h"
#include "kernels/kernelargs.h"
#include "kernels/scores.h"

#include <vector>

namespace cps::cuda {

class TableBuilder {
public:
  // The location of a table; its address is available after upload().
  struct Taps {
    size_t offset;
    int32_t den;
    DeviceTaps on(const Memory &memory) const { return {at<Tap>(memory, offset), den}; }
  };
  struct Bands {
    size_t weights, begin, first;
    DeviceBands on(const Memory &memory) const {
      return {at<double>(memory, weights), at<int32_t>(memory, begin), at<int32_t>(memory, first)};
    }
  };

  struct Filter {
    size_t weights, begin, first;
    int32_t den;
    DeviceFilter on(const Memory &memory) const {
      return {at<int32_t>(memory, weights), at<int32_t>(memory, begin), at<int32_t>(memory, first), den};
    }
  };

  Filter add(const FilterTable &table) {
    return {append(table.weights), append(table.begin), append(table.first), table.den};
  }
  Taps add(const TapTable &table) { return {append(table.taps), table.den}; }

  Bands add(const BandedMatrix &matrix) {
    std::vector<double> weights;
    std::vector<int32_t> begin = {0}, first;
    for (const BandedMatrix::Row &row : matrix.rows) {
      weights.insert(weights.end(), row.weights.begin(), row.weights.end());
      begin.push_back(static_cast<int32_t>(weights.size()));
      first.push_back(row.first);
    }
    return {append(weights), append(begin), append(first)};
  }

  template <typename T> size_t append(const std::vector<T> &values) {
    const size_t offset = (bytes_.size() + kAlign - 1) / kAlign * kAlign;
    bytes_.resize(offset + values.size() * sizeof(T));
    if (!values.empty())
      memcpy(bytes_.data() + offset, values.data(), values.size() * sizeof(T));
    return offset;
  }

  template <typename T> static const T *at(const Memory &memory, size_t offset) {
    return reinterpret_cast<const T *>(memory.as<uint8_t>() + offset);
  }

  bool upload(Device &device, Memory &memory) const {
    return memory.reserve(device, bytes_.size()) && device.upload(memory.address(), bytes_.data(), bytes_.size());
  }

private:
  static constexpr size_t kAlign = 16;
  std::vector<uint8_t> bytes_;
};

} // namespace cps::cuda
