#include "campaigns/message_checks.h"

#include <algorithm>

#include "campaigns/content_checks.h"

namespace posthorn {
namespace {

constexpr std::size_t kReadableSamples = 25;  // what one template does wrong, few recipients show
constexpr std::size_t kRenderErrorsMax = 20;
constexpr std::uint64_t kRoleAccountsNamed = 3;

class MessageChecks {
  public:
    MessageChecks(const Campaign& campaign, const MessageRenderer& renderer)
        : campaign_(campaign), renderer_(renderer) {}

    // False: enough was found.
    bool look_at(const SampleRecipient& sample) {
        const RenderRequest request{sample.key, sample.row, {}, {}};
        const Status status = renderer_.render(request, message_);
        if (!status) {
            // A value that is missing was found where the list was read.
            if (!renderer_.complete(request)) return true;
            note(content_fault(sample, status.error().message));
            return ++render_errors_ < kRenderErrorsMax;
        }
        if (looked_at_++ >= kReadableSamples) return true;
        ReadableMessage readable;
        if (renderer_.readable(request, readable))
            for (CampaignError& problem :
                 check_readable(campaign_, readable, message_.bytes.size()))
                note(std::move(problem));
        return true;
    }

    std::vector<CampaignError> take_problems() { return std::move(problems_); }

  private:
    static CampaignError content_fault(const SampleRecipient& sample, const std::string& what) {
        CampaignError error;
        error.path = "/recipients";
        error.code = CampaignErrorCode::kMessageTooBig;
        error.message = "row " + std::to_string(sample.number) + ": " + what;
        error.hint = "shorten the row's values, for example with the filter truncate";
        return error;
    }

    void note(CampaignError problem) {
        if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end())
            problems_.push_back(std::move(problem));
    }

    const Campaign& campaign_;
    const MessageRenderer& renderer_;
    RenderedMessage message_;
    std::vector<CampaignError> problems_;
    std::size_t render_errors_ = 0, looked_at_ = 0;
};

}  // namespace

std::vector<CampaignError> check_messages(const Campaign& campaign, const MessageRenderer& renderer,
                                          const std::vector<SampleRecipient>& samples) {
    MessageChecks checks(campaign, renderer);
    for (const SampleRecipient& sample : samples)
        if (!checks.look_at(sample)) break;
    return checks.take_problems();
}

void RoleAccounts::look_at(std::string_view local, std::string_view domain) {
    if (!is_role_account(local) || ++count_ > kRoleAccountsNamed) return;
    first_.append(first_.empty() ? "" : ", ").append(local).append("@").append(domain);
}

std::vector<CampaignError> RoleAccounts::errors(const Campaign& campaign) const {
    if (count_ == 0 || campaign.kind != CampaignKind::kMarketing) return {};
    CampaignError warning;
    warning.path = "/recipients";
    warning.code = CampaignErrorCode::kRoleAccounts;
    warning.severity = Severity::kWarning;
    warning.message = std::to_string(count_) + " recipients are role accounts: " + first_ +
                      (count_ > kRoleAccountsNamed ? " …" : "");
    warning.hint = "nobody signed up with them: leave them out with `exclude`";
    return {warning};
}

}  // namespace posthorn
