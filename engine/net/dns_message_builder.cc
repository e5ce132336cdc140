// The builder: names are compressed against all that were written before (RFC 1035 section 4.1.4).
#include <algorithm>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/net/dns_message.h"

namespace posthorn {

namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kOptBytes = 11;
constexpr std::size_t kPointerTargetMax = 0x3fff;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The labels of a name as written in DnsMessage, unescaped; nullopt if DNS cannot carry it.
std::optional<std::vector<std::string>> labels_of(std::string_view name) {
    std::vector<std::string> labels;
    if (name.empty()) return labels;
    labels.emplace_back();
    std::size_t wire_bytes = 2;
    for (std::size_t i = 0; i < name.size(); ++i, ++wire_bytes) {
        if (name[i] == '.') {
            labels.emplace_back();
            continue;
        }
        char octet = name[i];
        if (octet == '\\') {
            if (++i == name.size()) return std::nullopt;
            octet = name[i];
            if (is_digit(octet)) {
                if (i + 2 >= name.size() || !is_digit(name[i + 1]) || !is_digit(name[i + 2]))
                    return std::nullopt;
                const int code =
                    (octet - '0') * 100 + (name[i + 1] - '0') * 10 + (name[i + 2] - '0');
                if (code > 255) return std::nullopt;
                octet = static_cast<char>(code);
                i += 2;
            }
        }
        labels.back() += octet;
    }
    if (wire_bytes > dns::kNameBytesMax) return std::nullopt;
    for (const std::string& label : labels)
        if (label.empty() || label.size() > 63) return std::nullopt;
    return labels;
}

class DnsBuilder {
  public:
    explicit DnsBuilder(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    Result<std::string> build(const DnsMessage& message);

  private:
    void name(std::string_view text, bool compress = true);
    void question(const dns::Question& question);
    void record(const dns::Record& record);
    void value(const dns::RecordValue& value);
    void character_string(std::string_view text);
    void edns(const DnsMessage& message);
    void patch_u16(std::size_t at, std::size_t number);
    bool fits(std::size_t reserved) const { return out_.size() + reserved <= bytes_max_; }

    std::size_t bytes_max_;
    std::string out_;
    std::vector<std::pair<std::string, std::size_t>> suffixes_;  // wire form of labels, offset
    std::string error_;
};

void DnsBuilder::patch_u16(std::size_t at, std::size_t number) {
    out_[at] = static_cast<char>(number >> 8);
    out_[at + 1] = static_cast<char>(number & 0xff);
}

void DnsBuilder::name(std::string_view text, bool compress) {
    const auto labels = labels_of(text);
    if (!labels) {
        error_ = "DNS cannot carry the name \"" + std::string(text) + "\"";
        return;
    }
    std::string wire;
    std::vector<std::size_t> starts;
    for (const std::string& label : *labels) {
        starts.push_back(wire.size());
        put_u8(wire, static_cast<std::uint8_t>(label.size()));
        wire += label;
    }
    for (std::size_t i = 0; i < starts.size(); ++i) {
        const std::string_view suffix = std::string_view(wire).substr(starts[i]);
        const auto known = std::find_if(suffixes_.begin(), suffixes_.end(),
                                        [&](const auto& entry) { return entry.first == suffix; });
        if (compress && known != suffixes_.end())
            return put_u16(out_, static_cast<std::uint16_t>(0xc000u | known->second));
        if (known == suffixes_.end() && out_.size() <= kPointerTargetMax)
            suffixes_.emplace_back(suffix, out_.size());
        out_ += suffix.substr(0, (*labels)[i].size() + 1);
    }
    put_u8(out_, 0);
}

void DnsBuilder::character_string(std::string_view text) {
    if (text.size() > 255) error_ = "DNS cannot carry a string of more than 255 octets";
    put_u8(out_, static_cast<std::uint8_t>(text.size()));
    out_ += text;
}

void DnsBuilder::value(const dns::RecordValue& value) {
    if (const auto* raw = std::get_if<dns::Raw>(&value)) {
        out_ += raw->bytes;
    } else if (const auto* address = std::get_if<dns::Address4>(&value)) {
        out_.append(address->octets.begin(), address->octets.end());
    } else if (const auto* address6 = std::get_if<dns::Address6>(&value)) {
        out_.append(address6->octets.begin(), address6->octets.end());
    } else if (const auto* mx = std::get_if<dns::MailExchange>(&value)) {
        put_u16(out_, mx->preference);
        name(mx->host);
    } else if (const auto* target = std::get_if<dns::NameTarget>(&value)) {
        name(target->name);
    } else if (const auto* text = std::get_if<dns::Text>(&value)) {
        for (const std::string& string : text->strings) character_string(string);
    } else if (const auto* tlsa = std::get_if<dns::TlsAssociation>(&value)) {
        for (const std::uint8_t field : {tlsa->usage, tlsa->selector, tlsa->matching})
            put_u8(out_, field);
        out_ += tlsa->bytes;
    } else if (const auto* soa = std::get_if<dns::Authority>(&value)) {
        name(soa->primary);
        name(soa->mailbox);
        for (const std::uint32_t field :
             {soa->serial, soa->refresh_s, soa->retry_s, soa->expire_s, soa->minimum_s})
            put_u32(out_, field);
    }
}

void DnsBuilder::question(const dns::Question& question) {
    name(question.name);
    put_u16(out_, question.type);
    put_u16(out_, question.klass);
}

void DnsBuilder::record(const dns::Record& record) {
    name(record.name);
    put_u16(out_, record.type);
    put_u16(out_, record.klass);
    put_u32(out_, record.ttl_s);
    const std::size_t length_at = out_.size();
    put_u16(out_, 0);
    value(record.value);
    const std::size_t length = out_.size() - length_at - 2;
    if (length > 0xffff) error_ = "DNS cannot carry record data of more than 65535 octets";
    patch_u16(length_at, length);
}

void DnsBuilder::edns(const DnsMessage& message) {
    put_u8(out_, 0);
    put_u16(out_, dns::kOpt);
    put_u16(out_, message.edns->udp_bytes);
    put_u32(out_, static_cast<std::uint32_t>(message.rcode >> 4) << 24 |
                      static_cast<std::uint32_t>(message.edns->version) << 16 |
                      (message.edns->dnssec_ok ? 0x8000u : 0u));
    put_u16(out_, 0);
}

Result<std::string> DnsBuilder::build(const DnsMessage& message) {
    CHECK(bytes_max_ >= dns::kPlainUdpBytes);
    bytes_max_ = std::min(bytes_max_, dns::kMessageBytesMax);
    const auto flag = [](bool set, unsigned bit) { return set ? bit : 0u; };
    put_u16(out_, message.id);
    put_u16(out_, static_cast<std::uint16_t>(
                      flag(message.response, 0x8000) | (message.opcode & 0xfu) << 11 |
                      flag(message.authoritative, 0x0400) | flag(message.truncated, 0x0200) |
                      flag(message.recursion_desired, 0x0100) |
                      flag(message.recursion_available, 0x0080) | flag(message.authentic, 0x0020) |
                      flag(message.checking_disabled, 0x0010) | (message.rcode & 0xfu)));
    put_u16(out_, static_cast<std::uint16_t>(message.questions.size()));
    out_.append(kHeaderBytes - out_.size(), '\0');
    for (const dns::Question& asked : message.questions) question(asked);

    const std::size_t reserved = message.edns ? kOptBytes : 0;
    const std::array sections = {&message.answers, &message.authority, &message.additional};
    bool truncated = !fits(reserved);
    std::size_t additional = 0;
    for (std::size_t s = 0; s < sections.size() && !truncated; ++s) {
        std::size_t written = 0;
        for (const dns::Record& each : *sections[s]) {
            const std::size_t before = out_.size();
            record(each);
            if (!fits(reserved)) {
                out_.resize(before);
                truncated = true;
                break;
            }
            ++written;
        }
        patch_u16(6 + 2 * s, written);
        if (s == 2) additional = written;
    }
    if (truncated) out_[2] = static_cast<char>(out_[2] | 0x02);
    if (message.edns) {
        edns(message);
        patch_u16(10, additional + 1);
    }
    if (!error_.empty()) return Error{ErrorKind::kInvalid, error_};
    return std::move(out_);
}

}  // namespace

Result<std::string> build_dns_message(const DnsMessage& message, std::size_t bytes_max) {
    return DnsBuilder(bytes_max).build(message);
}

}  // namespace posthorn
