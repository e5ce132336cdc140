// The parts of a campaign file, each read into its fields of a Campaign. Internal to the loader and
// to the stored definition, which has the same shape but for contents and lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "campaigns/campaign.h"
#include "campaigns/campaign_file_reader.h"

namespace posthorn {

void read_identity(const ObjectReader& file, std::string_view default_id, Campaign& campaign);
void read_sender(const ObjectReader& file, Campaign& campaign);
void read_words(const ObjectReader& file, Campaign& campaign);  // to_name, subject, preheader
void read_content(const ObjectReader& file, Campaign& campaign);
void read_vars(const ObjectReader& file, Campaign& campaign);
void read_recipients(const ObjectReader& file, Campaign& campaign);
void read_list_options(const ObjectReader& recipients, RecipientList& list);
void read_segment(const ObjectReader& file, Campaign& campaign);
void read_exclude(const ObjectReader& file, Campaign& campaign);
void read_variants(const ObjectReader& file, Campaign& campaign);
void read_schedule(const ObjectReader& file, Campaign& campaign);
void read_headers(const ObjectReader& file, Campaign& campaign);
void read_throttle(const ObjectReader& file, Campaign& campaign);
void read_retry(const ObjectReader& file, Campaign& campaign);
void read_compliance(const ObjectReader& file, Campaign& campaign);
void read_dkim(const ObjectReader& file, Campaign& campaign);
void read_labels(const ObjectReader& file, Campaign& campaign);  // tags, metadata
void read_attachments(const ObjectReader& file, Campaign& campaign);

// ---- Parts of sections that variants have as well.
std::optional<Address> read_mailbox(const ObjectReader& object, std::string_view key);
Content read_text(const ObjectReader& object, std::string_view key, std::string_view file_key);
void read_variant(const ObjectReader& object, Variant& variant);  // but html and text
void read_text_source(const ObjectReader& object, bool has_html, std::optional<TextSource>& source,
                      Content& text);
std::vector<TemplateConstant> read_constants(const ObjectReader& object);
using HeaderLines = std::vector<std::pair<std::string, std::string>>;  // name, value as written
HeaderLines read_header_lines(const ObjectReader& object);

// What concerns several keys: compliance with the law, sanity of the throttle, the return path.
void check_campaign(const ObjectReader& file, const Campaign& campaign);

// The file that a key names: its canonical path, or nothing and a fault. Must exist and lie in the
// campaign's directory, symbolic links followed, unless files outside are allowed.
std::optional<std::string> resolve_file(
    CampaignReading& reading, const std::string& path, std::string_view written,
    bool directory = false, CampaignErrorCode missing = CampaignErrorCode::kFileMissing);

// A file's bytes, one more than the bound at most; nothing when it cannot be read.
std::optional<std::string> read_at_most(const std::string& path, std::size_t bytes_max);

// A template beside the campaign file, in UTF-8, without its BOM.
std::optional<Content> read_template_file(CampaignReading& reading, const std::string& path,
                                          std::string_view written);

inline constexpr std::size_t kMaxVariants = 100;
inline constexpr double kMaxVariantWeight = 1'000'000;
inline constexpr std::size_t kMaxWindows = 100;
inline constexpr std::size_t kMaxPartials = 200;
inline constexpr std::size_t kMaxHeaders = 50;
inline constexpr std::size_t kMaxSignatures = 8;
inline constexpr std::size_t kMaxTags = 50;
inline constexpr std::size_t kMaxTagBytes = 128;
inline constexpr std::size_t kMaxVars = 1000;
inline constexpr std::size_t kMaxThrottledDomains = 10'000;
inline constexpr std::size_t kMaxRetrySteps = 64;
inline constexpr std::size_t kMaxExclusions = 10'000;  // entries of `exclude`, lists count as one

}  // namespace posthorn
