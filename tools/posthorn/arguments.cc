// Long because every option of every command stands here, and nowhere else.
#include "tools/posthorn/arguments.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>

#include "tools/posthorn/argument_checks.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/report.h"

namespace posthorn {

namespace {

// What the options of all commands are parsed into.
struct Parsed {
    Invocation invocation;
    std::string file, campaign, address, domain, token, reason, source, since, outcome, stage;
    std::string as, out, segment, doubted;
    std::vector<std::string> addresses, assignments, test_to;
    bool allow_outside = false, dns = false, follow = false, count = false, dry_run = false;
    std::string help_topic;
};

using Fill = std::function<void(const Parsed&, nlohmann::json&)>;

// One command after the other, each with its options and how they become a request.
class CommandLine {
  public:
    CommandLine() : app_("Posthorn: a campaign file in, one durable outcome per recipient out.") {
        app_.name("posthorn");
        app_.require_subcommand(1);
        app_.fallthrough();
        app_.set_help_flag("-h,--help", "this text");
        app_.set_version_flag("--version", "posthorn 0.1.0");
        Invocation& to = parsed_.invocation;
        app_.add_option("--data", to.data_directory, "data directory [./posthorn-data]")
            ->type_name("DIR");
        app_.add_option("--config", to.config_file, "configuration [./posthorn.json if there]")
            ->type_name("FILE");
        app_.add_flag("--json", to.json, "JSON on standard output; one object a line for lists");
        app_.add_flag("--quiet,-q", to.quiet, "no progress and no remarks");
        add_campaign_commands();
        add_record_commands();
        add_domain_commands();
        add_suppression_commands();
        add_other_commands();
        // Last, for commands take over what stands when they are made.
        app_.footer(
            "Options of all commands: --data DIR, --config FILE, --json, --quiet. Exit codes: 0 "
            "done, 1 failed (disk, "
            "port), 2 invalid input,\n3 stopped with work left: the same command goes on.");
    }

    std::variant<Invocation, UsageText> parse(std::vector<std::string> arguments) {
        std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
        try {
            app_.parse(arguments);
        } catch (const CLI::Success&) {  // --help or --version was asked for
            return UsageText{text_asked_for(), kDone};
        } catch (const CLI::ParseError& fault) {
            return UsageText{"posthorn: " + std::string(fault.what()) + "\n" + names_of_deepest() +
                                 " --help tells how to use it\n",
                             kInvalidInput};
        }
        const CLI::App* command = app_.get_subcommands().front();
        if (command->get_name() == "help") return help_of(parsed_.help_topic);
        return invocation_of(*command);
    }

  private:
    CLI::App* command(CLI::App* parent, const std::string& name, const std::string& text,
                      Fill fill) {
        CLI::App* made = parent->add_subcommand(name, text);
        made->fallthrough();
        made->set_help_flag("-h,--help", "this text");
        fills_.emplace_back(made, std::move(fill));
        return made;
    }
    CLI::App* command(const std::string& name, const std::string& text, Fill fill) {
        return command(&app_, name, text, std::move(fill));
    }

    static CLI::Option* file_option(CLI::App* command, std::string& to, const std::string& text) {
        return command->add_option("FILE", to, text)->required()->type_name("");
    }
    CLI::Option* campaign_option(CLI::App* command) {
        return command->add_option("ID", parsed_.campaign, "the campaign's id")->type_name("");
    }
    CLI::Option* domain_option(CLI::App* command) {
        return command->add_option("DOMAIN", parsed_.domain, "a recipient domain")
            ->required()
            ->type_name("");
    }
    void segment_option(CLI::App* command) {
        command
            ->add_option("--segment", parsed_.segment,
                         "only of recipients like these: \"vars.plan == 'pro'\"")
            ->type_name("CONDITION");
    }
    void outside_flag(CLI::App* command) {
        command->add_flag("--allow-outside", parsed_.allow_outside,
                          "files may lie outside the campaign file's directory");
    }

    void add_campaign_commands();
    void add_record_commands();
    void add_domain_commands();
    void doubted_flags(CLI::App* release);
    void add_suppression_commands();
    void add_other_commands();

    // "posthorn suppress add": as far as the arguments were understood.
    std::string names_of_deepest() const {
        const CLI::App* at = &app_;
        std::string names = app_.get_name();
        while (!at->get_subcommands().empty()) {
            at = at->get_subcommands().front();
            names += " " + at->get_name();
        }
        return names;
    }

    std::string text_asked_for() {
        const CLI::Option* version = app_.get_version_ptr();
        if (version != nullptr && version->count() > 0) return "posthorn 0.1.0\n";
        return app_.help();
    }

    UsageText help_of(const std::string& topic) {
        if (topic.empty())  // app_.help() would show the help of the command that was parsed: help
            return {app_.get_formatter()->make_help(&app_, "posthorn", CLI::AppFormatMode::Normal),
                    kDone};
        for (CLI::App* command : app_.get_subcommands({}))
            if (command->get_name() == topic) return {command->help("posthorn"), kDone};
        return {"posthorn: there is no command '" + topic + "'; posthorn help lists them\n",
                kInvalidInput};
    }

    std::variant<Invocation, UsageText> invocation_of(const CLI::App& command) {
        Invocation invocation = parsed_.invocation;
        invocation.command = command.get_name();
        invocation.config_given = app_.get_option("--config")->count() > 0;
        invocation.data_directory = absolute(invocation.data_directory);
        nlohmann::json request = {{"command", invocation.command}};
        for (const auto& [made, fill] : fills_)
            if (made->parsed()) fill(parsed_, request);
        // A person sees some of a report's domains; JSON has them all.
        if (!invocation.json && (request["command"] == "report" || request["command"] == "send"))
            request["domains"] = kDomainsShown;
        invocation.command = request["command"];  // send --dry-run is a check
        invocation.request = json_line(request);
        return invocation;
    }

    CLI::App app_;
    Parsed parsed_;
    std::vector<std::pair<CLI::App*, Fill>> fills_;
};

void CommandLine::add_campaign_commands() {
    const Fill with_file = [](const Parsed& parsed, nlohmann::json& request) {
        request["file"] = absolute(parsed.file);
        request["allow_outside"] = parsed.allow_outside;
    };
    const Fill with_campaign = [](const Parsed& parsed, nlohmann::json& request) {
        if (!parsed.campaign.empty()) request["campaign"] = parsed.campaign;
    };
    CLI::App* send = command("send", "check a campaign file, import its list, deliver, report",
                             [with_file](const Parsed& parsed, nlohmann::json& request) {
                                 with_file(parsed, request);
                                 if (!parsed.test_to.empty()) {
                                     request["test_to"] = parsed.test_to;
                                     request["as"] = parsed.as;
                                 }
                                 if (!parsed.dry_run) return;
                                 request["command"] = "check";
                                 request["count"] = true;
                             });
    file_option(send, parsed_.file, "the campaign file");
    outside_flag(send);
    CLI::Option* const dry_run =
        send->add_flag("--dry-run", parsed_.dry_run,
                       "check and count the whole list, say who would get it; queue nothing");
    CLI::Option* const test_to =
        send->add_option("--test-to", parsed_.test_to,
                         "send what one recipient would get to these addresses instead; the queue "
                         "is not touched")
            ->type_name("EMAIL")
            ->excludes(dry_run);
    send->add_option("--as", parsed_.as, "with --test-to: as this recipient [the list's first]")
        ->type_name("EMAIL")
        ->needs(test_to);
    send->footer(
        "Ctrl-C stops cleanly, a second one at once; the same command goes on where it "
        "stopped.\nA finished campaign is never sent again.");

    CLI::App* check = command("check", "everything that is wrong with a campaign file, at once",
                              [with_file](const Parsed& parsed, nlohmann::json& request) {
                                  with_file(parsed, request);
                                  request["dns"] = parsed.dns;
                                  if (parsed.count) request["count"] = true;
                              });
    file_option(check, parsed_.file, "the campaign file");
    outside_flag(check);
    check->add_flag("--count", parsed_.count,
                    "read the whole list and count who would get the campaign");
    check->add_flag("--dns", parsed_.dns, "ask DNS about the sender's domains, too");

    CLI::App* preview = command("preview", "the exact message that a recipient would get",
                                [with_file](const Parsed& parsed, nlohmann::json& request) {
                                    with_file(parsed, request);
                                    request["as"] = parsed.as;
                                    if (!parsed.out.empty()) request["out"] = absolute(parsed.out);
                                });
    file_option(preview, parsed_.file, "the campaign file");
    outside_flag(preview);
    preview->add_option("--as", parsed_.as, "as this recipient [the list's first]")
        ->type_name("EMAIL");
    preview->add_option("--out", parsed_.out, "write .eml files here [standard output]")
        ->type_name("DIR");

    campaign_option(command("status", "what is going on: all campaigns, or one", with_campaign));
    const std::pair<const char*, const char*> with_id[] = {
        {"report", "a campaign's figures by outcome, category and domain"},
        {"pause", "stop sending a campaign until resume; survives restarts"},
        {"resume", "go on with a paused campaign"},
        {"cancel", "give up whoever is still pending or deferred, for good"},
        {"purge", "delete the records of a finished or cancelled campaign"}};
    const Fill with_segment = [with_campaign](const Parsed& parsed, nlohmann::json& request) {
        with_campaign(parsed, request);
        if (!parsed.segment.empty()) request["segment"] = parsed.segment;
    };
    for (const auto& [name, text] : with_id) {
        CLI::App* made = command(name, text, with_segment);
        campaign_option(made)->required();
        if (std::string_view(name) == "report") segment_option(made);
    }

    CLI::App* set = command("set", "change a running campaign's throttle, retry or schedule",
                            [with_campaign](const Parsed& parsed, nlohmann::json& request) {
                                with_campaign(parsed, request);
                                request["assignments"] = parsed.assignments;
                            });
    campaign_option(set)->required();
    set->add_option("KEY=VALUE", parsed_.assignments, "throttle.rate=200/s, retry.max_attempts=5")
        ->required()
        ->type_name("")
        ->expected(1, 64);
}

void CommandLine::add_record_commands() {
    CLI::App* recipients =
        command("recipients", "one line per recipient of a campaign: what became of it",
                [](const Parsed& parsed, nlohmann::json& request) {
                    request["campaign"] = parsed.campaign;
                    if (!parsed.outcome.empty()) request["outcome"] = parsed.outcome;
                    if (!parsed.domain.empty()) request["domain"] = parsed.domain;
                    if (!parsed.segment.empty()) request["segment"] = parsed.segment;
                });
    campaign_option(recipients)->required();
    segment_option(recipients);
    recipients->add_option("--outcome", parsed_.outcome, "only these")
        ->type_name("OUTCOME")
        ->check(check_outcome);
    recipients->add_option("--domain", parsed_.domain, "only of this domain")->type_name("DOMAIN");
    recipients->add_flag("--csv", parsed_.invocation.csv, "as CSV");

    CLI::App* events = command("events", "the delivery log: every attempt and outcome in order",
                               [](const Parsed& parsed, nlohmann::json& request) {
                                   request["follow"] = parsed.follow;
                                   if (!parsed.campaign.empty())
                                       request["campaign"] = parsed.campaign;
                               });
    events->add_flag("--follow", parsed_.follow, "go on as they come, until Ctrl-C");
    events->add_option("--campaign", parsed_.campaign, "only of this campaign")->type_name("ID");
    events->add_flag("--csv", parsed_.invocation.csv, "as CSV");

    const Fill with_address = [](const Parsed& parsed, nlohmann::json& request) {
        request["address"] = parsed.address;
    };
    const std::pair<const char*, const char*> with_email[] = {
        {"trace", "everything known about one address"},
        {"forget", "erase everything about one address"}};
    for (const auto& [name, text] : with_email)
        command(name, text, with_address)
            ->add_option("EMAIL", parsed_.address, "the address")
            ->required()
            ->type_name("");
}

void CommandLine::add_domain_commands() {
    const Fill with_domain = [](const Parsed& parsed, nlohmann::json& request) {
        request["domain"] = parsed.domain;
        if (!parsed.reason.empty()) request["reason"] = parsed.reason;
        if (!parsed.doubted.empty()) request["suppressions"] = parsed.doubted;
    };
    const std::pair<const char*, const char*> names[] = {
        {"hold", "send nothing to a domain until release; survives restarts"},
        {"release", "end a domain's holds: an operator's, those by its replies, the brake"},
        {"flush", "try a domain's deferred recipients now"},
        {"explain", "a domain's MX, site, limits in force, and why it goes as it goes"}};
    for (const auto& [name, text] : names) {
        CLI::App* made = command(name, text, with_domain);
        domain_option(made);
        if (std::string_view(name) == "hold")
            made->add_option("--reason", parsed_.reason, "why, for status and reports")
                ->type_name("TEXT");
        if (std::string_view(name) == "release") doubted_flags(made);
    }
}

// What becomes of the suppressions that the brake has put in doubt.
void CommandLine::doubted_flags(CLI::App* release) {
    CLI::Option* undo = release->add_flag_callback(
        "--undo", [this] { parsed_.doubted = "undo"; },
        "take back the suppressions that the brake put in doubt");
    release
        ->add_flag_callback(
            "--confirm", [this] { parsed_.doubted = "confirm"; },
            "put them in force again; without either they stay in doubt, not in force")
        ->excludes(undo);
}

void CommandLine::add_suppression_commands() {
    CLI::App* suppress = command("suppress", "the list of addresses that get no mail",
                                 [](const Parsed&, nlohmann::json&) {});
    suppress->require_subcommand(1);
    const auto action = [this, suppress](const char* name, const char* text, Fill fill) {
        return command(suppress, name, text,
                       [name, fill](const Parsed& parsed, nlohmann::json& request) {
                           request["action"] = name;
                           fill(parsed, request);
                       });
    };
    CLI::App* add =
        action("add", "put addresses on it", [](const Parsed& parsed, nlohmann::json& request) {
            request["addresses"] = parsed.addresses;
            request["reason"] = parsed.reason.empty() ? "manual" : parsed.reason;
        });
    add->add_option("EMAIL", parsed_.addresses, "addresses")->required()->type_name("");
    add->add_option("--reason", parsed_.reason, "why [manual]")->type_name("TEXT");

    CLI::App* remove = action("remove", "take addresses off it, or all that one source put there",
                              [](const Parsed& parsed, nlohmann::json& request) {
                                  request["addresses"] = parsed.addresses;
                                  if (!parsed.source.empty()) request["source"] = parsed.source;
                                  if (!parsed.since.empty()) request["since"] = parsed.since;
                              });
    CLI::Option* emails =
        remove->add_option("EMAIL", parsed_.addresses, "addresses")->type_name("");
    CLI::Option* source =
        remove->add_option("--source", parsed_.source, "all from here: campaign:ID, import:FILE")
            ->type_name("SOURCE")
            ->excludes(emails);
    remove->add_option("--since", parsed_.since, "only since then: a time, or 2h for two hours ago")
        ->type_name("TIME")
        ->needs(source)
        ->check(check_time);
    remove->callback([this] {
        if (parsed_.addresses.empty() && parsed_.source.empty())
            throw CLI::RequiredError("EMAIL or --source");
    });

    CLI::App* list = action("list", "what is on it", [](const Parsed& parsed, nlohmann::json& to) {
        if (!parsed.source.empty()) to["source"] = parsed.source;
    });
    list->add_option("--source", parsed_.source, "only from here")->type_name("SOURCE");
    list->add_flag("--csv", parsed_.invocation.csv, "as CSV");

    CLI::App* import = action("import",
                              "put a file's addresses on it: CSV with a column email, or "
                              "one address a line",
                              [](const Parsed& parsed, nlohmann::json& request) {
                                  request["file"] = absolute(parsed.file);
                                  request["reason"] =
                                      parsed.reason.empty() ? "manual" : parsed.reason;
                              });
    file_option(import, parsed_.file, "the file");
    import->add_option("--reason", parsed_.reason, "for rows without a reason [manual]")
        ->type_name("TEXT");
    action("export", "all of it as CSV, as import reads it", [](const Parsed&, nlohmann::json&) {});
}

void CommandLine::add_other_commands() {
    command("unsubscribe", "verify an unsubscribe token and suppress its address",
            [](const Parsed& parsed, nlohmann::json& request) { request["token"] = parsed.token; })
        ->add_option("TOKEN", parsed_.token, "the token")
        ->required()
        ->type_name("");
    command("tls-results", "how TLS fared towards each domain, by day, in the words of RFC 8460",
            [](const Parsed&, nlohmann::json&) {});
    command("classify", "SMTP replies on standard input, category and action of each on output",
            [](const Parsed& parsed, nlohmann::json& request) { request["stage"] = parsed.stage; })
        ->add_option("--stage", parsed_.stage, "what they answered [as the line says]")
        ->type_name("STAGE")
        ->check(check_stage);
    command("serve", "own the data directory for good: resume campaigns, take commands",
            [](const Parsed&, nlohmann::json&) {});
    command("help", "this list, or what one command does", [](const Parsed&, nlohmann::json&) {})
        ->add_option("COMMAND", parsed_.help_topic, "the command")
        ->type_name("");
}

}  // namespace

std::variant<Invocation, UsageText> parse_arguments(const std::vector<std::string>& arguments) {
    return CommandLine().parse(arguments);
}

}  // namespace posthorn
