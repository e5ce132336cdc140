// Walks over one line of JSON without allocating: members of an object one by one, values as the
// bytes that they are. Strict (RFC 8259) and bounded in depth; UTF-8 is checked by the caller.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace posthorn {

inline constexpr std::size_t kMaxNdjsonDepth = 32;

class NdjsonScan {
  public:
    explicit NdjsonScan(std::string_view text) : text_(text) {}

    bool failed() const { return failed_; }
    bool at_end();  // nothing but blanks is left

    bool enter_object();  // false, and failed(), when there is none

    // Moves to the next member and reads its key, as between its quotes; false at the object's end
    // or when failed().
    bool next_member(std::string_view& key);

    char peek();               // first byte of the value that follows; 0 at the end
    std::string_view value();  // the whole value, over which it moves; strings with their quotes

  private:
    void skip_blank();
    bool fail();
    bool take(char c);
    bool skip_value(std::size_t depth);
    bool skip_container(std::size_t depth);
    bool skip_string();
    bool skip_number();
    bool skip_digits();
    bool skip_word(std::string_view word);

    std::string_view text_;
    std::size_t at_ = 0;
    bool first_ = false;  // no member of the object was read yet
    bool failed_ = false;
};

// Appends what stands between a string's quotes, decoded; false for half a surrogate pair.
bool append_unescaped(std::string& out, std::string_view inside);

}  // namespace posthorn
