// Campaigns on disk.
//
//   campaign := format number id state pause_reason created started finished active lanes audience
//               strings(columns) definition count (name digest){count}
#include "engine/queue/record_bytes.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

void put_audience(std::string& out, const AudienceFigures& audience) {
    for (const std::uint64_t count : {audience.rows, audience.invalid, audience.duplicate,
                                      audience.suppressed, audience.excluded, audience.recipients})
        put_varint(out, count);
}

AudienceFigures read_audience(ByteReader& in) {
    AudienceFigures audience;
    for (std::uint64_t* count : {&audience.rows, &audience.invalid, &audience.duplicate,
                                 &audience.suppressed, &audience.excluded, &audience.recipients})
        *count = in.varint();
    return audience;
}

// False when so many strings cannot follow.
bool read_count(ByteReader& in, std::uint64_t& count) {
    count = in.varint();
    return in.ok() && count <= in.rest().size();
}

}  // namespace

void append_record(std::string& out, const CampaignRecord& campaign) {
    put_u8(out, kRecordFormat);
    put_varint(out, campaign.number);
    put_string(out, campaign.id);
    put_u8(out, static_cast<std::uint8_t>(campaign.state));
    put_string(out, campaign.pause_reason);
    put_time(out, campaign.created);
    put_time(out, campaign.started);
    put_time(out, campaign.finished);
    put_signed(out, campaign.active.count());
    put_varint(out, campaign.lanes);
    put_audience(out, campaign.audience);
    put_varint(out, campaign.columns.size());
    for (const std::string& column : campaign.columns) put_string(out, column);
    put_string(out, campaign.definition);
    put_varint(out, campaign.digests.size());
    for (const auto& [name, digest] : campaign.digests) {
        put_string(out, name);
        put_string(out, digest);
    }
}

Result<CampaignRecord> decode_campaign(std::string_view bytes) {
    ByteReader in(bytes);
    CampaignRecord campaign;
    if (!read_format(in) || !read_integer(in, campaign.number)) return corrupt_record("campaign");
    campaign.id = in.string();
    if (!read_enum(in.u8(), CampaignState::kCancelled, campaign.state))
        return corrupt_record("campaign");
    campaign.pause_reason = in.string();
    campaign.created = read_time(in);
    campaign.started = read_time(in);
    campaign.finished = read_time(in);
    campaign.active = Duration(read_signed(in));
    campaign.lanes = in.varint();
    campaign.audience = read_audience(in);
    std::uint64_t count = 0;
    if (!read_count(in, count)) return corrupt_record("campaign");
    for (; count > 0; --count) campaign.columns.emplace_back(in.string());
    campaign.definition = in.string();
    if (!read_count(in, count)) return corrupt_record("campaign");
    for (; count > 0; --count) {
        std::string name(in.string());
        campaign.digests.emplace_back(std::move(name), in.string());
    }
    if (!in.at_end()) return corrupt_record("campaign");
    return campaign;
}

}  // namespace posthorn
