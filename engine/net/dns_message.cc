// The parser. Every read is checked against the end; a compression pointer must point before the
// name that uses it, so that names cannot loop.
#include "engine/net/dns_message.h"

namespace posthorn {

namespace {

class DnsParser {
  public:
    explicit DnsParser(std::string_view bytes) : bytes_(bytes) {}

    Result<DnsMessage> parse();

  private:
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return number(4); }
    std::uint32_t number(std::size_t octets);
    std::string_view octets(std::size_t count);
    std::string name();
    void label(std::string& out, std::string_view bytes);
    void record(DnsMessage& message, std::vector<dns::Record>& section);
    void edns(DnsMessage& message, std::uint16_t klass, std::uint32_t ttl, std::uint16_t length);
    dns::RecordValue value(std::uint16_t type, std::size_t end);
    void fail(const char* what);

    std::string_view bytes_;
    std::size_t at_ = 0;
    std::string error_;  // of the first fault; then every read gives zero
};

void DnsParser::fail(const char* what) {
    if (!error_.empty()) return;
    error_ = "DNS message: " + std::string(what) + " at octet " + std::to_string(at_);
    at_ = bytes_.size();
}

std::uint32_t DnsParser::number(std::size_t octet_count) {
    std::uint32_t out = 0;
    for (const char octet : octets(octet_count))
        out = (out << 8) | static_cast<std::uint8_t>(octet);
    return out;
}

std::string_view DnsParser::octets(std::size_t count) {
    if (count > bytes_.size() - at_) {
        fail("ends too early");
        return {};
    }
    const std::string_view out = bytes_.substr(at_, count);
    at_ += count;
    return out;
}

void DnsParser::label(std::string& out, std::string_view bytes) {
    if (!out.empty()) out += '.';
    for (const char octet : bytes) {
        const auto code = static_cast<std::uint8_t>(octet);
        if (octet == '.' || octet == '\\') {
            out += '\\';
            out += octet;
        } else if (code <= ' ' || code >= 0x7f) {
            out += '\\';
            out += static_cast<char>('0' + code / 100);
            out += static_cast<char>('0' + code / 10 % 10);
            out += static_cast<char>('0' + code % 10);
        } else {
            out += octet;
        }
    }
}

std::string DnsParser::name() {
    std::string out;
    std::size_t wire_bytes = 1;
    std::size_t lowest = at_;           // pointers must lead below it, each time further
    std::optional<std::size_t> resume;  // after the first pointer
    while (error_.empty()) {
        const std::uint8_t length = u8();
        if (length == 0) break;
        if (length >= 0xc0) {
            const std::size_t target = (length & 0x3fu) << 8 | u8();
            if (!resume) resume = at_;
            if (target >= lowest) fail("a name points forwards");
            if (!error_.empty()) break;
            at_ = lowest = target;
            continue;
        }
        if (length > 63) fail("a label of unknown kind");
        wire_bytes += length + std::size_t{1};
        if (wire_bytes > dns::kNameBytesMax) fail("a name of more than 255 octets");
        label(out, octets(length));
    }
    if (resume && error_.empty()) at_ = *resume;
    return out;
}

dns::RecordValue DnsParser::value(std::uint16_t type, std::size_t end) {
    switch (type) {
        case dns::kA: {
            dns::Address4 address;
            for (auto& octet : address.octets) octet = u8();
            return address;
        }
        case dns::kAaaa: {
            dns::Address6 address;
            for (auto& octet : address.octets) octet = u8();
            return address;
        }
        case dns::kMx: {
            const std::uint16_t preference = u16();
            return dns::MailExchange{preference, name()};
        }
        case dns::kCname:
        case dns::kPtr:
        case dns::kNs:
            return dns::NameTarget{name()};
        case dns::kTxt: {
            dns::Text text;
            while (at_ < end && error_.empty()) text.strings.emplace_back(octets(u8()));
            return text;
        }
        case dns::kTlsa: {
            dns::TlsAssociation tlsa;
            tlsa.usage = u8();
            tlsa.selector = u8();
            tlsa.matching = u8();
            if (at_ <= end) tlsa.bytes = octets(end - at_);
            return tlsa;
        }
        case dns::kSoa: {
            dns::Authority soa;
            soa.primary = name();
            soa.mailbox = name();
            for (auto* number :
                 {&soa.serial, &soa.refresh_s, &soa.retry_s, &soa.expire_s, &soa.minimum_s})
                *number = u32();
            return soa;
        }
        default:
            return dns::Raw{std::string(octets(end - at_))};
    }
}

void DnsParser::edns(DnsMessage& message, std::uint16_t klass, std::uint32_t ttl,
                     std::uint16_t length) {
    if (message.edns) fail("a second OPT record");
    message.edns = dns::Edns{klass, static_cast<std::uint8_t>(ttl >> 16), (ttl & 0x8000u) != 0};
    message.rcode = static_cast<std::uint16_t>(message.rcode | (ttl >> 24) << 4);
    octets(length);
}

void DnsParser::record(DnsMessage& message, std::vector<dns::Record>& section) {
    dns::Record record;
    record.name = name();
    record.type = u16();
    record.klass = u16();
    record.ttl_s = u32();
    const std::uint16_t length = u16();
    if (length > bytes_.size() - at_) fail("record data ends too early");
    if (!error_.empty()) return;
    if (record.type == dns::kOpt) return edns(message, record.klass, record.ttl_s, length);
    if (record.ttl_s > 0x7fffffffu) record.ttl_s = 0;  // RFC 2181 section 8
    const std::size_t end = at_ + length;
    record.value = value(record.type, end);
    if (at_ != end) fail("record data of the wrong length");
    section.push_back(std::move(record));
}

Result<DnsMessage> DnsParser::parse() {
    DnsMessage message;
    message.id = u16();
    const std::uint16_t flags = u16();
    message.response = flags & 0x8000u;
    message.opcode = (flags >> 11) & 0xfu;
    message.authoritative = flags & 0x0400u;
    message.truncated = flags & 0x0200u;
    message.recursion_desired = flags & 0x0100u;
    message.recursion_available = flags & 0x0080u;
    message.authentic = flags & 0x0020u;
    message.checking_disabled = flags & 0x0010u;
    message.rcode = flags & 0xfu;
    std::array<std::uint16_t, 4> counts{};
    std::size_t records = 0;
    for (auto& count : counts) records += count = u16();
    if (records > dns::kRecordsMax) fail("more than 1000 records announced");
    for (std::uint16_t i = 0; i < counts[0] && error_.empty(); ++i) {
        dns::Question question;
        question.name = name();
        question.type = u16();
        question.klass = u16();
        message.questions.push_back(std::move(question));
    }
    const std::array sections = {&message.answers, &message.authority, &message.additional};
    for (std::size_t s = 0; s < sections.size(); ++s)
        for (std::uint16_t i = 0; i < counts[s + 1] && error_.empty(); ++i)
            record(message, *sections[s]);
    if (at_ != bytes_.size()) fail("something follows the last record");
    if (!error_.empty()) return Error{ErrorKind::kCorrupt, error_};
    return message;
}

}  // namespace

Result<DnsMessage> parse_dns_message(std::string_view bytes) { return DnsParser(bytes).parse(); }

}  // namespace posthorn
