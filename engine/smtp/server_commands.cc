// What a server session does with each command.
#include "engine/smtp/server_session.h"

namespace posthorn {

namespace {

constexpr std::string_view kOutOfOrder = "503 5.5.1 Bad sequence of commands\r\n";

bool has_stray_control(std::string_view line) {
    return line.find_first_of(std::string_view("\r\0", 2)) != std::string_view::npos;
}

}  // namespace

std::optional<ServerSession::Event> ServerSession::read_command() {
    const std::size_t end = unread_.find('\n');
    if (end == std::string_view::npos) {
        if (unread_.size() <= kCommandLineBytesMax) return std::nullopt;
        skipping_line_ = true;
        take(unread_.size());
        return std::nullopt;
    }
    std::string_view line = unread_.substr(0, end);
    take(end + 1);
    if (skipping_line_ || end > kCommandLineBytesMax) {
        skipping_line_ = false;
        refuse_syntax("500 5.5.2 Line too long\r\n");
        return std::nullopt;
    }
    if (!line.ends_with('\r') || has_stray_control(line.substr(0, end - 1))) {
        refuse_syntax("500 5.5.2 Lines end with CR LF and have neither inside\r\n");
        return std::nullopt;
    }
    line.remove_suffix(1);
    return obey(parse_command(line));
}

void ServerSession::refuse_syntax(std::string_view reply_line) {
    say(reply_line);
    if (++bad_commands_ < kServerBadCommandsMax) return;
    say("421 4.7.0 Too many errors, closing connection\r\n");
    hang_up();
}

std::optional<ServerSession::Event> ServerSession::obey(const Command& command) {
    if (!connected_ && command.verb != Verb::kQuit) {
        refuse_syntax("503 5.5.1 No service here, only QUIT\r\n");
        return std::nullopt;
    }
    switch (command.verb) {
        case Verb::kHelo:
        case Verb::kEhlo:
            return obey_hello(command);
        case Verb::kStartTls:
            return obey_starttls(command);
        case Verb::kMail:
            return obey_mail(command);
        case Verb::kRcpt:
            return obey_rcpt(command);
        case Verb::kData:
            return obey_data(command);
        case Verb::kBdat:
            return obey_bdat(command);
        case Verb::kRset: {
            const bool dropped = in_mail_;
            end_transaction();
            say("250 2.0.0 OK\r\n");
            return dropped ? std::optional<Event>(Dropped{}) : std::nullopt;
        }
        case Verb::kNoop:
            say("250 2.0.0 OK\r\n");
            return std::nullopt;
        case Verb::kVrfy:
            say("252 2.5.2 Cannot verify, send some mail\r\n");
            return std::nullopt;
        case Verb::kHelp:
            say("214 2.0.0 See RFC 5321\r\n");
            return std::nullopt;
        case Verb::kQuit:
            say("221 2.0.0 Bye\r\n");
            hang_up();
            return std::nullopt;
        case Verb::kUnknown:
            break;
    }
    refuse_syntax("500 5.5.1 Command not known\r\n");
    return std::nullopt;
}

std::optional<ServerSession::Event> ServerSession::obey_hello(const Command& command) {
    const std::string_view name = command.argument;
    if (!plausible_hello_name(name)) {
        refuse_syntax("501 5.5.4 Say your name\r\n");
        return std::nullopt;
    }
    end_transaction();
    asked_esmtp_ = command.verb == Verb::kEhlo;
    return ask(Stage::kEhlo, name);
}

std::optional<ServerSession::Event> ServerSession::obey_starttls(const Command& command) {
    if (!offered_.starttls || tls_) {
        refuse_syntax("503 5.5.1 TLS is not offered\r\n");
    } else if (!command.argument.empty()) {
        refuse_syntax("501 5.5.4 STARTTLS takes no argument\r\n");
    } else if (in_mail_) {
        refuse_syntax(kOutOfOrder);
    } else {
        return ask(Stage::kStartTls, {});
    }
    return std::nullopt;
}

std::optional<ServerSession::Event> ServerSession::obey_mail(const Command& command) {
    if (in_mail_ || hello_name_.empty()) {
        refuse_syntax(kOutOfOrder);
        return std::nullopt;
    }
    const auto path = parse_path(command.argument, "FROM:");
    if (!path) {
        refuse_syntax("501 5.5.4 Syntax: MAIL FROM:<address>\r\n");
        return std::nullopt;
    }
    const auto parameters = parse_mail_parameters(path->parameters, offered_);
    if (!parameters) {
        refuse_syntax("555 5.5.4 Parameter not known or not offered\r\n");
    } else if (!path->address.empty() && !plausible_address(path->address, parameters->smtputf8)) {
        refuse_syntax("553 5.1.7 Bad sender address\r\n");
    } else if (parameters->size && offered_.size_max && *parameters->size > *offered_.size_max) {
        say("552 5.3.4 Message too large\r\n");
    } else {
        asked_parameters_ = *parameters;
        return ask(Stage::kMail, path->address);
    }
    return std::nullopt;
}

std::optional<ServerSession::Event> ServerSession::obey_rcpt(const Command& command) {
    if (!in_mail_ || chunked_) {
        refuse_syntax(kOutOfOrder);
        return std::nullopt;
    }
    const auto path = parse_path(command.argument, "TO:");
    if (!path) {
        refuse_syntax("501 5.5.4 Syntax: RCPT TO:<address>\r\n");
    } else if (!path->parameters.empty()) {
        refuse_syntax("555 5.5.4 Parameter not known or not offered\r\n");
    } else if (!equal_ignoring_case(path->address, "postmaster") &&
               !plausible_address(path->address, mail_parameters_.smtputf8)) {
        refuse_syntax("553 5.1.3 Bad recipient address\r\n");
    } else if (recipients() >= options_->recipients_max) {
        say("452 4.5.3 Too many recipients\r\n");
    } else {
        return ask(Stage::kRcpt, path->address);
    }
    return std::nullopt;
}

std::optional<ServerSession::Event> ServerSession::obey_data(const Command& command) {
    if (!command.argument.empty()) {
        refuse_syntax("501 5.5.4 DATA takes no argument\r\n");
    } else if (!in_mail_ || chunked_) {
        refuse_syntax(kOutOfOrder);
    } else if (recipients() == 0) {
        say("554 5.5.1 No valid recipients\r\n");
    } else {
        return ask(Stage::kData, {});
    }
    return std::nullopt;
}

std::optional<ServerSession::Event> ServerSession::obey_bdat(const Command& command) {
    const auto chunk = parse_chunk(command.argument);
    if (!chunk || !offered_.chunking) {  // where the octets end is not known
        say(chunk ? "502 5.5.1 CHUNKING is not offered\r\n" : "501 5.5.4 Syntax: BDAT size\r\n");
        say("421 4.7.0 Closing connection\r\n");
        hang_up();
        return std::nullopt;
    }
    chunk_left_ = chunk->bytes;
    last_chunk_ = chunk->last;
    refusal_.clear();
    if (!in_mail_ || recipients() == 0) {
        refusal_ = in_mail_ ? "554 5.5.1 No valid recipients\r\n" : kOutOfOrder;
        chunk_refused_ = true;
        state_ = State::kChunk;
    } else if (chunked_) {
        state_ = State::kChunk;
    } else {
        chunked_ = true;
        return ask(Stage::kData, {}, true);
    }
    return std::nullopt;
}

}  // namespace posthorn
