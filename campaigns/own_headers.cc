#include "campaigns/own_headers.h"

#include <algorithm>

#include "campaigns/ndjson_scan.h"
#include "engine/base/ascii.h"
#include "engine/mail/headers.h"

namespace posthorn {

namespace {

// Visits name and value of each member; stops where the visitor says so.
template <class Visit>
void visit_headers(const TemplateValue& headers, const Visit& visit) {
    if (!is_object(headers)) return;
    NdjsonScan scan(headers.bytes);
    if (!scan.enter_object()) return;
    std::string_view key;
    std::string name;
    while (scan.next_member(key)) {
        name.clear();
        const std::string_view value = scan.value();
        if (scan.failed() || !append_unescaped(name, key) || visit(name, value)) return;
    }
}

}  // namespace

bool has_own_header(const TemplateValue& headers, std::string_view name) {
    bool found = false;
    visit_headers(headers, [&](const std::string& own, std::string_view) {
        return found = same_letters(own, name);
    });
    return found;
}

void append_own_headers(std::string& out, const TemplateValue& headers) {
    std::string scratch;
    visit_headers(headers, [&](const std::string& name, std::string_view value) {
        append_header(out, name, printed({value, true}, scratch));
        return false;
    });
}

}  // namespace posthorn
