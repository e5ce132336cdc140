#include "tools/posthorn/campaign_import.h"

#include <algorithm>

#include "campaigns/audience_import_sink.h"
#include "campaigns/campaign_definition.h"
#include "campaigns/missing_values.h"
#include "campaigns/segment_history.h"
#include "campaigns/variants.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/stored_campaigns.h"

namespace posthorn {

namespace {

constexpr std::uint64_t kRowsPerStep = 4096;  // between two looks at whether to go on

class ListImport {
  public:
    ListImport(Store& store, const CampaignRecord& record, const Campaign& campaign,
               const CampaignImportOptions& options)
        : store_(store), record_(record), campaign_(campaign), options_(options), history_(store) {}

    Result<ImportEnd> run() {
        ImportOptions options;
        options.directory = options_.data_directory + "/import-" + std::to_string(record_.number);
        options.ranked = !campaign_.recipients.priority.empty();
        auto import = AudienceImport::open(store_, record_.number, options);
        if (!import) return import.error();
        import_ = std::move(import).value();
        auto intake = open_intake();
        if (!intake) return intake.error();
        if (!import_->done()) {
            const auto read = read_rows();
            if (!read) return read.error();
            if (intake_->state() == AudienceIntake::State::kFailed) return refused();
            if (!missing_.empty()) return give_up(missing_);
            if (!*read) return ImportEnd{false, record_, {}};
        }
        return merge();
    }

  private:
    Status open_intake() {
        IntakeOptions options;
        options.rejects_file = options_.data_directory + "/" + record_.id + ".rejects.csv";
        options.suppressed = [list = Suppressions(store_)](const Address& address) {
            return list.contains(address.to_string());
        };
        options.now = record_.created;  // the same for whoever goes on with the import
        options.history = &history_;
        const std::string& stored =
            import_->done() ? import_->done()->position : import_->position();
        std::optional<IntakePosition> position;
        if (!stored.empty()) {
            position = IntakePosition::decode(stored);
            if (!position)
                return Error{ErrorKind::kCorrupt, "the position of an import cannot be read"};
        }
        intake_ = std::make_unique<AudienceIntake>(campaign_, std::move(options), position);
        return {};
    }

    // False: stopped.
    Result<bool> read_rows() {
        AudienceImportSink sink(*import_);
        MissingValues looked_at(
            sink, [this]() -> const std::vector<std::string>& { return intake_->columns(); },
            [this](const std::vector<std::string>& columns) {
                return compile_campaign(campaign_, columns, nullptr);
            });
        const bool looks = campaign_.missing == MissingPolicy::kError;
        AudienceSink& rows = looks ? static_cast<AudienceSink&>(looked_at) : sink;
        while (intake_->state() == AudienceIntake::State::kReading) {
            missing_ = looked_at.errors();
            if (looked_at.rows() > kMissingRowsShown) return true;
            if (!options_.proceed(intake_->figures().rows)) {
                RETURN_IF_ERROR(checkpoint());
                return false;
            }
            intake_->read(rows, kRowsPerStep);
            if (import_->run_full()) RETURN_IF_ERROR(checkpoint());
        }
        missing_ = looked_at.errors();
        if (intake_->state() == AudienceIntake::State::kDone) RETURN_IF_ERROR(checkpoint());
        return true;
    }

    Status checkpoint() {
        const auto position = intake_->position();
        if (!position) return position.error();
        return import_->checkpoint(position->encode());
    }

    Result<ImportEnd> merge() {
        ImportObserver observer;
        observer.proceed = [this](std::uint64_t, std::uint64_t) {
            return options_.proceed(intake_->figures().rows);
        };
        const auto imported = import_->finish(observer);
        if (!imported) return imported.error();
        if (!*imported) return ImportEnd{false, record_, {}};
        if ((*imported)->recipients == 0) return nobody();
        record_.audience = intake_->figures();
        record_.audience.duplicate = (*imported)->duplicates;
        record_.audience.recipients = (*imported)->recipients;
        record_.lanes = (*imported)->lanes;
        record_.columns = intake_->columns();
        std::erase_if(record_.digests,
                      [](const auto& digest) { return digest.first == kListDigest; });
        record_.digests.emplace_back(std::string(kListDigest), intake_->list_digest());
        record_.state = CampaignState::kRunning;
        RETURN_IF_ERROR(CampaignCatalog(store_).update(record_));
        return ImportEnd{true, record_, {}};
    }

    Result<ImportEnd> nobody() {
        CampaignError error;
        error.path = "/recipients";
        error.code = CampaignErrorCode::kRecipientsEmpty;
        error.message = "nobody is left to send to: every row is invalid, suppressed or excluded";
        error.hint = "see " + record_.id + ".rejects.csv in the data directory";
        return give_up({error});
    }

    Result<ImportEnd> refused() { return give_up(intake_->errors()); }

    Result<ImportEnd> give_up(std::vector<CampaignError> errors) {
        RETURN_IF_ERROR(import_->discard());
        RETURN_IF_ERROR(purge(store_, record_));
        return ImportEnd{false, record_, std::move(errors)};
    }

    Store& store_;
    CampaignRecord record_;
    const Campaign& campaign_;
    const CampaignImportOptions& options_;
    StoredHistory history_;
    std::unique_ptr<AudienceImport> import_;
    std::unique_ptr<AudienceIntake> intake_;
    std::vector<CampaignError> missing_;  // values that rows lack
};

}  // namespace

Result<ImportEnd> import_campaign(Store& store, const CampaignRecord& record,
                                  const Campaign& campaign, const CampaignImportOptions& options) {
    return ListImport(store, record, campaign, options).run();
}

}  // namespace posthorn
