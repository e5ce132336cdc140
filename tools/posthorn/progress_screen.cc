// What a person sees of a campaign being sent.
#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/base/units.h"
#include "tools/posthorn/progress.h"
#include "tools/posthorn/terminal_text.h"

namespace posthorn {

namespace {

struct OutcomeLook {
    OutcomeState state;
    const char* colour;  // SGR
    const char* block;   // without colours
};

// In the order of the bar. Pending is what is left of it.
constexpr OutcomeLook kLooks[] = {
    {OutcomeState::kDelivered, "32", "█"},  {OutcomeState::kBounced, "31", "▓"},
    {OutcomeState::kExpired, "35", "x"},    {OutcomeState::kUncertain, "36", "?"},
    {OutcomeState::kSuppressed, "90", "-"}, {OutcomeState::kCancelled, "90", "-"},
    {OutcomeState::kDeferred, "33", "▒"},
};

class Paint {
  public:
    explicit Paint(bool colours) : colours_(colours) {}
    std::string operator()(const char* sgr, const std::string& text) const {
        return colours_ ? "\x1b[" + std::string(sgr) + "m" + text + "\x1b[0m" : text;
    }
    bool colours() const { return colours_; }

  private:
    bool colours_;
};

std::string rate_text(double rate) {
    std::array<char, 32> text{};
    if (rate >= 10) return with_separators(static_cast<std::uint64_t>(rate + 0.5)) + "/s";
    std::snprintf(text.data(), text.size(), "%.1f/s", rate);
    return text.data();
}

std::string state_text(const ProgressPicture& picture) {
    std::string text(name_of(picture.state));
    if (picture.state == CampaignState::kPaused && !picture.pause_reason.empty())
        text += ": " + picture.pause_reason;
    return text;
}

// The cells of each outcome in a bar; whoever has any recipient has a cell as long as there is one.
std::vector<std::size_t> cells_of(const ProgressPicture& picture, std::size_t columns) {
    std::vector<std::size_t> cells;
    std::size_t used = 0;
    for (const OutcomeLook& look : kLooks) {
        const std::uint64_t count = picture.count(look.state);
        std::size_t wanted = 0;
        if (count > 0 && picture.recipients > 0) {
            const double share =
                static_cast<double>(count) / static_cast<double>(picture.recipients);
            wanted = std::max<std::size_t>(
                1, static_cast<std::size_t>(share * static_cast<double>(columns)));
        }
        wanted = std::min(wanted, columns - used);
        used += wanted;
        cells.push_back(wanted);
    }
    // Rounding down leaves a gap at the end; when nobody is pending, it belongs to the largest.
    if (picture.recipients > 0 && picture.count(OutcomeState::kPending) == 0)
        *std::max_element(cells.begin(), cells.end()) += columns - used;
    return cells;
}

std::string repeated(const char* block, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += block;
    return text;
}

std::string bar(const ProgressPicture& picture, std::size_t columns, const Paint& paint) {
    const std::vector<std::size_t> cells = cells_of(picture, columns);
    std::string text;
    std::size_t used = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (cells[i] == 0) continue;
        const char* block = paint.colours() ? "█" : kLooks[i].block;
        text += paint(kLooks[i].colour, repeated(block, cells[i]));
        used += cells[i];
    }
    if (used < columns) text += paint("90", repeated(paint.colours() ? "░" : "·", columns - used));
    return text;
}

// Parts joined by " · ", going to the next line where one is full.
class Flow {
  public:
    Flow(std::size_t columns, const Paint& paint) : columns_(columns), paint_(paint) {}

    void add(const std::string& text, const char* colour = "") {
        const std::size_t width = columns_of(text);
        if (used_ > 0 && used_ + 3 + width > columns_) end();
        if (used_ > 0) {
            line_ += paint_("90", " · ");
            used_ += 3;
        }
        const std::string fitting = width > columns_ ? fitted(text, columns_) : text;
        line_ += *colour == '\0' ? fitting : paint_(colour, fitting);
        used_ += std::min(width, columns_);
    }
    std::vector<std::string> lines() {
        if (used_ > 0) end();
        return std::move(lines_);
    }

  private:
    void end() {
        lines_.push_back(std::move(line_));
        line_.clear();
        used_ = 0;
    }

    std::size_t columns_;
    const Paint& paint_;
    std::vector<std::string> lines_;
    std::string line_;
    std::size_t used_ = 0;
};

void append(std::vector<std::string>& lines, std::vector<std::string> more) {
    for (std::string& line : more) lines.push_back(std::move(line));
}

std::string heading(const ProgressHistory& history, std::size_t columns, const Paint& paint) {
    const ProgressPicture& picture = history.latest();
    const std::string right =
        printable(state_text(picture)) + "  " + duration_words(history.seconds_seen());
    const std::size_t room = columns - std::min(columns, columns_of(right) + 1);
    std::string left = printable(picture.id);
    if (!picture.name.empty() && picture.name != picture.id)
        left += " · " + printable(picture.name);
    if (room == 0) return fitted(left, columns);
    return paint("1", fitted(left, room)) + " " + right;
}

std::vector<std::string> outcome_lines(const ProgressPicture& picture, std::size_t columns,
                                       const Paint& paint) {
    Flow flow(columns, paint);
    for (const OutcomeLook& look : kLooks) {
        const std::uint64_t count = picture.count(look.state);
        const bool always = look.state == OutcomeState::kDelivered ||
                            look.state == OutcomeState::kBounced ||
                            look.state == OutcomeState::kDeferred;
        if (count > 0 || always)
            flow.add(std::string(name_of(look.state)) + " " + with_separators(count), look.colour);
    }
    flow.add("pending " + with_separators(picture.count(OutcomeState::kPending)), "90");
    return flow.lines();
}

std::string time_left(const ProgressHistory& history) {
    const ProgressPicture& picture = history.latest();
    if (const auto seconds = history.seconds_left())
        return "about " + duration_words(*seconds) + " to go";
    const std::uint64_t deferred = picture.count(OutcomeState::kDeferred);
    if (picture.count(OutcomeState::kPending) == 0 && deferred > 0)
        return with_separators(deferred) + " wait for their next attempt";
    return "";
}

std::vector<std::string> pace_lines(const ProgressHistory& history, std::size_t columns,
                                    const Paint& paint) {
    const ProgressPicture& picture = history.latest();
    Flow flow(columns, paint);
    flow.add(rate_text(history.rate_now()) + " now", "1");
    flow.add(rate_text(history.rate_average()) + " average");
    if (const std::string left = time_left(history); !left.empty()) flow.add(left);
    std::string sessions = with_separators(picture.sessions) + " sessions";
    if (picture.opening > 0) sessions += " (" + with_separators(picture.opening) + " opening)";
    flow.add(sessions);
    flow.add(with_separators(picture.in_flight) + " in flight");
    return flow.lines();
}

std::vector<std::string> site_lines(const ProgressHistory& history, std::size_t columns,
                                    std::size_t rows, const Paint& paint) {
    const std::vector<SitePicture>& sites = history.latest().sites;
    constexpr std::size_t kFigures = 9 + 10 + 12 + 10 + 9;  // the columns right of the name
    if (sites.empty() || rows < 2 || columns < kFigures + 12) return {};
    const std::size_t name = std::min<std::size_t>(columns - kFigures, 36);
    const std::size_t rest = columns - kFigures - name;
    std::vector<std::string> lines;
    lines.push_back(paint("90", fitted("site", name) + fitted_right("sessions", 9) +
                                    fitted_right("rate", 10) + fitted_right("accepted", 12) +
                                    fitted_right("deferred", 10) + fitted_right("refused", 9)));
    for (const SitePicture& site : sites) {
        if (lines.size() == rows) break;
        const std::string& words = site.waits_for.empty() ? site.last_failure : site.waits_for;
        std::string line = fitted(printable(site.name), name) +
                           fitted_right(with_separators(site.sessions), 9) +
                           fitted_right(rate_text(history.site_rate(site.name)), 10) +
                           fitted_right(with_separators(site.accepted), 12) +
                           fitted_right(with_separators(site.deferred), 10) +
                           fitted_right(with_separators(site.refused), 9);
        if (rest > 10 && !words.empty())
            line += "  " + paint("33", fitted(printable(words), rest - 2));
        lines.push_back(std::move(line));
    }
    return lines;
}

std::vector<std::string> importing_screen(const ProgressHistory& history, std::size_t columns,
                                          const Paint& paint) {
    const ProgressPicture& picture = history.latest();
    return {heading(history, columns, paint),
            fitted("importing the list: " + with_separators(picture.rows_read) + " rows", columns)};
}

}  // namespace

std::vector<std::string> progress_screen(const ProgressHistory& history, const Terminal& terminal) {
    if (history.empty()) return {};
    const ProgressPicture& picture = history.latest();
    const Paint paint(terminal.colours);
    // The last column stays free: some terminals wrap as soon as it is written.
    const std::size_t columns = std::clamp<std::size_t>(terminal.columns, 21, 121) - 1;
    const std::size_t rows_max = std::max<std::size_t>(terminal.rows, 4) - 1;
    if (picture.state == CampaignState::kImporting)
        return importing_screen(history, columns, paint);

    constexpr std::size_t kShareColumns = 8;
    std::vector<std::string> lines{heading(history, columns, paint)};
    lines.push_back(bar(picture, columns - kShareColumns, paint) +
                    fitted_right(percent(picture.settled(), picture.recipients), kShareColumns));
    append(lines, outcome_lines(picture, columns, paint));
    append(lines, pace_lines(history, columns, paint));

    std::vector<std::string> foot;
    if (!picture.trouble.empty())
        foot.push_back(paint("31", fitted(printable(picture.trouble), columns)));
    for (const std::string& notice : history.notices())
        foot.push_back(paint("33", fitted(printable(notice), columns)));

    const std::size_t used = lines.size() + foot.size() + 1;
    const std::size_t left = rows_max > used ? rows_max - used : 0;
    std::vector<std::string> sites = site_lines(history, columns, left, paint);
    if (!sites.empty()) lines.emplace_back();
    append(lines, std::move(sites));
    append(lines, std::move(foot));
    if (lines.size() > rows_max) lines.resize(rows_max);
    return lines;
}

std::string progress_line(const ProgressHistory& history) {
    if (history.empty()) return "";
    const ProgressPicture& picture = history.latest();
    std::string line = printable(picture.id) + ": ";
    if (picture.state == CampaignState::kImporting)
        return line + "importing " + with_separators(picture.rows_read) + " rows";
    if (picture.state != CampaignState::kRunning) line += printable(state_text(picture)) + ", ";
    line += with_separators(picture.count(OutcomeState::kDelivered)) + " of " +
            with_separators(picture.recipients) + " delivered";
    for (const OutcomeLook& look : kLooks)
        if (const std::uint64_t count = picture.count(look.state);
            count > 0 && look.state != OutcomeState::kDelivered)
            line += ", " + with_separators(count) + " " + std::string(name_of(look.state));
    line += ", " + with_separators(picture.count(OutcomeState::kPending)) + " pending; " +
            rate_text(history.rate_now());
    if (const std::string left = time_left(history); !left.empty()) line += "; " + left;
    if (!picture.trouble.empty()) line += "; " + printable(picture.trouble);
    return line;
}

}  // namespace posthorn
