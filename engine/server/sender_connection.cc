#include "engine/server/sender_connection.h"

#include <algorithm>

namespace posthorn {

namespace {

constexpr std::size_t kRecordBytes = 16'384;         // of plaintext, in one record at most
constexpr std::size_t kSealedAheadMax = 128 * 1024;  // ciphertext that waits for the kernel

}  // namespace

SenderConnection::~SenderConnection() {
    if (!tls_ || !tls_->established() || blocked_) return;
    tls_->close();
    [[maybe_unused]] const std::size_t said = tcp_->write(tls_->output());
}

Status SenderConnection::open(const ConnectOrder& order) {
    auto connected =
        TcpConnection::connect(loop_, {order.address, order.port}, order.local_address, *this);
    if (!connected) return connected.error();
    tcp_ = std::move(*connected);
    return {};
}

void SenderConnection::start_tls(std::shared_ptr<const TlsPolicy> policy) {
    policy_ = std::move(policy);
    auto channel = tls_client_.open(*policy_);
    if (!channel) {
        sender_.tls_failed(slot_, TlsResult::kValidationFailure, channel.error().message,
                           loop_.now());
        return;
    }
    tls_ = std::move(*channel);
    ciphertext_received({});  // the first flight
}

void SenderConnection::bytes_received(std::string_view bytes) {
    if (tls_)
        ciphertext_received(bytes);
    else
        sender_.bytes_received(slot_, bytes, loop_.now());
    after_input_();
}

void SenderConnection::ciphertext_received(std::string_view bytes) {
    const bool before = tls_->established();
    const Status status = tls_->ciphertext_received(bytes);
    push();
    if (!before && tls_->established()) handshake_done();
    if (!tls_->plaintext().empty()) {
        if (!std::exchange(remembered_, true)) tls_client_.remember(*policy_, *tls_);
        sender_.bytes_received(slot_, tls_->plaintext(), loop_.now());
        tls_->consume_plaintext(tls_->plaintext().size());
    }
    if (!status && !tls_->established())
        sender_.tls_failed(slot_, result_of(tls_->fault()), status.error().message, loop_.now());
    else if (!status)
        sender_.connection_lost(slot_, status.error().message, loop_.now());
    else if (tls_->peer_closed())
        sender_.connection_lost(slot_, "closed by the peer", loop_.now());
}

void SenderConnection::handshake_done() {
    sender_.tls_started(slot_, facts_of(*tls_), loop_.now());
}

void SenderConnection::connection_lost(std::string_view why) {
    blocked_ = true;
    sender_.connection_lost(slot_, why, loop_.now());
}

void SenderConnection::writable() {
    blocked_ = false;
    flush();
}

void SenderConnection::flush() {
    if (!tls_) return flush_plain();
    while (!blocked_ && seal())
        if (!push()) return;
    push();
}

void SenderConnection::flush_plain() {
    const std::string_view bytes = sender_.bytes_to_write(slot_);
    if (blocked_ || bytes.empty()) return;
    const std::size_t count = tcp_->write(bytes);
    blocked_ = count < bytes.size();
    sender_.bytes_written(slot_, count, loop_.now());
}

// Encrypts what the session has said since. False: nothing, or it cannot.
bool SenderConnection::seal() {
    if (!tls_->established()) return false;
    std::string_view bytes = sender_.bytes_to_write(slot_);
    if (bytes.size() <= sealed_plain_) return false;
    bytes.remove_prefix(sealed_plain_);
    while (!bytes.empty() && tls_->output().size() < kSealedAheadMax) {
        const std::string_view record = bytes.substr(0, kRecordBytes);
        if (const Status written = tls_->write(record); !written) {
            sender_.connection_lost(slot_, written.error().message, loop_.now());
            return false;
        }
        sealed_.push_back({sent_ + tls_->output().size(), record.size()});
        sealed_plain_ += record.size();
        bytes.remove_prefix(record.size());
    }
    return true;
}

// Hands ciphertext to the kernel and tells the session what of it is written. False: it takes no
// more for now.
bool SenderConnection::push() {
    if (blocked_) return false;
    const std::string_view ciphertext = tls_->output();
    if (ciphertext.empty()) return true;
    const std::size_t count = tcp_->write(ciphertext);
    blocked_ = count < ciphertext.size();
    if (count > 0) tls_->consume_output(count);
    sent_ += count;
    std::size_t written = 0;
    while (!sealed_.empty() && sealed_.front().end <= sent_) {
        written += sealed_.front().plain;
        sealed_.pop_front();
    }
    sealed_plain_ -= written;
    if (written > 0) sender_.bytes_written(slot_, written, loop_.now());
    return !blocked_;
}

}  // namespace posthorn
