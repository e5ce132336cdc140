#include "tools/posthorn/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "tools/posthorn/terminal_text.h"

namespace posthorn {

namespace {

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

bool is_dumb() {
    const char* term = std::getenv("TERM");
    return term == nullptr || *term == '\0' || std::string_view(term) == "dumb";
}

// DEC private modes: the cursor, and synchronised output (ignored where it is not known).
constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";
constexpr std::string_view kBeginUpdate = "\x1b[?2026h";
constexpr std::string_view kEndUpdate = "\x1b[?2026l";
constexpr std::string_view kEraseToLineEnd = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";

}  // namespace

bool TextOutput::write(std::string_view text) {
    if (!open_) return false;
    buffer_ += text;
    return buffer_.size() < kFlushAt || flush();
}

bool TextOutput::flush() {
    if (open_ && !write_all(descriptor_, buffer_)) open_ = false;
    buffer_.clear();
    return open_;
}

Terminal terminal_of(int descriptor) {
    Terminal terminal;
    winsize size{};
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        terminal.columns = size.ws_col;
        terminal.rows = size.ws_row;
    }
    const char* no_colour = std::getenv("NO_COLOR");  // no-color.org: set and not empty
    terminal.colours =
        isatty(descriptor) == 1 && !is_dumb() && (no_colour == nullptr || *no_colour == '\0');
    return terminal;
}

LiveDisplay::LiveDisplay(int descriptor)
    : descriptor_(descriptor), is_terminal_(isatty(descriptor) == 1 && !is_dumb()) {}

std::string LiveDisplay::erase() const {
    if (lines_drawn_ == 0) return "\r";
    return "\r\x1b[" + std::to_string(lines_drawn_) + "A";
}

void LiveDisplay::draw(const ProgressHistory& history, double now_s) {
    const double every = is_terminal_ ? kDrawEverySeconds : kLineEverySeconds;
    if (history.empty() || now_s - drawn_at_s_ < every) return;
    drawn_at_s_ = now_s;
    put(history);
}

void LiveDisplay::last(const ProgressHistory& history) {
    if (!history.empty()) put(history);
    finish();
}

void LiveDisplay::put(const ProgressHistory& history) {
    if (!is_terminal_) {
        write_all(descriptor_, progress_line(history) + "\n");
        return;
    }
    const std::vector<std::string> lines = progress_screen(history, terminal_of(descriptor_));
    std::string text(kBeginUpdate);
    if (!cursor_hidden_) text += kHideCursor;
    cursor_hidden_ = true;
    text += erase();
    for (const std::string& line : lines) text.append(line).append(kEraseToLineEnd).append("\n");
    text.append(kEraseBelow).append(kEndUpdate);
    lines_drawn_ = lines.size();
    write_all(descriptor_, text);
}

void LiveDisplay::note(std::string_view line) {
    std::string text;
    if (lines_drawn_ > 0) text = erase() + std::string(kEraseBelow);
    lines_drawn_ = 0;
    drawn_at_s_ = -1e9;
    write_all(descriptor_, text.append(printable(line)).append("\n"));
}

void LiveDisplay::finish() {
    if (cursor_hidden_) write_all(descriptor_, kShowCursor);
    cursor_hidden_ = false;
    lines_drawn_ = 0;
}

}  // namespace posthorn
