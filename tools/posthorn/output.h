// Standard output and standard error of the program: buffered text, and a part of the terminal that
// is drawn again and again.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/posthorn/progress.h"

namespace posthorn {

// Writes to a descriptor in large pieces. Once nobody reads any more (head, a pager that was left)
// or the disk is full, everything further is dropped and open() is false.
class TextOutput {
  public:
    explicit TextOutput(int descriptor) : descriptor_(descriptor) {}
    ~TextOutput() { flush(); }
    TextOutput(const TextOutput&) = delete;
    TextOutput& operator=(const TextOutput&) = delete;

    bool write(std::string_view text);  // false: nobody reads
    bool flush();
    bool open() const { return open_; }

  private:
    static constexpr std::size_t kFlushAt = 64u << 10;

    int descriptor_;
    std::string buffer_;
    bool open_ = true;
};

// Lines that are replaced by the next ones, without flicker: one write each, cursor hidden.
// Not a terminal, or a dumb one: a line every few seconds.
class LiveDisplay {
  public:
    explicit LiveDisplay(int descriptor);
    ~LiveDisplay() { finish(); }
    LiveDisplay(const LiveDisplay&) = delete;
    LiveDisplay& operator=(const LiveDisplay&) = delete;

    bool is_terminal() const { return is_terminal_; }
    void draw(const ProgressHistory& history, double now_s);  // at most ten times a second
    void last(const ProgressHistory& history);                // the final state stays in view
    void note(std::string_view line);                         // above what is drawn
    void finish();                                            // gives the cursor back

  private:
    static constexpr double kDrawEverySeconds = 0.1;
    static constexpr double kLineEverySeconds = 5;

    void put(const ProgressHistory& history);
    std::string erase() const;

    int descriptor_;
    bool is_terminal_;
    std::size_t lines_drawn_ = 0;
    double drawn_at_s_ = -1e9;
    bool cursor_hidden_ = false;
};

// Size now; colours unless NO_COLOR is set or the terminal is a dumb one.
Terminal terminal_of(int descriptor);

}  // namespace posthorn
