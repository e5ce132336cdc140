// Who gets the campaign, who does not, and the variables that all of them share.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "campaigns/campaign_file_sections.h"
#include "campaigns/content_hash.h"
#include "campaigns/own_headers.h"

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;

struct Extension {
    std::string_view suffix;
    ListFormat format;
};
constexpr std::array<Extension, 6> kExtensions = {{{".csv", ListFormat::kCsv},
                                                   {".tsv", ListFormat::kCsv},
                                                   {".txt", ListFormat::kCsv},
                                                   {".ndjson", ListFormat::kNdjson},
                                                   {".jsonl", ListFormat::kNdjson},
                                                   {".json", ListFormat::kNdjson}}};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

void read_format(const ObjectReader& recipients, std::string_view name, RecipientList& list) {
    std::string rest = lower(name);
    list.gzip = rest.ends_with(".gz");
    if (list.gzip) rest.resize(rest.size() - 3);
    const auto choice = recipients.choice("format", {"auto", "csv", "ndjson"});
    if (choice.value_or(0) != 0) {
        list.format = *choice == 1 ? ListFormat::kCsv : ListFormat::kNdjson;
        return;
    }
    for (const Extension& extension : kExtensions) {
        if (!rest.ends_with(extension.suffix)) continue;
        list.format = extension.format;
        return;
    }
    recipients.reading().error(CampaignErrorCode::kRequired, recipients.path_of("file"),
                               "the name " + in_quotes(name) + " does not tell the format",
                               "add \"format\": \"csv\" or \"ndjson\"");
}

void read_delimiter(const ObjectReader& recipients, RecipientList& list) {
    const auto written = recipients.text("delimiter");
    if (!written || *written == "auto") return;
    if (*written == "tab") {
        list.delimiter = '\t';
    } else if (*written == "," || *written == ";" || *written == "\t" || *written == "|") {
        list.delimiter = written->front();
    } else {
        recipients.reading().error(CampaignErrorCode::kEnum, recipients.path_of("delimiter"),
                                   in_quotes(*written) + " is not a delimiter",
                                   "one of auto , ; | tab");
    }
}

void note_recipient(CampaignReading& reading, const std::string& path, std::string_view written,
                    AddressFault fault) {
    reading.error(CampaignErrorCode::kBadAddress, path,
                  in_quotes(written) + " is not an address: " + std::string(reason(fault)),
                  "use name@example.com");
}

// One inline recipient as a line of NDJSON; nothing when it is faulty.
std::optional<Json> inline_recipient(CampaignReading& reading, const Json& item,
                                     const std::string& path) {
    Address address;
    if (item.is_string()) {
        const auto& written = item.get_ref<const std::string&>();
        const AddressFault fault = parse_mailbox(written, address);
        if (fault != AddressFault::kNone) {
            note_recipient(reading, path, written, fault);
            return std::nullopt;
        }
        return Json{{"email", address.to_string()}, {"name", address.name}};
    }
    if (!item.is_object()) {
        reading.error(CampaignErrorCode::kType, path,
                      "a recipient is a string or an object with `email`");
        return std::nullopt;
    }
    const ObjectReader recipient(reading, item, path);
    const auto email = recipient.text("email");
    if (!email) {
        if (recipient.value("email") == nullptr)
            reading.error(CampaignErrorCode::kRequired, path, "`email` is missing here");
        return std::nullopt;
    }
    const AddressFault fault = parse_address(*email, address);
    if (fault != AddressFault::kNone) {
        note_recipient(reading, recipient.path_of("email"), *email, fault);
        return std::nullopt;
    }
    Json line = {{"email", address.to_string()}, {"name", recipient.line("name").value_or("")}};
    if (const auto vars = recipient.object("vars")) {
        for (const auto& [name, unused] : vars->json().items())
            if (is_reserved_column(name))
                reading.key_error(CampaignErrorCode::kRange, vars->path_of(name),
                                  "a variable's name starts with a control character");
        line["vars"] = vars->json();
    }
    for (const auto& [name, value] : read_header_lines(recipient)) {
        if (value.find("{{") != std::string::npos)
            reading.error(
                CampaignErrorCode::kTemplateSyntax, recipient.path_of("headers") + "/" + name,
                "a header of one recipient is text, without variables", "write the value itself");
        line[std::string(kOwnHeadersColumn)][name] = value;
    }
    if (const auto metadata = recipient.object("metadata"))
        line[std::string(kOwnMetadataColumn)] = metadata->json();
    return line;
}

void read_inline(const ObjectReader& file, const Json& items, RecipientList& list) {
    CampaignReading& reading = file.reading();
    list.format = ListFormat::kNdjson;
    if (items.empty())
        reading.error(CampaignErrorCode::kRecipientsEmpty, "/recipients", "there is no recipient",
                      "add one, or name a file");
    std::string lines;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto line = inline_recipient(reading, items[i], "/recipients/" + std::to_string(i));
        if (line) lines += line->dump() + "\n";
    }
    std::string hash = sha256_hex(lines);
    list.inline_rows = Content{{}, std::move(lines), std::move(hash)};
}

void read_exclusion(CampaignReading& reading, const std::string& path, const std::string& written,
                    Exclusions& exclude) {
    if (written.find('*') != std::string::npos && !written.starts_with("*@")) {
        reading.error(CampaignErrorCode::kBadAddress, path,
                      in_quotes(written) + " is not a pattern",
                      "use *@example.com for all of a domain; a single address stands as it is");
        return;
    }
    if (written.find('@') == std::string::npos) {
        const auto file = resolve_file(reading, path, written);
        if (!file) return;
        Result<std::string> hash = sha256_hex_of_file(*file);
        if (hash)
            exclude.lists.push_back(Content{*file, {}, *hash});
        else
            reading.error(CampaignErrorCode::kFileMissing, path,
                          in_quotes(written) + " cannot be read");
        return;
    }
    if (written.starts_with("*@")) {
        std::string domain;
        const AddressFault fault = parse_domain(std::string_view(written).substr(2), domain);
        if (fault == AddressFault::kNone)
            exclude.domains.push_back(std::move(domain));
        else
            reading.error(CampaignErrorCode::kBadAddress, path,
                          in_quotes(written) + " is not a pattern: " + std::string(reason(fault)),
                          "use *@example.com");
        return;
    }
    Address address;
    const AddressFault fault = parse_address(written, address);
    if (fault == AddressFault::kNone)
        exclude.addresses.push_back(address.to_string());
    else
        note_recipient(reading, path, written, fault);
}

}  // namespace

std::vector<TemplateConstant> read_constants(const ObjectReader& object) {
    std::vector<TemplateConstant> out;
    const auto vars = object.object("vars");
    if (!vars) return out;
    CampaignReading& reading = object.reading();
    for (const auto& [name, value] : vars->json().items()) {
        if (name.empty()) {
            reading.error(CampaignErrorCode::kRange, vars->path(), "a variable has no name");
        } else if (out.size() >= kMaxVars) {
            reading.error(CampaignErrorCode::kRange, vars->path(), "over 1000 variables");
            break;
        } else if (value.is_string()) {
            out.push_back({name, value.get<std::string>(), false});
        } else {
            out.push_back({name, value.dump(), true});
        }
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return out;
}

void read_vars(const ObjectReader& file, Campaign& campaign) {
    campaign.vars = read_constants(file);
}

void read_list_options(const ObjectReader& recipients, RecipientList& list) {
    read_delimiter(recipients, list);
    if (const auto columns = recipients.object("columns")) {
        list.email_column = columns->text("email").value_or("");
        list.name_column = columns->text("name").value_or("");
    }
    list.invalid = recipients.choice("invalid", {"skip", "error"}).value_or(0) == 0
                       ? InvalidRows::kSkip
                       : InvalidRows::kError;
    list.max_invalid_percent =
        recipients.number("max_invalid_percent", 0, 100).value_or(list.max_invalid_percent);
    list.limit = recipients.integer("limit", 1, 1'000'000'000'000);
    list.priority = recipients.text("priority").value_or("");
}

void read_recipients(const ObjectReader& file, Campaign& campaign) {
    CampaignReading& reading = file.reading();
    const Json* const value = file.value("recipients");
    if (value == nullptr) {
        reading.error(CampaignErrorCode::kRequired, "", "`recipients` is missing",
                      "add \"recipients\": {\"file\": \"list.csv\"}");
        return;
    }
    if (value->is_array()) return read_inline(file, *value, campaign.recipients);
    if (!value->is_object()) {
        reading.error(CampaignErrorCode::kType, "/recipients",
                      "`recipients` is an object with a `file`, or an array of recipients",
                      value->is_string() ? "use {\"file\": " + value->dump() + "}" : "");
        return;
    }
    const ObjectReader recipients = *file.object("recipients");
    read_list_options(recipients, campaign.recipients);
    const auto name = recipients.text("file");
    if (name) {
        read_format(recipients, *name, campaign.recipients);
        campaign.recipients.file = resolve_file(reading, "/recipients/file", *name).value_or("");
    } else if (recipients.value("file") == nullptr) {
        reading.error(CampaignErrorCode::kRequired, "/recipients", "`file` is missing here",
                      "name the list: {\"file\": \"list.csv\"}");
    }
}

void read_exclude(const ObjectReader& file, Campaign& campaign) {
    const Json* const entries = file.array("exclude");
    if (entries == nullptr) return;
    if (entries->size() > kMaxExclusions) {
        file.reading().error(CampaignErrorCode::kRange, "/exclude", "over 10,000 entries",
                             "put the addresses into a list file");
        return;
    }
    for (std::size_t i = 0; i < entries->size(); ++i) {
        const std::string path = "/exclude/" + std::to_string(i);
        if ((*entries)[i].is_string())
            read_exclusion(file.reading(), path, (*entries)[i].get<std::string>(),
                           campaign.exclude);
        else
            file.reading().error(CampaignErrorCode::kType, path,
                                 "an exclusion is a string: a file, *@domain or an address");
    }
}

}  // namespace posthorn
