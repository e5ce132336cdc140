// The reader: what the scheduler will need next, read from the store ahead of need, so that no loop
// ever waits for the disk. Pending rows are those in the audience without an outcome: both families
// sort by the same key, so reading is a merge. Called by one thread; holds nothing between
// requests.
#pragma once

#include "engine/delivery/messages.h"
#include "engine/queue/store.h"

namespace posthorn {

class Reader {
  public:
    explicit Reader(const Store& store) : store_(store) {}

    // Answers every request with its ticket; ReadFailed when the store does.
    ReaderAnswer answer(const ReaderRequest& request) const;

  private:
    Result<ReaderAnswer> read(const OpenLanes& request) const;
    Result<ReaderAnswer> read(const ReadFresh& request) const;
    Result<ReaderAnswer> read(const ReadDue& request) const;
    Result<ReaderAnswer> read(const ListDeferredLanes& request) const;
    Status append_retry(Page& page, const ReadDue& request, WallTime due, std::string_view local,
                        bool any_suppressed) const;
    Result<std::string> mark_of(const LaneId& lane) const;

    const Store& store_;
};

}  // namespace posthorn
