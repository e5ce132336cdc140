// The ledger: one line of JSON per accepted recipient, what "delivered" is held against. Lines are
// collected and written in large blocks; whoever has the loop calls flush() within 100 ms and at
// the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace posthorn::sink {

struct Accepted {
    WallTime time;
    std::string_view recipient;
    std::string_view sender;
    std::string_view message_id;
    std::uint64_t bytes = 0;
    std::uint64_t session = 0;
    bool tls = false;
};

// {"time":"2026-04-02T07:00:00.000000Z","recipient":...,"sender":...,"message_id":...,"bytes":1,
//  "session":1,"tls":false} and LF. Octets that are not UTF-8 become U+FFFD.
class LedgerLines {
  public:
    void add(const Accepted& accepted);

    const std::string& text() const { return text_; }
    void clear() { text_.clear(); }

  private:
    void append_time(WallTime time);

    std::string text_;
    std::string second_;  // of the last line, formatted up to the seconds
    std::int64_t second_number_ = -1;
};

class Ledger {
  public:
    Ledger() = default;
    ~Ledger();
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    Status open(const std::string& path);  // truncates; without it lines go nowhere
    bool is_open() const { return file_ >= 0; }
    void add(const Accepted& accepted);
    void flush();  // a disk that takes no more ends the program: an audit with holes is none

  private:
    LedgerLines lines_;
    int file_ = -1;
};

}  // namespace posthorn::sink
