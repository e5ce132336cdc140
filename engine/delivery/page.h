// Rows read ahead from the store: immutable, shared between the roles without copies. A Recipient
// is one row of a page; it keeps its page alive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/queue/model.h"

namespace posthorn {

class Page {
  public:
    struct Item {
        std::uint32_t local_at = 0;  // local key and row, as offsets into bytes
        std::uint32_t row_at = 0;
        std::uint32_t row_bytes = 0;
        std::uint16_t local_bytes = 0;
        std::uint8_t rank_bytes = 0;  // of a rank right before the local key
        bool suppressed = false;      // when the page was read
        std::int32_t previous = -1;   // index of its earlier outcome; -1: never attempted
        WallTime due;                 // of a retry: the time in its retry key
    };

    std::string bytes;
    std::vector<Item> items;
    std::vector<OutcomeRecord> previous;
};

class Recipient {
  public:
    Recipient(std::shared_ptr<const Page> page, std::uint32_t item)
        : page_(std::move(page)), item_(item) {}

    std::string_view local() const {
        return std::string_view(page_->bytes).substr(item().local_at, item().local_bytes);
    }
    // Fresh rows of a lane come in the order of this: the local key, behind the rank where the
    // campaign has priorities.
    std::string_view position() const {
        return std::string_view(page_->bytes)
            .substr(item().local_at - item().rank_bytes,
                    std::size_t{item().rank_bytes} + item().local_bytes);
    }
    std::string_view row() const {
        return std::string_view(page_->bytes).substr(item().row_at, item().row_bytes);
    }
    bool suppressed() const { return item().suppressed; }
    const OutcomeRecord* previous() const {  // nullptr: never attempted
        return item().previous < 0 ? nullptr
                                   : &page_->previous[static_cast<std::size_t>(item().previous)];
    }
    bool is_retry() const { return item().due != WallTime(); }
    WallTime due() const { return item().due; }

  private:
    const Page::Item& item() const { return page_->items[item_]; }

    std::shared_ptr<const Page> page_;
    std::uint32_t item_;
};

}  // namespace posthorn
