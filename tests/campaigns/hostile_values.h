// Four hundred values that a list may hold and that want to become a header, an address, a line or
// markup: forty attacks, each dressed in ten ways.
#pragma once

#include <string>
#include <vector>

namespace posthorn::testing_message {

inline std::vector<std::string> attacks() {
    using namespace std::string_literals;
    return {
        "\r\nBcc: evil@evil.test"s,
        "\nBcc: evil@evil.test"s,
        "\rBcc: evil@evil.test"s,
        "\r\n\r\n<script>alert(1)</script>"s,
        "\r\n.\r\nMAIL FROM:<evil@evil.test>\r\n"s,
        "\n.\n"s,
        "\0Bcc: evil@evil.test"s,
        "%0d%0aBcc: evil@evil.test"s,
        "%0D%0A%0D%0A"s,
        "\\r\\nBcc: evil@evil.test"s,
        "&#13;&#10;Bcc: evil@evil.test"s,
        "\xC2\x85"
        "Bcc: evil@evil.test"s,
        "\xE2\x80\xA8"
        "Bcc: evil@evil.test"s,
        "\xE2\x80\xA9"
        "Bcc: evil@evil.test"s,
        "\x0B"
        "Bcc: x"s,
        "\x0C"
        "Bcc: x"s,
        "\x1B[2J\x07\x08"s,
        "\x7F\xC2\x80\xC2\x9F"s,
        "Bcc: x"s,
        "<evil@evil.test>"s,
        "evil@evil.test, other@evil.test"s,
        "\" <evil@evil.test>, \""s,
        "\\\" <evil@evil.test>"s,
        "(comment) evil@evil.test;"s,
        "group: a@evil.test, b@evil.test;"s,
        "=?utf-8?q?=0D=0ABcc=3A_evil=40evil.test?="s,
        "=?utf-8?b?DQpCY2M6IGV2aWxAZXZpbC50ZXN0?="s,
        "=?x?="s,
        "=_0123456789abcdef0123456789abcdef"s,
        "\n--=_0123456789abcdef0123456789abcdef--\n"s,
        "\"><img src=x onerror=alert(1)>"s,
        "' onmouseover='alert(1)"s,
        "javascript:alert(1)"s,
        "</a></p></body></html>"s,
        "<!-- --!>"s,
        "\xE2\x80\xAE"
        "tset.live"s,
        "\xEF\xBB\xBF\xE2\x80\x8B\xE2\x80\x8D"s,
        "\xFF\xFE\x80\xC0\xAF\xED\xA0\x80"s,
        "\xF0\x9F\x98\x80\xF0\x9F\x98"s,
        "{{first_name}}{{{unsubscribe_url}}}"s,
    };
}

inline std::vector<std::string> hostile_values() {
    std::vector<std::string> out;
    for (const std::string& attack : attacks()) {
        const std::string unicode = "J\xC3\xBCrgen";
        for (const std::string& value :
             {attack, "Ann" + attack, attack + "Ann", "Ann " + attack + " Lee", unicode + attack,
              attack + attack, std::string(70, 'a') + attack, " " + attack + " ",
              "\"" + attack + "\"", std::string(300, '-') + attack + unicode})
            out.push_back(value);
    }
    return out;
}

}  // namespace posthorn::testing_message
