// Who the campaign is from and what it says.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "campaigns/campaign_file_sections.h"
#include "campaigns/content_hash.h"

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxIdBytes = 64;

bool is_id(std::string_view id) {
    return !id.empty() && id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

std::string likely_id(std::string_view wrong) {
    std::string id;
    for (const char c : wrong.substr(0, kMaxIdBytes)) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        id.push_back(is_id({&lower, 1}) ? lower : '-');
    }
    return id.empty() ? "spring-2026" : id;
}

void note_address(const ObjectReader& file, const std::string& path, std::string_view written,
                  AddressFault fault) {
    if (has_controls(written)) {
        file.reading().error(CampaignErrorCode::kHeaderInjection, path,
                             "the address holds a line break or a control character",
                             "write it on one line");
        return;
    }
    file.reading().error(CampaignErrorCode::kBadAddress, path,
                         in_quotes(written) + " is not an address: " + std::string(reason(fault)),
                         "use name@example.com or \"Name <name@example.com>\"");
}

void read_partials(const ObjectReader& templates, Campaign& campaign) {
    CampaignReading& reading = templates.reading();
    const auto written = templates.text("partials_dir");
    if (!written) return;
    const std::string path = templates.path_of("partials_dir");
    const auto directory = resolve_file(reading, path, *written, true);
    if (!directory) return;
    std::error_code failure;
    std::filesystem::directory_iterator entries(*directory, failure);
    for (; !failure && entries != std::filesystem::directory_iterator();
         entries.increment(failure)) {
        const std::string name = entries->path().filename().string();
        if (name.starts_with(".") || !entries->is_regular_file(failure)) continue;
        if (campaign.partials.size() >= kMaxPartials) {
            reading.error(CampaignErrorCode::kRange, path, "the directory holds over 200 files");
            return;
        }
        if (auto content = read_template_file(reading, path, *written + "/" + name))
            campaign.partials.push_back({entries->path().stem().string(), std::move(*content)});
    }
    std::sort(campaign.partials.begin(), campaign.partials.end(),
              [](const Partial& a, const Partial& b) { return a.name < b.name; });
    for (std::size_t i = 1; i < campaign.partials.size(); ++i)
        if (campaign.partials[i].name == campaign.partials[i - 1].name)
            reading.error(CampaignErrorCode::kConflict, path,
                          "two files give the partial " + in_quotes(campaign.partials[i].name));
}

}  // namespace

// A string, or an object of email and name.
std::optional<Address> read_mailbox(const ObjectReader& file, std::string_view key) {
    const Json* const value = file.value(key);
    if (value == nullptr) return std::nullopt;
    Address address;
    if (value->is_string()) {
        const std::string written = value->get<std::string>();
        const AddressFault fault = parse_mailbox(written, address);
        if (fault == AddressFault::kNone) return address;
        note_address(file, file.path_of(key), written, fault);
        return std::nullopt;
    }
    const auto object = file.object(key);
    if (!object) return std::nullopt;
    const auto email = object->text("email");
    if (!email) {
        if (!object->value("email"))
            file.reading().error(CampaignErrorCode::kRequired, object->path(),
                                 "`email` is missing here");
        return std::nullopt;
    }
    const AddressFault fault = parse_address(*email, address);
    if (fault != AddressFault::kNone) {
        note_address(file, object->path_of("email"), *email, fault);
        return std::nullopt;
    }
    address.name = object->line("name").value_or("");
    return address;
}

// "mail.html" where the letter itself should stand.
bool looks_like_file_name(std::string_view text) {
    constexpr std::string_view kEndings[] = {".html", ".htm", ".txt", ".mjml", ".md"};
    return text.find_first_of(" \t\r\n<{") == std::string_view::npos &&
           std::any_of(std::begin(kEndings), std::end(kEndings),
                       [&](std::string_view ending) { return text.ends_with(ending); });
}

// From `key` or from the file that `file_key` names.
Content read_text(const ObjectReader& file, std::string_view key, std::string_view file_key) {
    const bool both = file.value(key) != nullptr && file.value(file_key) != nullptr;
    if (both)
        file.reading().key_error(
            CampaignErrorCode::kConflict, file.path_of(file_key),
            "`" + std::string(key) + "` and `" + std::string(file_key) + "` exclude each other",
            "keep one of them");
    if (const auto name = file.text(file_key))
        return read_template_file(file.reading(), file.path_of(file_key), *name)
            .value_or(Content{});
    const auto written = file.value(key) ? file.text(key) : std::nullopt;
    if (!written) return {};
    if (written->empty()) {
        file.reading().error(CampaignErrorCode::kRequired, file.path_of(key),
                             "`" + std::string(key) + "` is empty");
        return {};
    }
    if (looks_like_file_name(*written))
        file.reading().error(CampaignErrorCode::kType, file.path_of(key),
                             "`" + std::string(key) + "` is the letter itself, and " +
                                 in_quotes(*written) + " is the name of a file",
                             "use `" + std::string(file_key) + "`");
    return Content{{}, *written, sha256_hex(*written)};
}

void read_identity(const ObjectReader& file, std::string_view default_id, Campaign& campaign) {
    CampaignReading& reading = file.reading();
    const auto version = file.integer("version", 1, 1'000'000);
    if (version && *version != 1)
        reading.error(CampaignErrorCode::kUnsupported, "/version",
                      "version " + std::to_string(*version) + " is not supported yet",
                      "this release reads version 1");
    if (file.value("id") != nullptr) {
        campaign.id = file.text("id").value_or("");
        if (file.value("id")->is_string() && !is_id(campaign.id))
            reading.error(CampaignErrorCode::kRange, "/id",
                          in_quotes(campaign.id) + " is not an id",
                          "1 to 64 of a-z 0-9 . _ -, for example " + likely_id(campaign.id));
    } else {
        campaign.id = default_id;
        if (!is_id(campaign.id))
            reading.error(CampaignErrorCode::kRequired, "",
                          "`id` is missing and the file's name gives none",
                          "add \"id\": \"" + likely_id(campaign.id) + "\"");
    }
    campaign.name = file.line("name").value_or(campaign.id);
    campaign.kind = file.choice("kind", {"marketing", "transactional"}).value_or(0) == 0
                        ? CampaignKind::kMarketing
                        : CampaignKind::kTransactional;
}

void read_sender(const ObjectReader& file, Campaign& campaign) {
    if (file.value("from") == nullptr)
        file.reading().error(CampaignErrorCode::kRequired, "", "`from` is missing",
                             "add \"from\": \"Name <news@example.com>\"");
    campaign.from = read_mailbox(file, "from").value_or(Address{});
    campaign.reply_to = read_mailbox(file, "reply_to");
    const auto return_path = file.text("return_path");
    if (!return_path) return;
    Address address;
    const AddressFault fault = parse_address(*return_path, address);
    if (fault == AddressFault::kNone)
        campaign.return_path = std::move(address);
    else
        note_address(file, "/return_path", *return_path, fault);
}

void read_words(const ObjectReader& file, Campaign& campaign) {
    campaign.to_name = file.line("to_name").value_or("");
    campaign.preheader = file.text("preheader").value_or("");
    const auto subject = file.line("subject");
    const bool blank = subject && subject->find_first_not_of(" \t") == std::string::npos;
    if (blank)
        file.reading().error(CampaignErrorCode::kRequired, "/subject", "`subject` is empty");
    else if (file.value("subject") == nullptr)
        file.reading().error(CampaignErrorCode::kRequired, "", "`subject` is missing",
                             "add \"subject\": \"…\"");
    campaign.subject = subject.value_or("");
}

// `text` and `text_file`; nothing when neither is there.
void read_text_source(const ObjectReader& object, bool has_html, std::optional<TextSource>& source,
                      Content& text) {
    CampaignReading& reading = object.reading();
    const Json* const written = object.value("text");
    const bool given_file = object.value("text_file") != nullptr;
    const bool says_auto = written != nullptr && *written == "auto";
    if (says_auto && given_file)
        reading.key_error(CampaignErrorCode::kConflict, object.path_of("text_file"),
                          "`text` \"auto\" and `text_file` exclude each other", "keep one of them");
    if (says_auto && !has_html)
        reading.error(CampaignErrorCode::kConflict, object.path_of("text"),
                      "\"auto\" makes the text from the HTML, and there is none",
                      "add `html_file`, or write the text");
    if (says_auto) {
        source = TextSource::kAuto;
    } else if (given_file || written != nullptr) {
        source = TextSource::kGiven;
        text = read_text(object, "text", "text_file");
    }
}

void read_content(const ObjectReader& file, Campaign& campaign) {
    const bool wants_html = file.value("html") != nullptr || file.value("html_file") != nullptr;
    campaign.html = read_text(file, "html", "html_file");
    std::optional<TextSource> source;
    read_text_source(file, wants_html, source, campaign.text);
    const bool neither = !wants_html && !source;
    if (wants_html && !source && !file.has("text")) source = TextSource::kAuto;
    campaign.text_source = wants_html || source != TextSource::kAuto
                               ? source.value_or(TextSource::kNone)
                               : TextSource::kNone;
    if (neither)
        file.reading().error(CampaignErrorCode::kRequired, "",
                             "the campaign has neither HTML nor text", "add `html_file` or `text`");
    if (const auto templates = file.object("template")) {
        constexpr MissingPolicy kPolicies[] = {MissingPolicy::kError, MissingPolicy::kEmpty,
                                               MissingPolicy::kKeep};
        campaign.missing =
            kPolicies[templates->choice("missing", {"error", "empty", "keep"}).value_or(0)];
        read_partials(*templates, campaign);
    }
}

}  // namespace posthorn
