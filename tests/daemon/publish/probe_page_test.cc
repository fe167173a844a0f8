// SPDX-License-Identifier: Apache-2.0
// The page of one probe: what it says, and that text of others stays text.
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/publish/page_fixture.h"
#include "tests/daemon/results/a_role.h"

namespace canary::daemon::page {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kEvil[] = "<script>alert(1)</script>\"'{{version}}&";

TEST_F(Page, OfAProbeTellsWhatIsKnownOfIt) {
  auto& probe = add("demo");
  run(probe, {finding(Severity::warning)});
  auto const page = of_probe(probe);
  EXPECT_THAT(page, HasSubstr("demo: degraded"));
  EXPECT_THAT(page, HasSubstr("every 1m, within 10s"));
  EXPECT_THAT(page, HasSubstr("/incidents?since"));
}

TEST_F(Page, OfAProbeHasWhatWasOfItInNinetyDays) {
  auto& probe = add("demo");
  run(probe, {});
  EXPECT_THAT(of_probe(probe), Not(HasSubstr("90 days</h2>")));
  past_.days = {
      {.probe = "demo", .from = std::chrono::floor<std::chrono::days>(kNow), .runs = {9, 0, 1, 0}}};
  past_.runs = {{.ended = kNow - 2min, .duration = 50ms}, {.ended = kNow - 1min, .duration = 70ms}};
  past_.incidents.entries = {{.id = 1, .probe = "demo", .opened = kNow - 1h, .runs = 3}};
  auto const page = of_probe(probe);
  EXPECT_THAT(page, HasSubstr("90.0 % of 10 runs were well: 1 day with failures."));
  EXPECT_THAT(page, HasSubstr("day/2026-11-26\" tabindex=\"-1\""));
  EXPECT_THAT(page, HasSubstr("The upper edge is 70 ms"));
  EXPECT_THAT(page, HasSubstr("<h2>Incidents of 90 days</h2>"));
  EXPECT_THAT(page, HasSubstr("until now, 1 h; 3 failed runs"));
}

TEST_F(Page, OfAProbeHasAButtonForWhoeverMayRunIt) {
  auto& probe = add("a&b");
  EXPECT_THAT(of_probe(probe), Not(HasSubstr("<form")));
  EXPECT_THAT(of_probe(probe, true),
              HasSubstr("<form method=\"post\" action=\"/-/run?probe=a%26b\"><button>"));
  auto facts = probe.row().facts;
  facts.enabled = false;
  probe.reconfigured(facts);
  EXPECT_THAT(of_probe(probe, true), Not(HasSubstr("<form"))) << "what is paused is not run";
}

probes::Finding found(std::string_view check, std::string subject, std::string message,
                      Severity severity = Severity::ok) {
  return {.check = check,
          .subject = std::move(subject),
          .severity = severity,
          .reason = severity == Severity::ok ? probes::Reason::none : probes::Reason::timeout,
          .message = std::move(message)};
}

TEST_F(Page, OfAProbeHasEachStepOfTheLastRunWithItsVerdict) {
  auto& probe = add("demo");
  EXPECT_THAT(of_probe(probe), Not(HasSubstr("What the last run did"))) << "there was none";
  probes::Report report;
  report.findings = {
      found("root_chain", "root", "the pinned root 1 is the newest"),
      found("expiry", "timestamp", "expires 2026-11-27T02:00:00Z, in 1 day"),
      found("reachable", "https://host/snapshot.json", "no answer: timeout", Severity::unknown)};
  report.measurements.things = {
      a_role("root", 1, {.at = std::chrono::floor<std::chrono::seconds>(kNow + 24h * 90)}),
      a_role("timestamp", 42,
             {.at = std::chrono::floor<std::chrono::seconds>(kNow + 24h), .warning = 48h})};
  report.step = "fetching the snapshot";
  probe.finished(kNow - 10s, 47ms, std::move(report));
  auto const page = of_probe(probe);
  auto const steps = page.substr(page.find("What the last run did"));

  EXPECT_THAT(steps,
              HasSubstr("<span class=\"pill ok\">ok</span> <strong>chain of roots</strong>"));
  EXPECT_THAT(steps, HasSubstr("<p>the pinned root 1 is the newest</p>"));
  EXPECT_THAT(steps, HasSubstr("timestamp <b>v42</b> <time class=\"degraded\" "
                               "datetime=\"2026-11-27T02:00:00Z\">ends in 1 d</time>"));
  EXPECT_THAT(steps, Not(HasSubstr("expires 2026"))) << "it stands beside the version";
  EXPECT_THAT(steps, HasSubstr("<span class=\"pill unknown\">could not tell</span> "
                               "<strong>snapshot</strong>"));
  EXPECT_THAT(steps, HasSubstr("<p>https://host/snapshot.json: no answer: timeout</p>"));
  EXPECT_THAT(steps, HasSubstr("<span class=\"pill paused\">not reached</span> "
                               "<strong>targets</strong>"));
  EXPECT_THAT(steps, HasSubstr("It ended at fetching the snapshot"));
}

TEST_F(Page, OfAProbeHasTheDelegationsAsATree) {
  auto& probe = add("demo");
  probes::Report report;
  auto const add_role = [&](char const* name, char const* below) {
    auto& role = report.measurements.things.emplace_back(a_role(name, 3));
    role.below = below;
  };
  add_role("leaf", "bin");
  add_role("bin", "targets");
  add_role("other", "targets");
  add_role("one", "two");  // a circle
  add_role("two", "one");
  report.complete = true;
  probe.finished(kNow - 10s, 47ms, std::move(report));
  auto const page = of_probe(probe);
  std::size_t at = 0;
  for (auto const* const line :
       {"<li class=\"d0\">bin ", "<li class=\"d1\">leaf ", "<li class=\"d0\">other ",
        "<li class=\"d0\">one ", "<li class=\"d0\">two "}) {
    at = page.find(line, at);
    EXPECT_NE(at, std::string::npos) << line;
  }
}

TEST_F(Page, OfAProbeFoldsManyRolesAndSumsUpWhatIsSaidOfThem) {
  auto& probe = add("demo");
  probes::Report report;
  for (int i = 0; i < 20; ++i) {
    auto const name = "bin-" + std::to_string(i);
    report.measurements.things.push_back(a_role(name, 1));
    report.findings.push_back(found("signatures", name, "1 of 1 key signed, 1 needed"));
    report.findings.push_back(found("metadata", name, "a fault", Severity::warning));
  }
  report.findings.push_back(found("delegations", "", "20 delegated roles verified"));
  report.complete = true;
  probe.finished(kNow - 10s, 47ms, std::move(report));
  auto const page = of_probe(probe);
  auto const steps = page.substr(page.find("What the last run did"));
  EXPECT_THAT(steps, HasSubstr("<details><summary>20 are known</summary>"));
  EXPECT_THAT(steps, HasSubstr("and 18 further findings"));
  EXPECT_THAT(steps, Not(HasSubstr("1 of 1 key signed")));
}

TEST_F(Page, OfAProbeHasTheMirrorsOfItsRepositorySideBySide) {
  auto const see = [](History& probe, std::int64_t timestamp, std::int64_t snapshot) {
    probes::Report report;
    auto& things = report.measurements.things;
    things = {a_role("timestamp", timestamp,
                     {.at = std::chrono::floor<std::chrono::seconds>(kNow + 72h)}),
              a_role("snapshot", snapshot,
                     {.at = std::chrono::floor<std::chrono::seconds>(kNow + 720h)})};
    report.complete = true;
    probe.finished(kNow - 10s, 47ms, std::move(report));
  };
  auto& origin = add("origin");
  EXPECT_THAT(of_probe(origin), Not(HasSubstr("Mirrors side by side"))) << "there is but one";
  see(origin, 42, 7);
  see(add("other", "another repository"), 99, 99);
  auto& edge = add("edge");
  see(edge, 40, 7);
  past_.behind_since["edge"] = kNow - 12min;
  auto const page = of_probe(edge);
  auto const table = page.substr(page.find("Mirrors side by side"));

  EXPECT_THAT(table, HasSubstr("1 of 2 probes is behind."));
  EXPECT_THAT(table, HasSubstr("<th scope=\"col\">timestamp</th><th scope=\"col\">snapshot</th>"));
  EXPECT_THAT(table, HasSubstr("<tr class=\"own\"><th scope=\"row\"><strong>edge</strong>"));
  EXPECT_THAT(table, HasSubstr("<td>v40 <strong class=\"lag\">2 behind</strong></td><td>v7</td>"
                               "<td>12 min, since 01:48:00 UTC</td><td>timestamp in 3 d</td>"
                               "<td>10 s ago</td>"));
  EXPECT_THAT(table, HasSubstr("<a href=\"/probe/origin\">origin</a>"));
  EXPECT_THAT(table, HasSubstr("<td>v42</td><td>v7</td><td></td>"));
  EXPECT_THAT(table, Not(HasSubstr("/probe/other")));
}

TEST_F(Page, OfAProbeOfManyMirrorsShowsThoseBehindAndCountsTheRest) {
  for (int i = 0; i < 60; ++i) {
    probes::Report report;
    report.measurements.things = {a_role("timestamp", i == 59 ? 1 : 2)};
    add("m" + std::to_string(i)).finished(kNow - 10s, 47ms, std::move(report));
  }
  auto const page = of_probe(histories_[30]);
  EXPECT_THAT(page, HasSubstr("/probe/m59\"")) << "it is behind";
  EXPECT_THAT(page, HasSubstr("and 10 further probes"));
}

TEST_F(Page, OfAProbeSaysWhyThereIsNoNewsOfIt) {
  auto& probe = add("demo");
  EXPECT_THAT(of_probe(probe), HasSubstr("<p>No run of it has ended yet.</p>"));
  EXPECT_THAT(of_probe(probe), HasSubstr("No run has ended since the start."));
  run(probe, {});
  EXPECT_THAT(of_probe(probe), HasSubstr("Nothing is wrong with it, as far as the last run saw."));
  EXPECT_THAT(of_probe(probe), HasSubstr("1 run since the start; the last took 47 ms."));
  EXPECT_THAT(of_probe(probe), HasSubstr("1 ok of the last run."));
  own_.stalled = {"demo"};
  EXPECT_THAT(of_probe(probe), HasSubstr("Its run makes no progress"));
  EXPECT_THAT(of_probe(probe), Not(HasSubstr("Nothing is wrong with it")));
  auto facts = probe.row().facts;
  facts.enabled = false;
  probe.reconfigured(facts);
  EXPECT_THAT(of_probe(probe), HasSubstr("It is not run: enabled is false."));
}

TEST_F(Page, OfAProbeSaysThatCanarydItselfHangs) {
  auto& probe = add("demo");
  run(probe, {});
  own_.turns = false;
  own_.why = "the loop has not turned for 15 s";
  auto const page = of_probe(probe);
  EXPECT_LT(page.find("canaryd itself hangs: the loop has not turned"), page.find("demo: ok"));
  EXPECT_THAT(page, HasSubstr("<div class=\"frozen\">"));
}

TEST_F(Page, OfAProbeHasItsOwnConfigurationAsText) {
  auto& probe = add("demo");
  EXPECT_THAT(of_probe(probe), Not(HasSubstr("Its configuration")));
  config_ = std::string{"  - name: \"demo\"\n"} + kEvil;
  auto const page = of_probe(probe);
  EXPECT_THAT(page, HasSubstr("  - name: &quot;demo&quot;\n&lt;script&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
}

TEST_F(Page, OfAProbeKeepsTextOfOthersText) {
  auto& probe = add("demo");
  probes::Report report;
  report.findings = {found("root_chain", kEvil, kEvil, Severity::critical),
                     found("timestamp", kEvil, kEvil)};
  auto& role = report.measurements.things.emplace_back(a_role(kEvil, 3));
  role.below = std::string{"targets"} + kEvil;
  report.step = kEvil;
  report.step_url = kEvil;
  probe.finished(kNow - 10s, 47ms, std::move(report));
  run(add(kEvil), {});
  auto const page = of_probe(probe);
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("<th scope=\"col\">&lt;script&gt;")) << "a column of versions";
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\"><a href=\"/probe/%3Cscript%3E"));
  EXPECT_THAT(page, HasSubstr("\">&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("It ended at &lt;script&gt;"));
  EXPECT_THAT(page, HasSubstr("<li class=\"d0\">&lt;script&gt;"));
  EXPECT_THAT(page, HasSubstr("below targets&lt;script&gt;"));
}

}  // namespace
}  // namespace canary::daemon::page
