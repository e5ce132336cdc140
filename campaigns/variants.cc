#include "campaigns/variants.h"

#include <algorithm>
#include <cmath>

#include "campaigns/campaign_content.h"
#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace posthorn {

namespace {

constexpr std::size_t kCampaignBytes = 4;  // of an audience key: the campaign's number

class VariantRenderer final : public MessageRenderer {
  public:
    VariantRenderer(VariantChoice choice,
                    std::vector<std::shared_ptr<const MessageRenderer>> renderers)
        : choice_(std::move(choice)), renderers_(std::move(renderers)) {}

    Status envelope(const RenderRequest& request, RenderedMessage& message) const override {
        return chosen(request).envelope(request, message);
    }
    Status render(const RenderRequest& request, RenderedMessage& message) const override {
        return chosen(request).render(request, message);
    }
    Status readable(const RenderRequest& request, ReadableMessage& message) const override {
        return chosen(request).readable(request, message);
    }
    Status complete(const RenderRequest& request) const override {
        return chosen(request).complete(request);
    }

  private:
    const MessageRenderer& chosen(const RenderRequest& request) const {
        return *renderers_[choice_.of(request.audience_key)];
    }

    VariantChoice choice_;
    std::vector<std::shared_ptr<const MessageRenderer>> renderers_;  // by variant
};

// Weights count in thousandths.
std::uint64_t shares_of(double weight) {
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(weight * 1000)));
}

// "/subject" of the variant where it has one of its own.
std::string path_in_variant(const std::string& path, const Variant& variant, std::size_t index) {
    const std::string prefix = "/variants/" + std::to_string(index);
    const bool own =
        (path == "/subject" && variant.subject) || (path == "/preheader" && variant.preheader) ||
        (path == "/html" && variant.html.present()) || (path == "/text" && variant.text_source);
    if (!own) return path;
    const bool from_file = (path == "/html" && !variant.html.file.empty()) ||
                           (path == "/text" && !variant.text.file.empty());
    return prefix + path + (from_file ? "_file" : "");
}

// Hints may differ: variants have variables of their own.
bool known(const std::vector<CampaignError>& problems, const CampaignError& problem) {
    return std::any_of(problems.begin(), problems.end(), [&](const CampaignError& other) {
        return other.path == problem.path && other.code == problem.code &&
               other.message == problem.message && other.line == problem.line &&
               other.column == problem.column;
    });
}

}  // namespace

VariantChoice::VariantChoice(const Campaign& campaign) : seed_(hash64(campaign.id)) {
    std::uint64_t sum = 0;
    for (const Variant& variant : campaign.variants)
        bounds_.push_back(sum += variant.weight > 0 ? shares_of(variant.weight) : 0);
    CHECK(sum > 0);
}

std::size_t VariantChoice::of(std::string_view audience_key) const {
    const std::uint64_t share =
        hash64(audience_key.substr(std::min(kCampaignBytes, audience_key.size())), seed_) %
        bounds_.back();
    return static_cast<std::size_t>(std::upper_bound(bounds_.begin(), bounds_.end(), share) -
                                    bounds_.begin());
}

Campaign with_variant(const Campaign& campaign, const Variant& variant) {
    Campaign out = campaign;
    out.variants.clear();
    if (variant.from) out.from = *variant.from;
    if (variant.subject) out.subject = *variant.subject;
    if (variant.preheader) out.preheader = *variant.preheader;
    if (variant.html.present()) {
        out.html = variant.html;
        // A campaign of text alone gets its HTML's text beside it.
        if (out.text_source == TextSource::kNone && !campaign.html.present())
            out.text_source = TextSource::kAuto;
    }
    if (variant.text_source) {
        out.text_source = *variant.text_source;
        out.text = variant.text;
    }
    for (const TemplateConstant& var : variant.vars) {
        const auto at = std::lower_bound(
            out.vars.begin(), out.vars.end(), var,
            [](const TemplateConstant& a, const TemplateConstant& b) { return a.name < b.name; });
        if (at != out.vars.end() && at->name == var.name)
            *at = var;
        else
            out.vars.insert(at, var);
    }
    return out;
}

CompiledContent compile_campaign(const Campaign& campaign, const std::vector<std::string>& columns,
                                 const TokenKeys* keys, const MessageIdentity& identity) {
    const auto compile = [&](const Campaign& of) {
        MessageContent content = message_content(of, columns);
        content.signer = identity.signer;
        content.return_paths = identity.return_paths;
        return compile_content(content, keys);
    };
    if (campaign.variants.empty()) return compile(campaign);
    CompiledContent out;
    std::vector<std::shared_ptr<const MessageRenderer>> renderers;
    for (std::size_t i = 0; i < campaign.variants.size(); ++i) {
        const Variant& variant = campaign.variants[i];
        CompiledContent compiled = compile(with_variant(campaign, variant));
        for (CampaignError& problem : compiled.problems) {
            problem.path = path_in_variant(problem.path, variant, i);
            if (!known(out.problems, problem)) out.problems.push_back(std::move(problem));
        }
        renderers.push_back(std::move(compiled.renderer));
    }
    if (!has_errors(out.problems))
        out.renderer =
            std::make_shared<VariantRenderer>(VariantChoice(campaign), std::move(renderers));
    return out;
}

}  // namespace posthorn
