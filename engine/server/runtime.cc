// Long because all threads are born and all mailboxes meet here, and nowhere else.
#include "engine/server/runtime.h"

#include <pthread.h>

#include <algorithm>
#include <thread>

#include "engine/base/check.h"
#include "engine/delivery/reader.h"
#include "engine/net/mailbox.h"
#include "engine/net/resolver.h"
#include "engine/net/sts_finder.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "engine/server/free_disk.h"
#include "engine/server/sender_thread.h"

namespace posthorn {

namespace {

constexpr Duration kViewEvery = std::chrono::milliseconds(100);
constexpr Duration kDiskCheckEvery = std::chrono::seconds(1);

// Group commit: the journal waits so long for company, or for so many entries.
constexpr Duration kCommitLinger = std::chrono::milliseconds(2);
constexpr std::size_t kCommitEnough = 512;

// More than can be under way at once, so that no push between roles can fail: each recipient in
// flight has at most a few messages in any mailbox, each session too.
std::size_t mailbox_size(const DeliveryLimits& limits) {
    return 8 * (std::size_t{limits.in_flight_max} + limits.sweep_in_flight_max +
                limits.connections_max + limits.lanes_open_max) +
           65'536;
}

}  // namespace

// Everything that lives while the roles are at work. Members are declared in the order of their
// making.
class Runtime::Threads {
  public:
    Threads(RuntimeOptions options, Store& store, std::shared_ptr<const Classifier> classifier,
            PlanBuilder plan_builder);
    ~Threads();

    Status prepare();
    Status run();
    void turn_ended();
    void add_campaign(const CampaignRecord& record, const std::function<void(Status)>& done);
    Status make_ready(const CampaignRun& run);
    void abort_senders();
    void publish();

    RuntimeOptions options_;
    Store& store_;
    PlanBuilder plan_builder_;
    Loop loop_;
    std::function<void(const RuntimeView&)> on_view_;
    std::unique_ptr<Journal> journal_;
    std::unique_ptr<Scheduler> scheduler_;
    std::unique_ptr<Resolver> resolver_;
    std::unique_ptr<StsFinder> sts_;  // null: nobody asks

  private:
    void take_mail();
    void dispatch();
    void resolve(const ResolveDomain& question);
    void hosts_found(const std::string& domain, MailHosts hosts);
    Status make_resolver(Random& random);
    void journal_loop();
    void reader_loop();
    void watch_disk();
    Status make_senders();
    Status load_campaigns();
    Status load_holds();
    Status load_peers();
    Status load_shaping();
    Status load_tls();
    Status load_site_holds();
    Status load_paces();
    Status restore_all(std::string_view kind,
                       const std::function<bool(std::string_view, std::string_view)>& restore);
    void join();

    std::shared_ptr<const Classifier> classifier_;
    Wake mail_;
    Mailbox<SenderReport> sender_reports_;
    Mailbox<JournalReport> journal_reports_;
    Mailbox<ReaderAnswer> reader_answers_;
    Mailbox<JournalEntry> journal_entries_;
    Mailbox<ReaderRequest> reader_requests_;
    std::vector<SenderReport> taken_sender_reports_;
    std::vector<JournalReport> taken_journal_reports_;
    std::vector<ReaderAnswer> taken_reader_answers_;
    std::vector<std::vector<SenderOrder>> orders_;  // by sender, of one dispatch
    std::vector<ResolveDomain> postponed_questions_;
    std::vector<std::unique_ptr<SenderThread>> senders_;
    Timer deadline_;
    Timer view_timer_;
    Timer disk_timer_;
    TurnEnd turn_end_;
    std::thread journal_thread_;
    std::thread reader_thread_;
    std::vector<Notice> notices_;
    std::string trouble_;
    Status failure_;
    bool running_ = false;
};

Runtime::Threads::Threads(RuntimeOptions options, Store& store,
                          std::shared_ptr<const Classifier> classifier, PlanBuilder plan_builder)
    : options_(std::move(options)),
      store_(store),
      plan_builder_(std::move(plan_builder)),
      classifier_(std::move(classifier)),
      mail_(loop_, [this] { take_mail(); }),
      sender_reports_(mailbox_size(options_.limits), &mail_),
      journal_reports_(mailbox_size(options_.limits), &mail_),
      reader_answers_(mailbox_size(options_.limits), &mail_),
      journal_entries_(mailbox_size(options_.limits)),
      reader_requests_(mailbox_size(options_.limits)),
      orders_(options_.senders),
      deadline_(loop_, [this] { scheduler_->deadline_passed(loop_.now()); }),
      view_timer_(loop_,
                  [this] {
                      publish();
                      view_timer_.arm(loop_.now().instant + kViewEvery);
                  }),
      disk_timer_(loop_,
                  [this] {
                      watch_disk();
                      disk_timer_.arm(loop_.now().instant + kDiskCheckEvery);
                  }),
      turn_end_(loop_, [this] { turn_ended(); }) {}

Runtime::Threads::~Threads() { join(); }

// Senders first, so that nobody reports any more; then the journal with all it was given; then the
// reader.
void Runtime::Threads::join() {
    senders_.clear();
    journal_entries_.close();
    if (journal_thread_.joinable()) journal_thread_.join();
    reader_requests_.close();
    if (reader_thread_.joinable()) reader_thread_.join();
}

Status Runtime::Threads::prepare() {
    const auto hold = [this](CampaignNumber campaign) {
        const auto stored = store_.get(Family::kCampaign, campaign_number_key(campaign));
        if (!stored || !*stored) return false;
        const auto record = decode_campaign(**stored);
        if (!record) return false;
        const auto plan = plan_builder_(*record);
        return plan.has_value() && plan->retry.hold_uncertain;
    };
    auto journal = Journal::open(store_, loop_.now().wall, hold);
    if (!journal) return journal.error();
    journal_ = std::move(*journal);

    Random random(options_.seed);
    RETURN_IF_ERROR(make_resolver(random));
    scheduler_ =
        std::make_unique<Scheduler>(options_.limits, options_.sources, options_.senders,
                                    journal_->recovery().next_lease, Random(random.next()));
    scheduler_->set_shaping(options_.shaping);
    RETURN_IF_ERROR(make_senders());
    RETURN_IF_ERROR(load_holds());
    RETURN_IF_ERROR(load_peers());
    RETURN_IF_ERROR(load_shaping());
    RETURN_IF_ERROR(load_site_holds());
    RETURN_IF_ERROR(load_paces());
    RETURN_IF_ERROR(load_tls());
    return load_campaigns();
}

Status Runtime::Threads::make_resolver(Random& random) {
    ResolverOptions resolver;
    resolver.servers = options_.dns_servers;
    resolver.trust = options_.dns_trust;
    resolver.ipv6 = std::any_of(options_.sources.begin(), options_.sources.end(),
                                [](const Source& s) { return s.address && s.address->is_v6(); });
    // A definite "no" is to be asked for again, not remembered, when it is confirmed.
    resolver.negative_ttl_max =
        std::min(resolver.negative_ttl_max, options_.limits.dns_confirm_after / 2);
    resolver.ttl_min = std::min(resolver.ttl_min, resolver.negative_ttl_max);
    auto created = Resolver::create(loop_, resolver, Random(random.next()));
    if (!created) return created.error();
    resolver_ = std::move(*created);
    if (!options_.mta_sts || options_.limits.tls == TlsMode::kOff) return {};
    StsOptions sts;
    sts.trust_pem = options_.trust_pem;
    sts.port = options_.mta_sts_port;
    sts.ipv6 = resolver.ipv6;
    sts.allow_private_addresses = options_.limits.allow_private_addresses;
    auto finder = StsFinder::create(loop_, *resolver_, std::move(sts));
    if (!finder) return finder.error();
    sts_ = std::move(*finder);
    return {};
}

Status Runtime::Threads::make_senders() {
    for (std::uint32_t i = 0; i < options_.senders; ++i) {
        auto tls = TlsClient::create(options_.trust_pem);
        if (!tls) return tls.error();
        senders_.push_back(
            std::make_unique<SenderThread>(options_.sender, classifier_, std::move(*tls),
                                           mailbox_size(options_.limits), sender_reports_));
    }
    return {};
}

// Goes through the records of one kind; what restore no longer wants goes.
Status Runtime::Threads::restore_all(
    std::string_view kind, const std::function<bool(std::string_view, std::string_view)>& restore) {
    const std::string prefix = state_prefix(kind);
    auto cursor = store_.cursor(Family::kState, prefix, prefix_end(prefix));
    WriteBatch expired;
    for (cursor->seek(prefix); cursor->valid(); cursor->next())
        if (!restore(cursor->key().substr(prefix.size()), cursor->value()))
            expired.erase(Family::kState, cursor->key());
    RETURN_IF_ERROR(cursor->status());
    return expired.empty() ? Status() : store_.write(expired, Store::Sync::kRelaxed);
}

// What hosts mishandled.
Status Runtime::Threads::load_peers() {
    const WallTime now = loop_.now().wall;
    return restore_all(kPeerKind, [&](std::string_view host, std::string_view stored) {
        return scheduler_->peer_restored(std::string(host), stored, now);
    });
}

// Policies of domains, and how TLS fared.
Status Runtime::Threads::load_tls() {
    const WallTime now = loop_.now().wall;
    RETURN_IF_ERROR(
        restore_all(kTlsResultsKind, [&](std::string_view key, std::string_view stored) {
            return scheduler_->tls_results_restored(key, stored, now);
        }));
    if (sts_ == nullptr) return {};
    return restore_all(kStsKind, [&](std::string_view domain, std::string_view stored) {
        return sts_->restored(std::string(domain), stored, now);
    });
}

// What was used of the providers' rates.
Status Runtime::Threads::load_shaping() {
    const Now now = loop_.now();
    return restore_all(kShapingKind, [&](std::string_view key, std::string_view stored) {
        return scheduler_->shaping_restored(key, stored, now);
    });
}

Status Runtime::Threads::load_site_holds() {
    const Now now = loop_.now();
    return restore_all(kSiteHoldKind, [&](std::string_view key, std::string_view stored) {
        return scheduler_->site_hold_restored(key, stored, now);
    });
}

// How fast sites took mail.
Status Runtime::Threads::load_paces() {
    const Now now = loop_.now();
    return restore_all(kPaceKind, [&](std::string_view key, std::string_view stored) {
        return scheduler_->pace_restored(key, stored, now);
    });
}

// What operators hold.
Status Runtime::Threads::load_holds() {
    const std::string prefix = state_prefix("hold");
    auto cursor = store_.cursor(Family::kState, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next())
        scheduler_->hold_restored(std::string(cursor->key().substr(prefix.size())),
                                  std::string(cursor->value()));
    return cursor->status();
}

Status Runtime::Threads::load_campaigns() {
    auto cursor =
        store_.cursor(Family::kCampaign, kCampaignNumberPrefix, prefix_end(kCampaignNumberPrefix));
    for (cursor->seek(kCampaignNumberPrefix); cursor->valid(); cursor->next()) {
        const auto record = decode_campaign(cursor->value());
        if (!record) return record.error();
        if (record->finished != WallTime() || record->state == CampaignState::kImporting) continue;
        Status added;
        add_campaign(*record, [&](Status status) { added = std::move(status); });
        RETURN_IF_ERROR(added);
    }
    return cursor->status();
}

void Runtime::Threads::add_campaign(const CampaignRecord& record,
                                    const std::function<void(Status)>& done) {
    if (const CampaignRun* run = scheduler_->campaign(record.number)) return done(make_ready(*run));
    auto plan = plan_builder_(record);
    if (!plan) return done(plan.error());
    std::string key;
    put_u32(key, record.number);
    const auto cursor = store_.get(Family::kState, state_key("cursor", key));
    if (!cursor) return done(cursor.error());
    const auto figures = store_.get(Family::kState, state_key("figures", key));
    if (!figures) return done(figures.error());
    Figures recorded;
    if (*figures) {
        auto decoded = decode_figures(**figures);
        if (!decoded) return done(decoded.error());
        recorded = *decoded;
    }
    scheduler_->campaign_added(std::move(*plan), recorded, loop_.now());
    if (*cursor) scheduler_->cursor_known(record.number, **cursor);
    done({});
}

// A key may be there again that was missing when the campaign was loaded.
Status Runtime::Threads::make_ready(const CampaignRun& run) {
    if (run.plan.unready.empty()) return {};
    auto plan = plan_builder_(run.plan.record);
    if (!plan) return plan.error();
    if (!plan->unready.empty()) return Error{ErrorKind::kConflict, plan->unready};
    scheduler_->campaign_ready(run.plan.record.number, std::move(plan->renderer));
    return {};
}

Status Runtime::Threads::run() {
    CHECK(scheduler_ != nullptr);
    running_ = true;
    journal_thread_ = std::thread([this] { journal_loop(); });
    pthread_setname_np(journal_thread_.native_handle(), "journal");
    reader_thread_ = std::thread([this] { reader_loop(); });
    pthread_setname_np(reader_thread_.native_handle(), "reader");
    for (auto& sender : senders_) sender->start();
    view_timer_.arm(loop_.now().instant);
    disk_timer_.arm(loop_.now().instant);
    loop_.run();
    join();
    publish();
    running_ = false;
    return failure_;
}

void Runtime::Threads::take_mail() {
    sender_reports_.take(taken_sender_reports_);
    for (SenderReport& report : taken_sender_reports_)
        scheduler_->sender_reported(std::move(report), loop_.now());
    taken_sender_reports_.clear();
    journal_reports_.take(taken_journal_reports_);
    for (JournalReport& report : taken_journal_reports_) {
        if (const auto* failed = std::get_if<JournalFailed>(&report)) failure_ = failed->error;
        scheduler_->journal_reported(std::move(report), loop_.now());
    }
    taken_journal_reports_.clear();
    reader_answers_.take(taken_reader_answers_);
    for (ReaderAnswer& answer : taken_reader_answers_) {
        if (const auto* failed = std::get_if<ReadFailed>(&answer)) failure_ = failed->error;
        scheduler_->reader_answered(std::move(answer), loop_.now());
    }
    taken_reader_answers_.clear();
}

// After all callbacks of a turn: the scheduler decides, and its orders go out.
void Runtime::Threads::turn_ended() {
    if (!running_) return;
    dispatch();
    deadline_.arm(scheduler_->deadline(loop_.now()));
    if (scheduler_->stopped()) loop_.stop();
}

void Runtime::Threads::dispatch() {
    SchedulerOutput& output = scheduler_->settle(loop_.now());
    if (!output.reader.empty()) CHECK(reader_requests_.try_push_all(output.reader));
    if (!output.journal.empty()) CHECK(journal_entries_.try_push_all(output.journal));
    for (auto& [sender, order] : output.senders) orders_[sender].push_back(std::move(order));
    for (std::size_t i = 0; i < orders_.size(); ++i) {
        if (orders_[i].empty()) continue;
        CHECK(senders_[i]->orders().try_push_all(orders_[i]));
        orders_[i].clear();
    }
    for (const ResolveDomain& question : std::exchange(postponed_questions_, {})) resolve(question);
    for (const ResolveDomain& question : output.resolver) resolve(question);
    const bool news = !output.notices.empty();
    for (Notice& notice : output.notices) notices_.push_back(std::move(notice));
    output.clear();
    if (news) publish();
}

void Runtime::Threads::resolve(const ResolveDomain& question) {
    const bool asked = resolver_->lookup_mail_hosts(
        question.domain,
        [this, question](MailHosts hosts) { hosts_found(question.domain, std::move(hosts)); });
    if (!asked) postponed_questions_.push_back(question);
}

// Where there are some, the domain may say which of them are its own.
void Runtime::Threads::hosts_found(const std::string& domain, MailHosts hosts) {
    if (sts_ == nullptr || hosts.verdict != DnsVerdict::kFound) {
        scheduler_->domain_resolved({domain, std::move(hosts)}, loop_.now());
        return;
    }
    sts_->find(domain, [this, domain, hosts = std::move(hosts)](StsFound found) {
        if (found.record) scheduler_->record_state(std::move(*found.record));
        scheduler_->domain_resolved({domain, hosts, std::move(found.policy), found.failure},
                                    loop_.now());
    });
}

void Runtime::Threads::journal_loop() {
    std::vector<JournalEntry> entries;
    bool failed = false;
    while (journal_entries_.wait(entries, kCommitLinger, kCommitEnough)) {
        if (failed) continue;
        const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
        auto committed = journal_->commit(entries, WallTime(now.time_since_epoch()));
        if (!committed) {
            failed = true;
            CHECK(journal_reports_.try_push(JournalFailed{committed.error()}));
            continue;
        }
        for (JournalEntry& entry : entries)
            if (auto* grant = std::get_if<GrantLease>(&entry))
                CHECK(senders_[grant->sender]->orders().try_push(
                    SenderOrder(std::move(grant->lease))));
        CHECK(journal_reports_.try_push(std::move(*committed)));
    }
    if (failed) return;
    if (const Status last = journal_->checkpoint(); !last) failure_ = last;
}

void Runtime::Threads::reader_loop() {
    const Reader reader(store_);
    std::vector<ReaderRequest> requests;
    while (reader_requests_.wait(requests))
        for (const ReaderRequest& request : requests)
            CHECK(reader_answers_.try_push(reader.answer(request)));
}

void Runtime::Threads::watch_disk() {
    const double free = free_disk_percent(options_.directory);
    if (free < options_.free_disk_percent_min && scheduler_->suspended().empty()) {
        trouble_ = words_for_little_room(options_.free_disk_percent_min);
        scheduler_->suspend(trouble_);
    } else if (free >= options_.free_disk_percent_min && !scheduler_->suspended().empty()) {
        trouble_.clear();
        scheduler_->go_on();
    }
}

void Runtime::Threads::publish() {
    if (!on_view_ || scheduler_ == nullptr) return;
    const Now now = loop_.now();
    RuntimeView view{now, scheduler_->status(now), {}, std::exchange(notices_, {}), trouble_};
    if (!failure_) view.trouble = failure_.error().message;
    for (CampaignNumber number : scheduler_->campaigns()) {
        const CampaignRun& run = *scheduler_->campaign(number);
        CampaignView campaign{run.plan.record, run.figures, run.in_flight, run.waits_until()};
        if (run.active_since) campaign.record.active += now.instant - *run.active_since;
        view.campaigns.push_back(std::move(campaign));
    }
    on_view_(view);
}

void Runtime::Threads::abort_senders() {
    for (auto& sender : senders_) sender->abort();
}

Runtime::Runtime(RuntimeOptions options, Store& store, std::shared_ptr<const Classifier> classifier,
                 PlanBuilder plan_builder)
    : threads_(std::make_unique<Threads>(std::move(options), store, std::move(classifier),
                                         std::move(plan_builder))) {}

Runtime::~Runtime() = default;

Status Runtime::prepare() { return threads_->prepare(); }
Status Runtime::run() { return threads_->run(); }

void Runtime::stop() {
    threads_->loop_.post([this] { threads_->scheduler_->stop(threads_->loop_.now()); });
}

void Runtime::abort() {
    threads_->loop_.post([this] {
        threads_->scheduler_->stop(threads_->loop_.now());
        threads_->abort_senders();
    });
}

void Runtime::post(std::function<void(Scheduler&, Now)> action) {
    threads_->loop_.post([this, action = std::move(action)] {
        action(*threads_->scheduler_, threads_->loop_.now());
    });
}

void Runtime::add_campaign(const CampaignRecord& record, std::function<void(Status)> done) {
    threads_->loop_.post([this, record, done = std::move(done)] {
        threads_->add_campaign(record, done);
        threads_->publish();
    });
}

Loop& Runtime::loop() { return threads_->loop_; }
JournalRecovery Runtime::recovery() const { return threads_->journal_->recovery(); }

void Runtime::on_view(std::function<void(const RuntimeView&)> callback) {
    threads_->on_view_ = std::move(callback);
}

}  // namespace posthorn
