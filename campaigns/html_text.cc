#include "campaigns/html_text.h"

#include <algorithm>
#include <vector>

#include "campaigns/html_tag.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

constexpr std::size_t kListDepthMax = 16;
constexpr std::size_t kUnderlineMax = 60;  // characters

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

bool one_of(std::string_view name, std::string_view list) {
    for (std::size_t at = list.find(name); at != std::string_view::npos;
         at = list.find(name, at + 1)) {
        const std::size_t end = at + name.size();
        if ((at == 0 || list[at - 1] == ' ') && (end == list.size() || list[end] == ' '))
            return true;
    }
    return false;
}

bool is_paragraph(std::string_view name) {
    return one_of(name, "p h1 h2 h3 h4 h5 h6 blockquote ul ol table pre dl form");
}
bool is_line(std::string_view name) {
    return one_of(name,
                  "div tr section article header footer nav main center dt dd address figure "
                  "figcaption caption tbody thead tfoot body html");
}

class TextFromHtml {
  public:
    explicit TextFromHtml(std::string_view html) : html_(html) { out_.reserve(html.size() / 2); }

    std::string convert();

  private:
    struct Link {
        std::string_view href;
        std::size_t text_start;
    };
    struct List {
        bool ordered;
        int items = 0;
    };

    void take_template_tag();
    void take_markup();
    void take_text();
    void apply(const HtmlTag& tag);
    void apply_heading(const HtmlTag& tag);
    void begin_item();
    void close_link();
    void begin_text();
    void add_words(std::string_view text);
    void end_line(int breaks) {
        breaks_ = std::max(breaks_, breaks);
        blank_ = false;
    }

    std::string_view html_;  // what is left
    std::string out_;
    int breaks_ = 0;      // line ends owed before the next text
    bool blank_ = false;  // a space owed
    bool started_ = false;
    bool cell_ = false;    // the next text begins one
    bool in_row_ = false;  // text of this table row stands on the line
    std::size_t heading_start_ = 0;
    std::vector<List> lists_;
    std::vector<Link> links_;
};

std::string TextFromHtml::convert() {
    while (!html_.empty()) {
        if (html_.starts_with("{{"))
            take_template_tag();
        else if (html_.front() == '<')
            take_markup();
        else
            take_text();
    }
    while (!links_.empty()) close_link();
    if (started_) out_.push_back('\n');
    return std::move(out_);
}

// Sections have no width of their own: the blanks around them stay owed to the text that follows.
void TextFromHtml::take_template_tag() {
    const bool triple = html_.starts_with("{{{");
    const std::size_t end = html_.find(triple ? "}}}" : "}}");
    const std::size_t size = end == std::string_view::npos ? html_.size() : end + (triple ? 3 : 2);
    const std::string_view tag = html_.substr(0, size);
    html_.remove_prefix(size);
    std::string_view inside = tag.substr(2);
    inside.remove_prefix(std::min(inside.find_first_not_of(' '), inside.size()));
    const bool control = !inside.empty() && (std::string_view("#^/!>=").find(inside.front()) !=
                                                 std::string_view::npos ||
                                             inside.starts_with("else}") || inside == "else }}");
    if (!control) begin_text();
    out_.append(tag);
}

void TextFromHtml::take_markup() {
    if (take_html_markup(html_)) return;
    if (begins_html_tag(html_)) {
        const HtmlTag tag = take_html_tag(html_);
        if (!tag.closing && holds_no_text(tag.name))
            skip_html_element(html_, tag.name);
        else
            apply(tag);
    } else {
        begin_text();
        out_.push_back('<');
        html_.remove_prefix(1);
    }
}

void TextFromHtml::take_text() {
    std::size_t end = 1;
    while (end < html_.size() && html_[end] != '<' &&
           !(html_[end] == '{' && html_.substr(end).starts_with("{{")))
        ++end;
    std::string decoded;
    append_decoded_entities(decoded, html_.substr(0, end));
    html_.remove_prefix(end);
    add_words(decoded);
}

void TextFromHtml::add_words(std::string_view text) {
    while (!text.empty()) {
        if (is_blank(text.front())) {
            blank_ = true;
            text.remove_prefix(1);
            continue;
        }
        const std::size_t end = std::min(text.find_first_of(" \t\r\n\f"), text.size());
        begin_text();
        out_.append(text.substr(0, end));
        text.remove_prefix(end);
    }
}

void TextFromHtml::begin_text() {
    if (started_ && breaks_ > 0)
        out_.append(static_cast<std::size_t>(std::min(breaks_, 2)), '\n');
    else if (started_ && cell_ && in_row_)
        out_.append(" | ");
    else if (started_ && blank_)
        out_.push_back(' ');
    in_row_ = cell_ || (in_row_ && breaks_ == 0);
    cell_ = false;
    started_ = true;
    breaks_ = 0;
    blank_ = false;
}

void TextFromHtml::apply(const HtmlTag& tag) {
    const std::string_view name = tag.name;
    if (name == "br") {
        breaks_ = std::min(breaks_ + 1, 2);
        blank_ = false;
    } else if (name == "hr") {
        end_line(2);
        add_words("----");
        end_line(2);
    } else if (name == "li") {
        end_line(1);
        if (!tag.closing) begin_item();
    } else if (name == "h1" || name == "h2") {
        apply_heading(tag);
    } else if (is_paragraph(name)) {
        const bool list = name == "ul" || name == "ol";
        if (list && tag.closing && !lists_.empty()) lists_.pop_back();
        end_line(list && !lists_.empty() ? 1 : 2);
        if (list && !tag.closing && lists_.size() < kListDepthMax)
            lists_.push_back({name == "ol", 0});
    } else if (is_line(name)) {
        end_line(1);
    } else if (name == "td" || name == "th") {
        blank_ = true;
        cell_ = !tag.closing;
    } else if (name == "img" && !tag.attribute("alt").empty()) {
        std::string alt;
        append_decoded_entities(alt, tag.attribute("alt"));
        add_words(alt);
    } else if (name == "a") {
        if (!links_.empty()) close_link();
        if (!tag.closing) links_.push_back({tag.attribute("href"), out_.size()});
    }
}

// As wide as its text will be about: what a tag prints counts as eight characters.
std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        if (text.starts_with("{{")) {
            const bool prints = text.size() > 2 &&
                                std::string_view("#^/!>").find(text[2]) == std::string_view::npos;
            width += prints ? 8 : 0;
            text.remove_prefix(std::min(text.find("}}") + 2, text.size()));
        } else {
            take_code_point(text);
            ++width;
        }
    }
    return width;
}

// The two upper levels are underlined.
void TextFromHtml::apply_heading(const HtmlTag& tag) {
    if (tag.closing && started_ && heading_start_ < out_.size()) {
        std::string_view text = std::string_view(out_).substr(heading_start_);
        const std::size_t last_line = text.find_last_of('\n');
        if (last_line != std::string_view::npos) text.remove_prefix(last_line + 1);
        const std::size_t width = std::min<std::size_t>(width_of(text), kUnderlineMax);
        if (width > 0) out_.append("\n").append(width, tag.name == "h1" ? '=' : '-');
    }
    end_line(2);
    heading_start_ = out_.size();
}

void TextFromHtml::begin_item() {
    begin_text();
    if (lists_.empty()) {
        out_.append("- ");
        return;
    }
    List& list = lists_.back();
    out_.append(2 * (lists_.size() - 1), ' ');
    out_.append(list.ordered ? std::to_string(++list.items) + ". " : "- ");
}

// As it is written in text: entities decoded, and what HTML's query would have percent-encoded
// encoded by a filter.
std::string link_target(std::string_view href) {
    std::string out;
    bool in_query = false;
    while (!href.empty()) {
        const std::size_t open = std::min(href.find("{{"), href.size());
        const std::string_view literal = href.substr(0, open);
        append_decoded_entities(out, literal);
        in_query = in_query || literal.find_first_of("?#") != std::string_view::npos;
        href.remove_prefix(open);
        if (href.empty()) break;
        const std::size_t close = href.find("}}");
        const bool value = href.size() > 2 &&
                           std::string_view("{&#^/!>=").find(href[2]) == std::string_view::npos &&
                           href.find("urlencode") >= close;
        if (close == std::string_view::npos) break;
        const std::size_t end = close + (href.substr(close).starts_with("}}}") ? 3 : 2);
        const std::string_view tag = href.substr(0, end);
        if (value && in_query)
            out.append(tag.substr(0, tag.size() - 2)).append(" | urlencode}}");
        else
            out.append(tag);
        href.remove_prefix(end);
    }
    while (!out.empty() && is_blank(out.back())) out.pop_back();
    return out.substr(std::min(out.find_first_not_of(" \t\r\n"), out.size()));
}

void TextFromHtml::close_link() {
    const Link link = links_.back();
    links_.pop_back();
    std::string target = link_target(link.href);
    if (target.starts_with("mailto:")) target = target.substr(7, target.find('?') - 7);
    if (target.empty() || target.front() == '#') return;
    std::string_view text = std::string_view(out_).substr(std::min(link.text_start, out_.size()));
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
    if (text == target || "http://" + std::string(text) == target ||
        "https://" + std::string(text) == target) {
        out_.resize(out_.size() - text.size());
        out_.append(target);
    } else if (text.empty()) {
        add_words(target);
    } else {
        out_.append(" (").append(target).append(")");
    }
}

}  // namespace

std::string html_to_text(std::string_view html) { return TextFromHtml(html).convert(); }

}  // namespace posthorn
