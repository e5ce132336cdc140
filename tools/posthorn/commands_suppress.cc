// suppress, unsubscribe and forget: who is not to be written to, and who is not to be remembered.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "campaigns/list_reader.h"
#include "campaigns/unsubscribe_token.h"
#include "engine/base/units.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/commands.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/record_json.h"
#include "tools/posthorn/suppression_batch.h"
#include "tools/posthorn/token_keys_file.h"

namespace posthorn {

namespace {

using nlohmann::ordered_json;

CommandResult say(LineSink& sink, const char* what, std::uint64_t count, std::string message) {
    sink.line(json_line(ordered_json{{what, count}, {"message", std::move(message)}}));
    return {};
}

Result<Address> address_of(const std::string& text) {
    Address address;
    const AddressFault fault = parse_address(text, address);
    if (fault == AddressFault::kNone) return address;
    return Error{ErrorKind::kInvalid,
                 "'" + text + "' is not an address: " + std::string(reason(fault))};
}

Result<std::vector<Address>> addresses_of(const nlohmann::json& request) {
    std::vector<Address> addresses;
    for (const nlohmann::json& text : array_field(request, "addresses")) {
        const auto address = address_of(text.is_string() ? text.get<std::string>() : "");
        if (!address) return address.error();
        addresses.push_back(*address);
    }
    return addresses;
}

std::string addresses_text(std::uint64_t count) {
    return with_separators(count) + (count == 1 ? " address" : " addresses");
}

CommandResult add_suppressions(const CommandContext& context, const nlohmann::json& request,
                               LineSink& sink) {
    const auto addresses = addresses_of(request);
    if (!addresses) return failed(addresses.error());
    SuppressionBatch list(context);
    for (const Address& address : *addresses)
        if (const Status added = list.add(
                address, {"", text_field(request, "reason"), "operator", context.now(), false});
            !added)
            return failed(added.error());
    if (const Status written = list.finish(); !written) return failed(written.error());
    return say(sink, "added", addresses->size(),
               addresses_text(addresses->size()) + " will get no more mail");
}

CommandResult remove_addresses(const CommandContext& context, const std::vector<Address>& addresses,
                               LineSink& sink) {
    Suppressions list(context.store);
    std::uint64_t removed = 0;
    for (const Address& address : addresses) {
        const auto gone = list.remove(address.to_string());
        if (!gone) return failed(gone.error());
        removed += *gone ? 1 : 0;
    }
    return say(sink, "removed", removed, addresses_text(removed) + " taken off the list");
}

// "2026-04-02T09:00:00Z", or "2h": two hours ago.
Result<WallTime> since_of(const nlohmann::json& request, WallTime now) {
    const std::string text = text_field(request, "since");
    if (text.empty()) return WallTime();
    if (const auto time = parse_rfc3339(text)) return *time;
    if (const auto ago = parse_duration(text)) return now - *ago;
    return Error{ErrorKind::kInvalid, "'" + text + "' is neither a time nor a duration"};
}

CommandResult remove_by_source(const CommandContext& context, const nlohmann::json& request,
                               LineSink& sink) {
    const std::string source = text_field(request, "source");
    const auto since = since_of(request, context.now());
    if (!since) return failed(since.error());
    const auto removed = Suppressions(context.store).remove({source, *since});
    if (!removed) return failed(removed.error());
    return say(sink, "removed", *removed,
               addresses_text(*removed) + " that came from " + source + " taken off the list");
}

CommandResult list_suppressions(const CommandContext& context, const nlohmann::json& request,
                                LineSink& sink) {
    const std::string source = text_field(request, "source");
    const Status walked =
        Suppressions(context.store).for_each([&](const SuppressionRecord& record) {
            if (!source.empty() && record.source != source) return true;
            return sink.line(json_line(suppression_json(record)));
        });
    return walked ? CommandResult{} : failed(walked.error());
}

// A list's row as a record: its own reason, source and since where the file has such columns.
SuppressionRecord imported_record(const ListReader& reader, const ListRow& row,
                                  const SuppressionRecord& defaults) {
    SuppressionRecord record = defaults;
    const std::vector<std::string>& columns = reader.columns();
    for (std::size_t i = 0; i < columns.size() && i < row.variables.size(); ++i) {
        const std::string_view value = row.variables[i].bytes;
        if (value.empty()) continue;
        if (columns[i] == "reason") record.reason = value;
        if (columns[i] == "source") record.source = value;
        if (columns[i] == "since") record.since = parse_rfc3339(value).value_or(record.since);
    }
    return record;
}

CommandResult import_suppressions(const CommandContext& context, const nlohmann::json& request,
                                  LineSink& sink) {
    const std::string file = text_field(request, "file");
    const OpenedList opened = open_exclusion_list(file);
    if (opened.reader == nullptr) return invalid_input(file + ": " + opened.fault.message);
    const SuppressionRecord defaults{"", text_field(request, "reason"),
                                     "import:" + std::filesystem::path(file).filename().string(),
                                     context.now(), false};
    SuppressionBatch list(context);
    std::uint64_t added = 0, invalid = 0;
    ListRow row;
    Address address;
    ListReader::Step step = opened.reader->next(row);
    for (; step == ListReader::Step::kRow; step = opened.reader->next(row)) {
        if (!row.fault.empty() || parse_address(row.email, address) != AddressFault::kNone) {
            ++invalid;
            continue;
        }
        const Status put = list.add(address, imported_record(*opened.reader, row, defaults));
        if (!put) return failed(put.error());
        ++added;
    }
    if (const Status written = list.finish(); !written) return failed(written.error());
    if (step == ListReader::Step::kFault)
        return invalid_input(file + ": " + opened.reader->fault().message + "; " +
                             addresses_text(added) + " before it are on the list");
    ordered_json answer = {{"added", added}, {"invalid", invalid}};
    answer["message"] = addresses_text(added) + " put on the list, " + with_separators(invalid) +
                        " rows that are no addresses";
    sink.line(json_line(answer));
    return {};
}

}  // namespace

CommandResult change_suppressions(const CommandContext& context, const nlohmann::json& request,
                                  LineSink& sink) {
    const std::string action = text_field(request, "action");
    if (action == "add") return add_suppressions(context, request, sink);
    if (action == "list" || action == "export") return list_suppressions(context, request, sink);
    if (action == "import") return import_suppressions(context, request, sink);
    if (action != "remove") return invalid_input("'" + action + "' is not a command of suppress");
    if (!text_field(request, "source").empty()) return remove_by_source(context, request, sink);
    const auto addresses = addresses_of(request);
    if (!addresses) return failed(addresses.error());
    return remove_addresses(context, *addresses, sink);
}

CommandResult unsubscribe_token(const CommandContext& context, const nlohmann::json& request,
                                LineSink& sink) {
    const auto keys = TokenKeys::load_or_create(token_keys_file(context.directory));
    if (!keys) return failed(keys.error());
    const auto token = keys->open(text_field(request, "token"));
    if (!token) return failed(token.error());
    if (token->purpose != TokenPurpose::kUnsubscribe)
        return invalid_input("the token is not one for unsubscribing");
    const auto address = address_of(token->address);
    if (!address) return failed(address.error());
    const auto before = Suppressions(context.store).find(address->to_string());
    if (!before) return failed(before.error());
    if (!*before) {
        SuppressionBatch list(context);
        Status added = list.add(
            *address, {"", "unsubscribed", "campaign:" + token->campaign, context.now(), false});
        if (added) added = list.finish();
        if (!added) return failed(added.error());
    }
    sink.line(
        json_line(ordered_json{{"email", address->to_string()},
                               {"campaign", token->campaign},
                               {"message", address->to_string() + " is unsubscribed (campaign " +
                                               token->campaign + ")"}}));
    return {};
}

}  // namespace posthorn
