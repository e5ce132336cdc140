// ID.rejects.csv: the rows of a list that gave no recipient, with the reason. Safe to open in a
// spreadsheet: no cell starts a formula (OWASP, "CSV injection"). Written with mode 0600.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace posthorn {

inline constexpr std::size_t kMaxRejectedBytes = 1000;  // of an address as it is repeated here

class ListRejects {
  public:
    ListRejects() = default;
    ~ListRejects();
    ListRejects(const ListRejects&) = delete;
    ListRejects& operator=(const ListRejects&) = delete;

    // Starts the file anew, or goes on after its first `bytes`.
    Status open(const std::string& path, std::uint64_t bytes);

    void add(std::uint64_t row, std::uint64_t line, std::string_view email,
             std::string_view reason);

    Status sync();  // all rows so far are on disk
    std::uint64_t bytes() const { return written_ + pending_.size(); }

  private:
    Status write_pending();

    std::string path_;
    int file_ = -1;
    std::uint64_t written_ = 0;
    std::string pending_;
    bool failed_ = false;
};

// A cell of CSV, quoted where it must be.
void append_csv_cell(std::string& out, std::string_view text);

}  // namespace posthorn
