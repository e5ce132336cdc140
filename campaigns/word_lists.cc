#include "campaigns/word_lists.h"

#include <algorithm>
#include <array>

namespace posthorn {
namespace {

constexpr std::string_view kFreemail[] = {
    "126.com",        "163.com",        "aol.com",        "bigpond.com",    "bk.ru",
    "btinternet.com", "comcast.net",    "cox.net",        "free.fr",        "freenet.de",
    "gmail.com",      "gmx.at",         "gmx.ch",         "gmx.com",        "gmx.de",
    "gmx.net",        "googlemail.com", "hey.com",        "hotmail.co.uk",  "hotmail.com",
    "hotmail.de",     "hotmail.fr",     "hotmail.it",     "icloud.com",     "inbox.ru",
    "laposte.net",    "libero.it",      "list.ru",        "live.co.uk",     "live.com",
    "live.fr",        "mac.com",        "mail.com",       "mail.ru",        "me.com",
    "msn.com",        "naver.com",      "orange.fr",      "outlook.com",    "outlook.de",
    "outlook.fr",     "pm.me",          "proton.me",      "protonmail.com", "qq.com",
    "rambler.ru",     "rediffmail.com", "rocketmail.com", "sbcglobal.net",  "seznam.cz",
    "sina.com",       "t-online.de",    "tutanota.com",   "verizon.net",    "virgilio.it",
    "wanadoo.fr",     "web.de",         "wp.pl",          "yahoo.co.in",    "yahoo.co.jp",
    "yahoo.co.uk",    "yahoo.com",      "yahoo.com.br",   "yahoo.de",       "yahoo.es",
    "yahoo.fr",       "yahoo.it",       "yandex.com",     "yandex.ru",      "ymail.com",
    "zoho.com"};

constexpr std::string_view kRoles[] = {
    "abuse",       "admin",         "administrator", "billing",      "compliance",
    "contact",     "devnull",       "dns",           "do-not-reply", "donotreply",
    "ftp",         "help",          "helpdesk",      "hostmaster",   "info",
    "inoc",        "ispfeedback",   "ispsupport",    "list",         "list-request",
    "mail",        "mailer-daemon", "marketing",     "no-reply",     "noc",
    "noreply",     "null",          "office",        "phish",        "phishing",
    "postmaster",  "privacy",       "registrar",     "root",         "sales",
    "security",    "spam",          "support",       "sysadmin",     "tech",
    "unsubscribe", "usenet",        "uucp",          "webmaster",    "www"};

constexpr std::string_view kShorteners[] = {
    "bit.ly", "buff.ly",    "cutt.ly",     "goo.gl", "is.gd", "lnkd.in", "ow.ly",
    "rb.gy",  "rebrand.ly", "shorturl.at", "t.co",   "t.ly",  "tiny.cc", "tinyurl.com"};

constexpr std::string_view kPhrases[] = {"100% free",
                                         "act now",
                                         "additional income",
                                         "as seen on tv",
                                         "be your own boss",
                                         "buy direct",
                                         "cash bonus",
                                         "click below",
                                         "consolidate debt",
                                         "dear friend",
                                         "double your",
                                         "earn extra cash",
                                         "earn money",
                                         "eliminate debt",
                                         "extra income",
                                         "fast cash",
                                         "free access",
                                         "free gift",
                                         "free investment",
                                         "free money",
                                         "get paid",
                                         "get rich",
                                         "guaranteed income",
                                         "incredible deal",
                                         "limited time only",
                                         "lose weight",
                                         "lowest price",
                                         "make money",
                                         "million dollars",
                                         "miracle",
                                         "no catch",
                                         "no obligation",
                                         "no questions asked",
                                         "no strings attached",
                                         "not spam",
                                         "once in a lifetime",
                                         "online pharmacy",
                                         "order now",
                                         "risk-free",
                                         "risk free",
                                         "satisfaction guaranteed",
                                         "this is not spam",
                                         "viagra",
                                         "while supplies last",
                                         "winner!",
                                         "work from home",
                                         "you have been selected",
                                         "you have won",
                                         "you're a winner"};

constexpr std::string_view kReplies[] = {
    "re:",   "re :",    "fw:", "fwd:", "aw:",  "wg:",  "sv:", "vs:",
    "antw:", "doorst:", "tr:", "rv:",  "res:", "enc:", "odp:"};

// How a tag begins and ends; between them a name of letters, digits and _ . - |.
struct TagStyle {
    std::string_view open, close;
};
constexpr TagStyle kTagStyles[] = {{"{{", "}}"}, {"*|", "|*"}, {"%%", "%%"}, {"[[", "]]"},
                                   {"%{", "}"},  {"${", "}"},  {"{%", "%}"}};

constexpr std::size_t kTagBytesMax = 64;

bool is_name_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("_.-|: ").find(c) != std::string_view::npos;
}

template <std::size_t count>
bool among(std::string_view wanted, const std::string_view (&sorted)[count]) {
    return std::find(std::begin(sorted), std::end(sorted), wanted) != std::end(sorted);
}

}  // namespace

bool is_freemail_domain(std::string_view domain) { return among(domain, kFreemail); }
bool is_role_name(std::string_view local_part) { return among(local_part, kRoles); }
bool is_link_shortener(std::string_view host) { return among(host, kShorteners); }
std::span<const std::string_view> spam_phrases() { return kPhrases; }

std::string_view reply_prefix(std::string_view subject_in_lower_case) {
    const std::size_t start = subject_in_lower_case.find_first_not_of(' ');
    if (start == std::string_view::npos) return {};
    for (const std::string_view prefix : kReplies)
        if (subject_in_lower_case.substr(start).starts_with(prefix)) return prefix;
    return {};
}

std::string_view unresolved_tag(std::string_view text) {
    for (const TagStyle& style : kTagStyles) {
        for (std::size_t at = text.find(style.open); at != std::string_view::npos;
             at = text.find(style.open, at + 1)) {
            const std::size_t inside = at + style.open.size();
            const std::string_view rest = text.substr(inside, kTagBytesMax);
            const std::size_t end = rest.find(style.close);
            if (end == std::string_view::npos || end == 0) continue;
            const std::string_view name = rest.substr(0, end);
            if (std::all_of(name.begin(), name.end(), is_name_character))
                return text.substr(at, inside - at + end + style.close.size());
        }
    }
    return {};
}

}  // namespace posthorn
