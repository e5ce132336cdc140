// What all parts of a world share: time, chance, knobs, the books of what is true, and the store.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/base/random.h"
#include "engine/mail/classifier.h"
#include "tests/sim/agenda.h"
#include "tests/sim/books.h"
#include "tests/sim/coverage.h"
#include "tests/sim/knobs.h"
#include "tests/sim/limits_watch.h"
#include "tests/sim/staged_store.h"
#include "tests/sim/tape.h"

namespace posthorn::sim {

struct Scene {
    Scene(std::uint64_t seed, bool traced, std::shared_ptr<const Classifier> rules);

    Duration drawn(Duration most) { return Duration(random.between(0, most.count())); }
    void note(std::string_view kind, std::uint64_t a, std::uint64_t b = 0,
              std::string_view bytes = {}) {
        tape.note(agenda.now(), kind, a, b, bytes);
    }

    Random random;
    Knobs knobs;
    std::shared_ptr<const Classifier> classifier;
    Agenda agenda;
    Tape tape;
    Coverage coverage;
    StagedStore store;
    Books books;
    LimitsWatch limits;
    bool chaos = true;
    std::uint32_t life = 0;                                  // processes so far
    std::vector<std::shared_ptr<const InventedMail>> mails;  // by campaign
    std::vector<Throttle> throttles;  // a stored campaign's definition is the number of its own
    std::function<bool(CrashPoint)> passed = [](CrashPoint) { return false; };  // true: it crashes
};

}  // namespace posthorn::sim
