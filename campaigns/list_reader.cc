#include "campaigns/list_reader.h"

#include "campaigns/csv_reader.h"
#include "campaigns/ndjson_reader.h"

namespace posthorn {

namespace {

CampaignError unreadable(const Error& error) {
    CampaignError fault;
    fault.path = "/recipients/file";
    fault.code = error.kind == ErrorKind::kIo ? CampaignErrorCode::kFileMissing
                                              : CampaignErrorCode::kListSyntax;
    fault.message = error.message;
    return fault;
}

}  // namespace

ListReader::Step ListReader::fail(CampaignErrorCode code, std::string message, std::string hint,
                                  std::uint64_t line) {
    fault_.path = "/recipients/file";
    fault_.code = code;
    fault_.message = std::move(message);
    fault_.hint = std::move(hint);
    fault_.file = file_;
    fault_.line = static_cast<std::uint32_t>(line);
    fault_.column = line > 0 ? 1 : 0;
    return Step::kFault;
}

bool ListReader::fill() {
    const Status status = input_->fill();
    if (status) return true;
    fault_ = unreadable(status.error());
    return false;
}

ListPosition ListReader::position() {
    return {input_->offset(), input_->prefix_hash(), rows_, lines_, input_->identity(), columns_};
}

std::optional<CampaignError> ListReader::resume(const ListPosition& position) {
    const auto changed = [&](const char* what) {
        fail(CampaignErrorCode::kCampaignChanged,
             std::string("the list has changed since its import began: ") + what,
             "restore it as it was, or send under a new `id`", 0);
        return fault_;
    };
    if (input_->identity().bytes != position.identity.bytes) return changed("its size");
    if (input_->identity() != position.identity) return changed("its time of change");
    if (position.offset < input_->offset()) return changed("its header");
    const Result<bool> skipped = input_->skip_to(position.offset);
    if (!skipped) return unreadable(skipped.error());
    if (!*skipped || input_->prefix_hash() != position.prefix_hash)
        return changed("the part that was read");
    columns_ = position.columns;
    rows_ = position.rows;
    lines_ = position.lines;
    columns_restored();
    return std::nullopt;
}

OpenedList open_list(const RecipientList& list) {
    std::unique_ptr<ListInput> input;
    if (list.file.empty()) {
        input = ListInput::of_text(list.inline_rows.bytes);
    } else {
        auto opened = ListInput::of_file(list.file, list.gzip);
        if (!opened) return {nullptr, unreadable(opened.error())};
        input = std::move(*opened);
    }
    const ListColumns wanted = {list.email_column, list.name_column, false};
    if (list.format == ListFormat::kNdjson)
        return {std::make_unique<NdjsonReader>(std::move(input), list.file, wanted), {}};
    return CsvReader::open(std::move(input), list.file, wanted, list.delimiter);
}

OpenedList open_exclusion_list(const std::string& path) {
    auto opened = ListInput::of_file(path, path.ends_with(".gz"));
    if (!opened) return {nullptr, unreadable(opened.error())};
    return CsvReader::open(std::move(*opened), path, {"", "", true}, 0);
}

}  // namespace posthorn
