using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Subjects;
using Monitoring.Data.Venues;
using Monitoring.Tests.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Tests.Recording;

public sealed class ResultJsonTests
{
    public static IEnumerable<Type> Kinds() => DataSubjects.All.SelectMany(subject => subject.RowTables).Select(table => table.Row);

    [Test]
    public void Every_kind_of_observation_has_its_name_in_json() =>
        Assert.That(typeof(Observation).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Observation))),
            Is.EquivalentTo(Kinds()));

    [TestCaseSource(nameof(Kinds))]
    public void Observation_comes_back_from_the_journal_to_the_last_digit(Type kind)
    {
        foreach (var variant in new[] { 0, 1, 2 })
        {
            var row = (Observation)Make(kind, variant)!;
            var entry = new ResultEntry(ResultSample.Of(
                "m", ManualClock.Noon.AddTicks(1), CheckOutcome.Succeeded, [ResultSample.Finding("r", "s", Severity.High)], ["r:*"], row));
            var back = ((ResultEntry)JournalEntry.Parse(entry.ToJson())).Result;
            Assert.That(back.Observations[0], Is.TypeOf(kind));
            foreach (var property in kind.GetProperties().Where(property => property.CanWrite))
                Assert.That(property.GetValue(back.Observations[0]), Is.EqualTo(property.GetValue(row)), property.Name);
            Assert.That(back.Run, Is.EqualTo(entry.Result.Run));
            Assert.That(new ResultEntry(back).ToJson(), Is.EqualTo(entry.ToJson()));
            Assert.That(entry.ToJson().AsSpan().IndexOfAny(JournalFormat.Begin, JournalFormat.End), Is.EqualTo(-1),
                "neither byte of the frame occurs in it");
        }
    }

    [Test]
    public void Record_of_an_earlier_version_is_read()
    {
        const string Record = """
            {"entry":"result","result":{"run":{"monitor":"hlp-vault","scheduled_at":"2026-11-21T12:00:00+00:00","trigger":"grid",
            "started_at":"2026-11-21T12:00:00+00:00","finished_at":"2026-11-21T12:00:01+00:00","outcome":"succeeded","observations":1,
            "findings":0,"error":null,"worker":"w/1"},"observations":[{"table":"hlp_vault_components","vault_address":"0xv",
            "component_address":"0xc","observed_at":"2026-11-21T12:00:00+00:00","account_value":1.50,"total_notional_usd":2,
            "unrealized_pnl":-0.1,"positions":3}],"findings":[],"unjudged":[]}}
            """;
        var row = ((ResultEntry)JournalEntry.Parse(Encoding.UTF8.GetBytes(Record))).Result.Observations.Single();
        Assert.That(row, Is.EqualTo(new HlpVaultComponent("0xv", "0xc", ManualClock.Noon, 1.50m, 2, -0.1m, 3)));
    }

    [Test]
    public void Kind_that_nobody_registered_is_refused_by_its_name()
    {
        var json = Encoding.UTF8.GetString(new ResultEntry(ResultSample.Of("m", ManualClock.Noon, CheckOutcome.Succeeded, [], [],
            new HlpVaultComponent("0xv", "0xc", ManualClock.Noon, 1, 1, 1, 1))).ToJson());
        json = json.Replace("hlp_vault_components", "moon_phases");
        var fault = Assert.Throws<JsonException>(() => JournalEntry.Parse(Encoding.UTF8.GetBytes(json)))!;
        Assert.That(fault.Message, Does.Contain("moon_phases"));
        Assert.That(
            () => new ResultEntry(ResultSample.Of("m", ManualClock.Noon, CheckOutcome.Succeeded, [], [], new MoonPhase(1))).ToJson(),
            Throws.InstanceOf<NotSupportedException>().With.Message.Contains(nameof(MoonPhase)));
    }

    [Test]
    public void Two_kinds_of_one_name_are_refused()
    {
        var type = JsonTypeInfo.CreateJsonTypeInfo<Observation>(JsonSerializerOptions.Default);
        RowTable[] tables = [new(typeof(object), typeof(MoonPhase), "x", false),
            new(typeof(object), typeof(HlpVaultComponent), "x", false)];
        Assert.That(() => ObservationJson.AddKinds(type, tables),
            Throws.InvalidOperationException.With.Message.EqualTo("the row types MoonPhase, HlpVaultComponent are all named 'x'"));
    }

    private sealed record MoonPhase(int Phase) : Observation;

    [Test]
    public void Finding_of_an_earlier_version_is_read()
    {
        const string record = """
            {"entry":"result","result":{"run":{"monitor":"inventory","scheduled_at":"2026-11-21T12:00:00+00:00","trigger":"grid",
            "started_at":"2026-11-21T12:00:00+00:00",
             "finished_at":"2026-11-21T12:00:00.02+00:00","outcome":"succeeded","observations":0,"findings":1,"error":null,"worker":"w"},
             "observations":[],"findings":[
              {"rule_id":"hlp.inventory","rule_version":1,"threat_type":"hlp_concentration","severity":"high","subject":"0xa:xyz:BTC",
              "title":"t","description":"d",
               "evidence":{"values":{"share_pct":31.5},"thresholds":{"high_pct":30},"arithmetic":["31.5 >= 30"]},
               "related_addresses":["0xa"],"estimated_loss_usd":null,
               "fingerprint":"hlp.inventory:0xa:xyz:BTC"}],"unjudged":["hlp.inventory:0xb:*"]}}
            """;
        var result = ((ResultEntry)JournalEntry.Parse(Encoding.UTF8.GetBytes(record))).Result;
        var finding = result.Findings.Single();
        Assert.That((finding.Fingerprint, finding.Subject, finding.IsHolding, finding.TransactionHash, finding.Labels.Count),
            Is.EqualTo(("hlp.inventory:0xa:xyz:BTC", EventSubject.Untyped("0xa:xyz:BTC"), false, (string?)null, 0)));
        Assert.That((result.Readings.Count, result.Measured.Count, finding.Measure), Is.EqualTo((0, 0, (FindingMeasure?)null)));

        const string outage = """
            {"entry":"outage","since":"2026-11-21T12:00:00+00:00","open":[{"event_id":"019aa6f5-0000-7000-8000-000000000000",
            "fingerprint":"r:s","monitor":"m","rule_id":"r",
             "rule_version":1,"threat_type":"t","severity":"high","status":"open","subject":"s","title":"t","description":"d",
             "indicators":"{}","related_addresses":[],
             "estimated_loss_usd":null,"occurrences":1,"clean_checks":0,"first_seen_at":"2026-11-21T12:00:00+00:00",
             "last_seen_at":"2026-11-21T12:00:00+00:00",
             "judged_at":"2026-11-21T12:00:00+00:00","acknowledged_at":null,"acknowledged_by":null,"resolved_at":null,"resolution":null}]}
            """;
        var open = ((OutageEntry)JournalEntry.Parse(Encoding.UTF8.GetBytes(outage))).Known.Single();
        Assert.That((open.Subject, open.SubjectKind, open.Labels, open.Covers, open.NotifiedAt, open.Measure, open.WorstAt),
            Is.EqualTo(("s", (string?)null, "{}", (string[]?)null, (DateTimeOffset?)null, (string?)null, (DateTimeOffset?)null)));
    }

    [Test]
    public void Everything_of_a_finding_and_what_was_read_comes_back_from_the_journal()
    {
        var finding = ResultSample.Finding("r", "s", Severity.High) with
        {
            Subject = new EventSubject("pool", "0xf", "0xa", "base"), IsHolding = true, TransactionHash = "0x1",
            Measure = new FindingMeasure("share_pct", 31.50m, "%", 30),
                Labels = new Dictionary<string, string> { ["token"] = "é\n" },
        };
        var entry = new ResultEntry(ResultSample.Of("m", ManualClock.Noon, CheckOutcome.Succeeded, [finding], []) with
        {
            Readings = [new SourceProgress("blocks", [new PositionRange(1, long.MaxValue)])],
            Measured = new Dictionary<string, decimal> { ["r:é"] = 0.1234567890123456789m },
        });
        var back = ((ResultEntry)JournalEntry.Parse(entry.ToJson())).Result;
        Assert.That(new ResultEntry(back).ToJson(), Is.EqualTo(entry.ToJson()));
        Assert.That((back.Findings[0].Subject, back.Findings[0].IsHolding, back.Findings[0].TransactionHash,
            back.Findings[0].Labels["token"]), Is.EqualTo((finding.Subject, true, "0x1", "é\n")));
        Assert.That((back.Findings[0].Measure, back.Measured["r:é"]), Is.EqualTo((finding.Measure, 0.1234567890123456789m)));
        Assert.That(back.Readings[0].Read, Is.EqualTo(new[] { new PositionRange(1, long.MaxValue) }));
    }

    // Values that are easily lost: many digits, trailing zeros, ticks, characters that JSON escapes; and nothing at
    // all where that is allowed.
    private static object? Make(Type type, int variant)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return variant == 1 ? null : Make(inner, variant);
        if (type == typeof(decimal))
            return variant == 0 ? 0.1234567890123456789012345678m : variant == 1 ? -123456789012345678901234.6700m : decimal.MaxValue;
        if (type == typeof(DateTimeOffset))
            return ManualClock.Noon.AddTicks(1234567 + variant);
        if (type == typeof(string))
            return variant == 0 ? "0xAbC \"quoted\" \n\u001e\\ <é漢😀>" : variant == 1 ? "" : "plain";
        if (type == typeof(bool))
            return variant == 1;
        if (type.IsEnum)
            return Enum.GetValues(type).GetValue(Math.Min(variant, Enum.GetValues(type).Length - 1));
        if (type.IsPrimitive)
            return Convert.ChangeType(variant == 2 ? 1 : 120 + variant, type);
        if (type.IsArray || (type.IsGenericType && type.IsAssignableTo(typeof(System.Collections.IEnumerable))))
        {
            var element = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[0];
            var items = Array.CreateInstance(element, variant == 1 ? 0 : 2);
            for (var i = 0; i < items.Length; i++)
                items.SetValue(Make(element, variant), i);
            return items;
        }

        var constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter => Make(parameter.ParameterType, variant))]);
    }
}
