// Messages without a campaign file: bytes that are a function of recipient, sizes and date, with
// what breaks transports: lines that begin with dots, empty lines, long lines, eight-bit text. Some
// recipients cannot be rendered, some only turn out so when all of the message is wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/delivery/renderer.h"

namespace posthorn::sim {

struct MailSizes {
    std::uint32_t lines_max = 20;
    double long_share = 0;  // messages with a hundred times as many lines
    double eight_bit_share = 0;
    double unrenderable_share = 0;
};

class InventedMail final : public Renderer {
  public:
    InventedMail(CampaignNumber campaign, MailSizes sizes) : campaign_(campaign), sizes_(sizes) {}

    Status envelope(const RenderRequest& request, RenderedMessage& message) const override;
    Status render(const RenderRequest& request, RenderedMessage& message) const override;

    std::string sender() const { return "c" + std::to_string(campaign_) + "@news.test"; }
    bool renderable(std::string_view audience_key) const;

  private:
    void write(const RenderRequest& request, std::uint64_t shape, std::string& out) const;

    CampaignNumber campaign_;
    MailSizes sizes_;
};

// The date in a message made by InventedMail; 0: there is none.
std::int64_t date_of(std::string_view message);

}  // namespace posthorn::sim
