#include "tests/smtp/script.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/base/check.h"
#include "engine/smtp/reply_parser.h"

namespace posthorn {

std::vector<ScriptLine> read_script(const std::string& path) {
    std::ifstream file(path);
    std::vector<ScriptLine> script;
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
        if (line.empty() || line.front() == '#') continue;
        const std::size_t space = line.find(' ');
        script.push_back({number, line.substr(0, space),
                          space == std::string::npos ? "" : line.substr(space + 1)});
    }
    return script;
}

std::vector<std::string> list_scripts(const std::string& folder) {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".txt") paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::string unescape(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            bytes += text[i];
            continue;
        }
        const char c = text[++i];
        bytes += c == 'r' ? '\r' : c == 'n' ? '\n' : c == '0' ? '\0' : c;
    }
    return bytes;
}

std::string smtp_lines(std::string_view text) {
    std::string bytes;
    for (const std::string& line : split(text, " | ")) bytes += unescape(line) + "\r\n";
    return bytes;
}

std::string visible(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        if (c == '\r') {
            text += "\\r";
        } else if (c == '\n') {
            text += "\\n ";
        } else {
            text += c;
        }
    }
    return text;
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + separator.size());
    }
}

std::map<std::string, std::string> parse_settings(std::string_view text) {
    std::map<std::string, std::string> settings;
    for (const std::string& word : split(text, " ")) {
        const std::size_t equals = word.find('=');
        settings[word.substr(0, equals)] =
            equals == std::string::npos ? "" : word.substr(equals + 1);
    }
    return settings;
}

Reply parse_reply_words(std::string_view words) {
    const std::string line = std::string(words) + "\r\n";
    std::string_view rest = line;
    ReplyParser parser;
    CHECK(parser.parse(rest) == ReplyParser::State::kComplete);
    return parser.reply();
}

std::size_t Cutter::next_piece(std::size_t left) {
    if (kind_ == 0) return left;
    if (kind_ == 1) return 1;
    return 1 + random_.below(std::min<std::size_t>(left, random_.chance(0.5) ? 7 : 200));
}

}  // namespace posthorn
