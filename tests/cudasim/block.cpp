// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/cudasim/block.h"

#include "tests/cudasim/guard.h"
#include "tests/cudasim/random.h"

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include <cstdio>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace cps::sim {

namespace {

constexpr size_t kStackBytes = 64 * 1024;
constexpr unsigned kLanes = 32;

// Gives stacks back clean. What Boost calls at the end of a fiber does not return, and the address sanitizer would see
// its frames in whatever comes to lie there.
struct Stacks : boost::context::protected_fixedsize_stack {
  using basic_protected_fixedsize_stack::basic_protected_fixedsize_stack;

  void deallocate(boost::context::stack_context &stack) {
    ASAN_UNPOISON_MEMORY_REGION(static_cast<char *>(stack.sp) - stack.size, stack.size);
    basic_protected_fixedsize_stack::deallocate(stack);
  }
};

// A stack of its own that runs kernels as one thread of a block, again and again: starting anew each time is slow.
class Fiber {
public:
  using Body = void (*)(Fiber &);

  explicit Fiber(Body body) : body_(body) {
    Stacks stacks(kStackBytes);
    const boost::context::stack_context stack = stacks.allocate();
    bottom_ = static_cast<char *>(stack.sp) - stack.size;
    bytes_ = stack.size;
    const boost::context::preallocated whole(stack.sp, stack.size, stack);
    self_ = boost::context::fiber(std::allocator_arg, whole, stacks, [this](boost::context::fiber &&scheduler) {
      scheduler_ = std::move(scheduler);
      arrived(nullptr);
      while (body_) {
        body_(*this);
        suspend();
      }
      leave(nullptr);
      return std::move(scheduler_);
    });
  }
  // Left to itself, Boost ends a fiber with an exception, which the address sanitizer takes for one of the caller's
  // stack.
  ~Fiber() {
    body_ = nullptr;
    resume();
  }
  Fiber(const Fiber &) = delete;
  Fiber &operator=(const Fiber &) = delete;

  void resume() {
    void *fake = nullptr;
    enter(&fake);
    self_ = std::move(self_).resume();
    returned(fake);
  }

  // Of the fiber itself: back to whoever resumed it.
  void suspend() {
    void *fake = nullptr;
    leave(&fake);
    scheduler_ = std::move(scheduler_).resume();
    arrived(fake);
  }

  unsigned index = 0; // in the block
  Extent position;

private:
  // The address sanitizer wants to be told of every change of stacks.
#ifdef __SANITIZE_ADDRESS__
  void enter(void **fake) {
    __sanitizer_start_switch_fiber(fake, bottom_, bytes_);
  }
  static void returned(void *fake) {
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
  }
  void leave(void **fake) {
    __sanitizer_start_switch_fiber(fake, scheduler_bottom_, scheduler_bytes_);
  }
  void arrived(void *fake) {
    __sanitizer_finish_switch_fiber(fake, &scheduler_bottom_, &scheduler_bytes_);
  }
  const void *scheduler_bottom_ = nullptr;
  size_t scheduler_bytes_ = 0;
#else
  void enter(void **) {}
  static void returned(void *) {}
  void leave(void **) {}
  void arrived(void *) {}
#endif

  const void *bottom_ = nullptr;
  size_t bytes_ = 0;
  Body body_;
  boost::context::fiber self_, scheduler_;
};

struct Warp {
  LaneSlot slots[kLanes];
  uint32_t masks[kLanes];
  Site sites[kLanes];
  uint32_t waiting = 0, alive = 0;
};

bool same(const Site &a, const Site &b) {
  return a.line == b.line && (a.file == b.file || strcmp(a.file, b.file) == 0);
}

// The n-th of all indices in an order that depends on the seed.
class Order {
public:
  Order(uint64_t count, Random random) : count_(count), offset_(random.below(static_cast<uint32_t>(count))) {
    do
      step_ = 1 + random.below(static_cast<uint32_t>(count));
    while (std::gcd(step_, count) != 1);
  }
  uint64_t operator[](uint64_t n) const { return (n * step_ + offset_) % count_; }

private:
  uint64_t count_, offset_, step_ = 1;
};

Extent unfolded(uint64_t index, const Extent &size) {
  return {static_cast<unsigned>(index % size.x), static_cast<unsigned>(index / size.x % size.y),
          static_cast<unsigned>(index / size.x / size.y)};
}

// Runs kernels on one thread of the system, which keeps its fibers from launch to launch.
class Runner {
public:
  void run(const Launch &launch) {
    launch_ = &launch;
    random_ = Random(launch.seed);
    position_.block_size = launch.block;
    position_.grid_size = launch.grid;
    count_ = launch.block.x * launch.block.y * launch.block.z;
    while (fibers_.size() < count_)
      fibers_.push_back(std::make_unique<Fiber>(&body));
    for (unsigned i = 0; i < count_; ++i) {
      fibers_[i]->index = i;
      fibers_[i]->position = unfolded(i, launch.block);
    }
    Guarded shared(launch.shared_bytes, 16);
    shared_ = &shared;
    const uint64_t blocks = uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
    const Order order(blocks, random_);
    for (uint64_t n = 0; n < blocks; ++n) {
      position_.block = unfolded(order[n], launch.grid);
      shared.poison();
      run_block();
      if (!shared.intact())
        misuse("wrote beside its dynamic shared memory");
    }
    launch_ = nullptr;
    shared_ = nullptr;
  }

  const Position &position() const { return position_; }
  unsigned lane() const { return running_->index % kLanes; }
  void *dynamic_shared() const { return shared_->data(); }
  uint64_t moment() const { return moment_; }

  unsigned barrier(bool predicate, Site site) {
    if (alive_ < count_)
      misuse_at(site, "some threads wait at a barrier, and others have returned");
    if (at_barrier_ == 0)
      barrier_site_ = site;
    else if (!same(site, barrier_site_))
      misuse_at(site, "some threads wait at a barrier, and others at another one");
    votes_ += predicate;
    if (++at_barrier_ == count_)
      release();
    suspend();
    return result_;
  }

  uint64_t warp(uint32_t mask, uint64_t value, uint64_t argument, Combine combine, Site site) {
    const unsigned own = lane();
    Warp &warp = warps_[running_->index / kLanes];
    if (!(mask >> own & 1))
      misuse_at(site, "a lane is missing in its own mask");
    warp.slots[own] = {value, argument, 0};
    warp.masks[own] = mask;
    warp.sites[own] = site;
    warp.waiting |= 1U << own;
    combine_[running_->index] = combine;
    complete(running_->index / kLanes, own);
    suspend();
    return warp.slots[own].result;
  }

  [[noreturn]] void misuse(const char *sentence) const {
    const Extent &block = position_.block, &thread = position_.thread;
    fprintf(stderr, "cudasim: %s, block %u %u %u, thread %u %u %u: %s\n", launch_ ? launch_->name : "no kernel",
            block.x, block.y, block.z, thread.x, thread.y, thread.z, sentence);
    abort();
  }

private:
  static void body(Fiber &fiber);

  [[noreturn]] void misuse_at(const Site &site, const char *sentence) const {
    fprintf(stderr, "cudasim: at %s:%d\n", site.file, site.line);
    misuse(sentence);
  }

  void suspend() { running_->suspend(); }

  void run_block() {
    moment_ += 1;
    alive_ = count_;
    at_barrier_ = votes_ = 0;
    warps_.assign((count_ + kLanes - 1) / kLanes, Warp());
    combine_.assign(count_, nullptr);
    ready_.clear();
    for (unsigned i = 0; i < count_; ++i) {
      warps_[i / kLanes].alive |= 1U << i % kLanes;
      ready_.push_back(i);
    }
    while (!ready_.empty()) {
      passing_.swap(ready_);
      ready_.clear();
      for (auto left = static_cast<uint32_t>(passing_.size()); left > 0; --left) {
        std::swap(passing_[left - 1], passing_[random_.below(left)]);
        running_ = fibers_[passing_[left - 1]].get();
        position_.thread = running_->position;
        running_->resume();
      }
    }
    if (alive_ > 0)
      stuck();
  }

  // All threads go on, the last one to arrive no sooner than the others.
  void release() {
    result_ = votes_;
    at_barrier_ = votes_ = 0;
    moment_ += 1;
    for (unsigned i = 0; i < count_; ++i)
      ready_.push_back(i);
  }

  // Lets the lanes go on that wait together with `lane`, if they are all there.
  bool complete(unsigned index, unsigned lane) {
    Warp &warp = warps_[index];
    const uint32_t present = warp.masks[lane] & warp.alive;
    if ((warp.waiting & present) != present)
      return false;
    for (unsigned i = 0; i < kLanes; ++i) {
      if (!(present >> i & 1))
        continue;
      if (warp.masks[i] != warp.masks[lane] || !same(warp.sites[i], warp.sites[lane]))
        misuse_at(warp.sites[i], "lanes that wait for each other do so with different masks, or at different places");
      ready_.push_back(index * kLanes + i);
    }
    warp.waiting &= ~present;
    combine_[index * kLanes + lane](warp.slots, present);
    return true;
  }

  void thread_returned() {
    --alive_;
    if (at_barrier_ > 0)
      misuse_at(barrier_site_, "some threads wait at a barrier, and others have returned");
    const unsigned index = running_->index / kLanes;
    Warp &warp = warps_[index];
    warp.alive &= ~(1U << lane());
    for (unsigned i = 0; i < kLanes; ++i)
      if (warp.waiting >> i & 1)
        complete(index, i);
  }

  [[noreturn]] void stuck() const {
    if (at_barrier_ > 0)
      fprintf(stderr, "cudasim: %u threads wait at %s:%d\n", at_barrier_, barrier_site_.file, barrier_site_.line);
    for (const Warp &warp : warps_)
      for (unsigned i = 0; i < kLanes; ++i)
        if (warp.waiting >> i & 1)
          misuse_at(warp.sites[i], "a lane waits for others of its mask that never come");
    misuse("threads wait for each other");
  }

  const Launch *launch_ = nullptr;
  Guarded *shared_ = nullptr;
  Random random_{0};
  Position position_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  Fiber *running_ = nullptr;
  std::vector<unsigned> ready_, passing_; // threads that can go on; those of them that do so now
  std::vector<Warp> warps_;
  std::vector<Combine> combine_; // of each thread that waits
  unsigned count_ = 0, alive_ = 0;
  unsigned at_barrier_ = 0, votes_ = 0, result_ = 0;
  Site barrier_site_ = {};
  uint64_t moment_ = 0;
};

Runner &runner() {
  static thread_local Runner one;
  return one;
}

void Runner::body(Fiber &) {
  Runner &self = runner();
  self.launch_->kernel->entry(self.launch_->args);
  self.thread_returned();
}

} // namespace

void run(const Launch &launch) {
  runner().run(launch);
}

const Position &position() {
  return runner().position();
}

unsigned lane() {
  return runner().lane();
}

void *dynamic_shared() {
  return runner().dynamic_shared();
}

unsigned barrier(bool predicate, Site site) {
  return runner().barrier(predicate, site);
}

uint64_t warp(uint32_t mask, uint64_t value, uint64_t argument, Combine combine, Site site) {
  return runner().warp(mask, value, argument, combine, site);
}

uint64_t moment() {
  return runner().moment();
}

void misuse(const char *sentence) {
  runner().misuse(sentence);
}

} // namespace cps::sim
