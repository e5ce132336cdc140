// What a client session writes, and when.
#include <algorithm>
#include <charconv>

#include "engine/base/check.h"
#include "engine/smtp/client_session.h"
#include "engine/smtp/line_scan.h"
#include "engine/smtp/path.h"

namespace posthorn {

namespace {

// For stuffed dots, the end of data and the next message's commands: one allocation is enough.
constexpr std::size_t kRoomBehindMessage = 1024;

void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

// Appends message with dots stuffed, closed by CRLF.CRLF. False, and out as it was: the message has
// a CR or LF outside of CRLF.
bool append_stuffed(std::string& out, std::string_view message) {
    const std::size_t size_before = out.size();
    out.reserve(size_before + message.size() + kRoomBehindMessage);
    char before = '\n';
    while (!message.empty()) {
        const std::size_t plain = find_odd_octet(message, before);
        out.append(message, 0, plain);
        if (plain > 0) before = message[plain - 1];
        message.remove_prefix(plain);
        if (message.empty()) break;
        if (message.front() != '.' || before != '\n') {
            out.resize(size_before);
            return false;
        }
        out += "..";
        before = '.';
        message.remove_prefix(1);
    }
    if (before == '\r') {
        out.resize(size_before);
        return false;
    }
    out += before == '\n' ? ".\r\n" : "\r\n.\r\n";
    return true;
}

bool is_canonical(std::string_view text) {
    for (char before = '\n'; !text.empty(); before = '.') {
        const std::size_t odd = find_odd_octet(text, before);
        if (odd == text.size()) return text.back() != '\r';
        if (text[odd] != '.') return false;
        if (odd + 1 == text.size()) return true;
        text.remove_prefix(odd + 1);
    }
    return true;
}

// The same for RFC 3030: counted, with nothing stuffed.
bool append_chunk(std::string& out, std::string_view message) {
    if (!is_canonical(message)) return false;
    const std::string_view end = message.empty() || message.ends_with('\n') ? "" : "\r\n";
    out.reserve(out.size() + message.size() + kRoomBehindMessage);
    out += "BDAT ";
    append_number(out, message.size() + end.size());
    out += " LAST\r\n";
    out += message;
    out += end;
    return true;
}

}  // namespace

bool ClientSession::exhausted() const {
    return aged_ || (capabilities_.mail_max && started_ >= *capabilities_.mail_max);
}

std::size_t ClientSession::depth() const {
    switch (rung()) {
        case Rung::kLockstep:
        case Rung::kPipelining:
        case Rung::kChunking:
            return 1;
        case Rung::kNextBehindDot:
            return 2;
        case Rung::kChunkingAhead:
            return depth_;
    }
    return 1;
}

// An answer has come: it was waited for with all that may be in flight, from afar.
void ClientSession::go_deeper(Instant now) {
    if (in_flight_ == depth() && now - flight(0).written >= kFarAway)
        depth_ = std::min(depth_ + 1, kTransactionsInFlightMax);
}

// Behind those in flight, in a ring that is made larger when it is full.
ClientSession::InFlight& ClientSession::next_slot() {
    if (in_flight_ == slots_.size()) {
        std::rotate(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(first_slot_),
                    slots_.end());
        first_slot_ = 0;
        slots_.resize(std::max<std::size_t>(2, 2 * slots_.size()));
    }
    return flight(in_flight_++);
}

bool ClientSession::can_start() const {
    return state_ == State::kReady && !quitting_ && in_flight_ < depth() && !exhausted() &&
           !(chunking() && wanting_message() != nullptr);
}

void ClientSession::start(const Transaction& transaction, Instant now) {
    CHECK(can_start());
    CHECK(tls_ || options_->starttls != StartTls::kRequired);
    CHECK(!transaction.recipients.empty() && transaction.recipients.size() <= kRecipientsMax);
    if (refuse_locally(transaction)) return;
    ++started_;
    // The peer may have refused the chunk before and still remember its envelope.
    if (chunking() && in_flight_ > 0) write("RSET\r\n", What::kRset, now);
    InFlight& slot = next_slot();
    render_commands(transaction, slot);
    write_more(now);
    check_turn();
}

// RFC 1870, 6152 and 6531 tell a client not to send what the peer has not offered to take.
bool ClientSession::refuse_locally(const Transaction& transaction) {
    const auto refuse = [&](Stage stage, Reply reply) {
        tell(client::TransactionFinished{transaction.id, stage, std::move(reply), true});
        return true;
    };
    if (capabilities_.size_max && transaction.message_bytes > *capabilities_.size_max)
        return refuse(Stage::kMail,
                      {552, EnhancedCode{5, 3, 4},
                       "message is larger than the " + std::to_string(*capabilities_.size_max) +
                           " octets the server takes"});
    if (transaction.smtputf8 && !capabilities_.smtputf8)
        return refuse(Stage::kMail,
                      {550, EnhancedCode{5, 6, 7}, "the server does not offer SMTPUTF8"});
    if (transaction.eight_bit && !capabilities_.eight_bit_mime)
        return refuse(Stage::kMail,
                      {554, EnhancedCode{5, 6, 3}, "the server does not offer 8BITMIME"});
    if (!transaction.from.empty() && !plausible_address(transaction.from, transaction.smtputf8))
        return refuse(Stage::kMail, {553, EnhancedCode{5, 1, 7}, "bad sender address"});
    const auto bad = [] { return Reply{553, EnhancedCode{5, 1, 3}, "bad recipient address"}; };
    std::uint32_t good = 0;
    std::uint32_t index = 0;
    for (const std::string_view recipient : transaction.recipients) {
        if (plausible_address(recipient, transaction.smtputf8)) {
            ++good;
        } else {
            tell(client::RecipientRefused{transaction.id, index, bad(), true});
        }
        ++index;
    }
    return good == 0 && refuse(Stage::kRcpt, bad());
}

void ClientSession::render_commands(const Transaction& transaction, InFlight& slot) {
    std::string& out = slot.commands;
    slot.id = transaction.id;
    slot.phase = Phase::kEnvelope;
    out.assign("MAIL FROM:<");
    out += transaction.from;
    out += '>';
    if (capabilities_.size && transaction.message_bytes > 0) {
        out += " SIZE=";
        append_number(out, transaction.message_bytes);
    }
    if (transaction.eight_bit) out += " BODY=8BITMIME";
    if (transaction.smtputf8) out += " SMTPUTF8";
    out += "\r\n";
    slot.recipients.clear();
    std::uint32_t index = 0;
    for (const std::string_view recipient : transaction.recipients) {
        if (plausible_address(recipient, transaction.smtputf8)) {
            slot.recipients.push_back(index);
            out += "RCPT TO:<";
            out += recipient;
            out += ">\r\n";
        }
        ++index;
    }
    if (!chunking()) out += "DATA\r\n";
    slot.commands_written = 0;
    slot.recipients_written = 0;
    slot.recipients_answered = 0;
    slot.recipients_accepted = 0;
    slot.replies_owed = 0;
    slot.data_end = 0;
    slot.refused_at = Stage::kNone;
    slot.mail_accepted = false;
    slot.dot_written = false;
}

// Writes all that the rung allows, in the order in which transactions were started.
void ClientSession::write_more(Instant now) {
    for (std::size_t i = 0; i < in_flight_; ++i) {
        InFlight& slot = flight(i);
        while (slot.phase == Phase::kEnvelope && slot.commands_written < slot.commands.size() &&
               may_write(i))
            write_command(slot, now);
        if (chunking() && slot.phase == Phase::kEnvelope) {
            slot.phase = Phase::kMessageWanted;
            tell(client::MessageWanted{slot.id});
        }
    }
    if (quitting_ && idle()) write("QUIT\r\n", What::kQuit, now);
}

bool ClientSession::may_write(std::size_t position) const {
    if (rung() == Rung::kLockstep) return position == 0 && awaited() == 0;
    if (chunking()) return true;  // whoever comes before has written its message
    return position == 0 || flight(position - 1).phase == Phase::kMessageWritten;
}

void ClientSession::write_command(InFlight& slot, Instant now) {
    const bool first = slot.commands_written == 0;
    const std::string_view rest = std::string_view(slot.commands).substr(slot.commands_written);
    const std::string_view line = rest.substr(0, rest.find('\n') + 1);
    slot.commands_written += line.size();
    ++slot.replies_owed;
    if (first) {
        write(line, What::kMail, now);
    } else if (slot.recipients_written < slot.recipients.size()) {
        write(line, What::kRcpt, now, slot.recipients[slot.recipients_written++]);
    } else {
        write(line, What::kData, now);
    }
}

void ClientSession::write(std::string_view bytes, What what, Instant now, std::uint32_t recipient) {
    if (output_.empty()) {
        progress_ = now;
        progressed_at_ = written_;
    }
    output_.append(bytes);
    awaited_.push_back({what, recipient, written_ + output_.size()});
}

bool ClientSession::give_message(std::string_view message, Instant now) {
    if (closed()) return true;  // it ended behind the MessageWanted
    std::size_t position = 0;
    while (position < in_flight_ && flight(position).phase != Phase::kMessageWanted) ++position;
    if (position == in_flight_) return true;
    InFlight& slot = flight(position);
    if (output_.empty()) {
        progress_ = now;
        progressed_at_ = written_;
    }
    std::string& out = output_.tail();
    if (!(chunking() ? append_chunk(out, message) : append_stuffed(out, message))) return false;
    slot.phase = Phase::kMessageWritten;
    slot.written = now;
    slot.dot_written = true;
    slot.data_end = written_ + output_.size();
    ++slot.replies_owed;
    awaited_.push_back({What::kDot, 0, slot.data_end});
    write_more(now);
    check_turn();
    return true;
}

}  // namespace posthorn
