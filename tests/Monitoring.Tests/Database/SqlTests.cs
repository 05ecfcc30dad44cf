using System.Reflection;
using System.Text.RegularExpressions;
using Dapper;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Tests.Database;

/// <summary>Every statement of the data layer is planned by a real PostgreSQL on the newest schema.</summary>
public sealed partial class SqlTests
{
    private static readonly DateTime Time = ManualClock.Noon.UtcDateTime;

    // A sample for every parameter name in use; a statement with a new name asks for one here, or in SqlSamples of its subject.
    private static readonly Dictionary<string, object?> Samples = new()
    {
        ["vault"] = "0x", ["since"] = Time, ["until"] = Time, ["overBefore"] = Time, ["before"] = Time, ["limit"] = 10,
        ["observedAt"] = Time, ["firstWholeHour"] = Time, ["monitor"] = "m", ["intervalSeconds"] = 1,
        ["deadlineSeconds"] = 1, ["now"] = Time, ["newest"] = Time, ["ClockOffsetSeconds"] = null,
        ["setBack"] = new[] { "0x" },
        ["days"] = new[] { "2026-11-21" }, ["fingerprints"] = new[] { "f" }, ["eventId"] = Guid.Empty,
        ["status"] = "open", ["severity"] = "high", ["threatType"] = "t", ["afterResolved"] = false, ["afterFirstSeenAt"] = Time,
        ["afterEventId"] = Guid.Empty, ["vaults"] = new[] { "v" }, ["components"] = new[] { "c" }, ["times"] = new[] { Time },
        ["accountValues"] = new[] { 1m }, ["notionals"] = new[] { 1m }, ["pnls"] = new[] { 1m }, ["positions"] = new[] { 1 },
        ["parents"] = new[] { "v" }, ["shares"] = new[] { 1m }, ["openInterests"] = new[] { 1m }, ["parent"] = "0x",
        ["asset"] = "BTC", ["beforeAsset"] = "BTC", ["minDeviationPct"] = 0.3m, ["minReferences"] = 2,
        ["fromPct"] = 0.05m, ["venueAt"] = Time,
        ["oraclePrices"] = new[] { 1m }, ["markPrices"] = new[] { 1m }, ["binancePrices"] = new decimal?[] { 1m },
        ["coinbasePrices"] = new decimal?[] { null }, ["pythPrices"] = new decimal?[] { null }, ["krakenPrices"] = new decimal?[] { null },
        ["okxPrices"] = new decimal?[] { null }, ["referencePrices"] = new[] { 1m }, ["referenceCounts"] = new[] { 1 },
        ["leftOuts"] = new[] { "" }, ["maxDeviations"] = new[] { 1m }, ["maxSources"] = new[] { "okx" },
        ["breached"] = new[] { false }, ["floors"] = new decimal?[] { null }, ["dangers"] = new[] { false },
        ["severities"] = new[] { "high" }, ["risks"] = new decimal?[] { null },
        ["beforeObservedAt"] = Time, ["beforeVault"] = "", ["beforeCoin"] = "", ["firstKept"] = "2020-01-01",
        ["table"] = "check_runs", ["interval"] = TimeSpan.FromSeconds(10), ["slot"] = TimeSpan.FromSeconds(10),
        ["coins"] = new[] { "c" }, ["tids"] = new[] { 1L }, ["users"] = new[] { "0x" },
        ["methods"] = new[] { "market" }, ["sides"] = new[] { "long" }, ["prices"] = new[] { 1m },
        ["sizes"] = new[] { 1m }, ["counterparties"] = new[] { "0x" }, ["hashes"] = new[] { "0x" },
        ["sources"] = new[] { "0x" }, ["coverages"] = new[] { "account" }, ["coin"] = "BTC", ["method"] = "market",
        ["afterTid"] = 1L, ["afterObservedAt"] = Time, ["afterCoin"] = "BTC", ["afterUser"] = "0x",
        ["ids"] = new[] { "p" }, ["types"] = new[] { "adl" }, ["subjects"] = new[] { "BTC" },
        ["starts"] = new[] { Time }, ["ends"] = new[] { Time }, ["durations"] = new[] { 1m },
        ["totals"] = new[] { 1m }, ["affectedUsers"] = new[] { 1 }, ["assets"] = new[] { "[]" },
        ["scores"] = new[] { 1m }, ["counts"] = new[] { 1 }, ["impacts"] = new[] { 1m },
        ["indicators"] = new[] { "{}" }, ["patternType"] = "adl", ["areAdl"] = true, ["afterPatternId"] = "p",
        ["afterStartTime"] = Time, ["addresses"] = new[] { "0x" }, ["hlpVaults"] = new[] { true }, ["sinces"] = new[] { Time },
        ["untils"] = new[] { Time }, ["lastFills"] = new[] { "2026-11-21Z" }, ["notificationIds"] = new[] { Guid.Empty },
        ["eventIds"] = new[] { Guid.Empty }, ["seqs"] = new[] { 1L }, ["channels"] = new[] { "webhook" }, ["kinds"] = new[] { "opened" },
        ["TestId"] = Guid.Empty, ["Channel"] = "slack", ["TestedAt"] = Time, ["Outcome"] = "dead", ["Reason"] = null,
        ["messageIds"] = new Guid?[] { null }, ["sent"] = new[] { true }, ["sentAts"] = new[] { Time }, ["messageId"] = Guid.Empty,
        ["worker"] = "w", ["leaseUntil"] = Time, ["latest"] = Time, ["alone"] = false, ["atOnce"] = false,
        ["window"] = TimeSpan.FromSeconds(30), ["urgentWindow"] = TimeSpan.FromSeconds(10), ["neverHeld"] = new[] { "r" },
        ["onlyFirsts"] = new[] { false }, ["longestAfter"] = 0, ["inhibitors"] = new Guid?[] { null },
        ["notifiedTimes"] = new[] { Time }, ["askedAfters"] = new[] { 0 }, ["covers"] = new[] { "[]" }, ["openings"] = new[] { "[]" },
        ["toldMeasures"] = new decimal?[] { null }, ["worsenedTimes"] = new[] { Time }, ["measures"] = new[] { "loss_usd" },
        ["units"] = new[] { "USD" }, ["currentValues"] = new decimal?[] { null }, ["worstValues"] = new decimal?[] { null },
        ["worstTimes"] = new[] { Time }, ["thresholdValues"] = new decimal?[] { null },
        ["channel"] = "webhook", ["error"] = "e", ["retryAt"] = Time, ["giveUpAt"] = Time, ["pausedUntil"] = Time, ["exceptRule"] = "r",
        ["named"] = "k", ["actor"] = "a", ["origin"] = "o", ["note"] = "n", ["fingerprint"] = "f", ["most"] = 1, ["KeyHash"] = new byte[32],
        ["afterSeq"] = 0L, ["activeOnly"] = true, ["afterSilenceId"] = Guid.Empty, ["afterCreatedAt"] = Time, ["silenceId"] = Guid.Empty,
        ["soon"] = Time, ["claimedOffline"] = new[] { Guid.Empty }, ["deliveredAt"] = Time, ["origins"] = new[] { "o" },
        ["details"] = new[] { "d" }, ["keyIds"] = new[] { Guid.Empty }, ["requestCounts"] = new[] { 1L }, ["occurrences"] = new[] { 1L },
        ["cleanChecks"] = new[] { 0 }, ["firstTimes"] = new[] { Time }, ["lastTimes"] = new[] { Time }, ["judgedTimes"] = new[] { Time },
        ["losses"] = new decimal?[] { null }, ["monitors"] = new[] { "m" }, ["ruleIds"] = new[] { "r" }, ["ruleVersions"] = new[] { 1 },
        ["threatTypes"] = new[] { "t" },
        ["statuses"] = new[] { "open" }, ["titles"] = new[] { "t" }, ["descriptions"] = new[] { "d" }, ["resolvedTimes"] = new[] { Time },
        ["resolutions"] = new[] { "r" },
        ["subjectKinds"] = new[] { "coin" }, ["networks"] = new[] { "n" }, ["accounts"] = new[] { "0x" }, ["subjectIds"] = new[] { "BTC" },
        ["transactionHashes"] = new[] { "0x" }, ["labels"] = new[] { "{}" }, ["changedTimes"] = new[] { Time },
        ["scheduledTimes"] = new[] { Time },
        ["actors"] = new[] { "worker" }, ["notes"] = new[] { "n" }, ["evidences"] = new[] { "{}" }, ["covered"] = new[] { "{[1,2)}" },
        ["key"] = 1L, ["gaps"] = new[] { 1L }, ["gapFroms"] = new[] { "2026-11-21Z" }, ["gapUntils"] = new[] { "2026-11-21Z" },
        ["lockTimeout"] = "1s", ["leftOut"] = new[] { Guid.Empty }, ["leftOutSeqs"] = new[] { 1L },
    };

    // The subjects' own samples stand in their folders.
    private static readonly Dictionary<string, object?> OfSubjects = typeof(SqlTests).Assembly.GetTypes()
        .Select(type => type.GetField("SqlSamples", BindingFlags.Static | BindingFlags.Public)?.GetValue(null))
        .OfType<IReadOnlyDictionary<string, object?>>().SelectMany(samples => samples).ToDictionary();

    private static NpgsqlDataSource _db = null!; // one for all: a plan changes nothing

    [OneTimeSetUp]
    public static async Task Clone() => _db = await TestDatabase.CloneAsync();

    [OneTimeTearDown]
    public static Task Drop() => TestDatabase.DropAsync(_db);

    public static IEnumerable<TestCaseData> Statements() =>
        from type in typeof(Observation).Assembly.GetTypes()
        from field in type.GetFields(BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        where field is { IsLiteral: true, FieldType.Name: "String" } && field.Name.EndsWith("Sql", StringComparison.Ordinal)
        select new TestCaseData((string)field.GetRawConstantValue()!).SetArgDisplayNames($"{type.Name}.{field.Name}");

    [TestCaseSource(nameof(Statements))]
    public async Task Statement_fits_the_schema(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        if (sql.StartsWith("COPY ", StringComparison.Ordinal))
        {
            await using var copy = await connection.BeginBinaryImportAsync(sql); // given up without a row
            return;
        }

        await using var command = new NpgsqlCommand("EXPLAIN " + sql, connection);
        foreach (var name in Parameter().Matches(sql).Select(match => match.Groups["name"].Value).Distinct())
            command.Parameters.AddWithValue(name, Sample(name) ?? DBNull.Value);
        Assert.That(await command.ExecuteScalarAsync(), Is.Not.Null);
    }

    [Test]
    public void Every_statement_names_its_columns() =>
        Assert.That(Statements().Select(statement => (string)statement.Arguments[0]!), Has.None.Contains("SELECT *"));

    [Test]
    public void No_statement_takes_a_list_from_a_text_with_separators() =>
        Assert.That(Statements().Select(statement => (string)statement.Arguments[0]!),
            Has.None.Match("string_to_array|string_to_table|regexp_split|split_part"), "names of outside may hold any of them");

    [Test]
    public async Task Lists_are_read_from_an_index()
    {
        var db = await TestDatabase.CloneAsync();
        try
        {
            await using var connection = await db.OpenConnectionAsync();
            await connection.ExecuteAsync("""
                SELECT ensure_day_partition('check_runs', day::date)
                  FROM generate_series('2026-11-01'::date, '2026-11-05'::date, '1 day') AS day;
                INSERT INTO monitors VALUES ('m', 10, '2026-11-01Z');
                INSERT INTO monitors VALUES ('down', 10, '2026-11-01Z');
                UPDATE monitors SET deadline_seconds = least(greatest(interval_seconds, 5), 60);
                INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error,
                                        worker)
                SELECT 'm', at, 'grid', at, at, 'succeeded', 1, 0, NULL, 'w'
                  FROM generate_series('2026-11-01Z'::timestamptz, '2026-11-05Z', '20 seconds') AS at
                UNION ALL
                SELECT 'down', at, 'grid', at, at, 'failed', 0, 0, 'x', 'w'
                  FROM generate_series('2026-11-01Z'::timestamptz, '2026-11-05Z', '20 seconds') AS at;
                INSERT INTO hlp_vault_snapshots (vault_address, observed_at, venue_at, account_value, total_value_locked, all_time_pnl,
                                                 drawdown_pct, max_drawdown_pct, loss_score, drawdown_score, volatility_score,
                                                 anomaly_score, is_healthy, health_issues)
                SELECT 'v', at, at, 1, 1, 1, 0, 0, 0, 0, 0, 0, true, '{}'
                  FROM generate_series('2026-11-01Z'::timestamptz, '2026-11-05Z', '15 seconds') AS at;
                SELECT ensure_day_partition('hlp_vault_inventory', day::date)
                  FROM generate_series('2026-11-01'::date, '2026-11-05'::date, '1 day') AS day;
                INSERT INTO hlp_vault_inventory (vault_address, parent_address, coin, observed_at, size, notional_usd, unrealized_pnl)
                SELECT 'v' || n % 2, 'v', 'c', at, 1, 1, 1
                  FROM generate_series('2026-11-01Z'::timestamptz, '2026-11-05T20:00Z', '30 seconds') AS at, generate_series(0, 1) AS n;
                INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
                                             title, description, indicators, related_addresses, occurrences, clean_checks, first_seen_at,
                                             last_seen_at, judged_at, resolved_at)
                SELECT gen_random_uuid(), 'f' || n, 'm', 'r', 1, 't', 'high', 'resolved', 's', 't', 'd', '{}', '{}', 1, 3, at, at, at, at
                  FROM generate_series(1, 20000) AS n, LATERAL (SELECT '2026-11-01Z'::timestamptz + n * interval '10 seconds' AS at) AS t;
                SELECT ensure_day_partition('oracle_deviations', day::date)
                  FROM generate_series('2026-11-01'::date, '2026-11-04'::date, '1 day') AS day;
                INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, reference_price, reference_count,
                                               left_out, max_deviation_pct, max_deviation_source, duration_seconds, is_dangerous)
                SELECT 'A' || n, at, 1, 1, 1, 2, '{}', CASE WHEN extract(minute FROM at) = 0 THEN 0.5 ELSE 0.1 END, 'okx', 0, false
                  FROM generate_series(1, 20) AS n, generate_series('2026-11-01Z'::timestamptz, '2026-11-04 23:59Z', '5 minutes') AS at;
                SELECT ensure_day_partition('liquidations', day::date)
                  FROM generate_series('2026-11-01'::date, '2026-11-04'::date, '1 day') AS day;
                INSERT INTO liquidations (coin, tid, liquidated_user, observed_at, method, side, price, size, notional_usd, source_address,
                                          coverage)
                SELECT CASE WHEN n % 50 = 0 THEN 'BTC' ELSE 'C' || n % 50 END, n, '0xu',
                       '2026-11-01Z'::timestamptz + n * interval '15 seconds', 'market', 'long', 1, 1, 1, '0xs', 'account'
                  FROM generate_series(1, 20000) AS n;
                INSERT INTO liquidation_patterns (pattern_id, pattern_type, subject, start_time, end_time, duration_seconds,
                                                  total_liquidated_usd, affected_users, assets_involved, suspicion_score,
                                                  liquidation_count, price_impact, indicators)
                SELECT 'p' || n, 'adl', 'BTC', '2026-11-01Z'::timestamptz + n * interval '15 seconds', '2026-11-05Z', 1, 1, 1, '{}', 1, 1,
                       1, '{}'
                  FROM generate_series(1, 20000) AS n;
                INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor)
                SELECT event_id, first_seen_at, 'opened', severity, 'worker'
                  FROM security_events;
                ANALYZE;
                """);
            (string, string)[] lists =
            [
                ("HlpVaultSnapshots", "FindLatestSql"), ("HlpVaultSnapshots", "ListSql"), ("HlpVaultSnapshots", "FindNewestVaultSql"),
                ("SecurityEventUpdates", "LockOpenSql"), ("SecurityEventUpdates", "LockLatestSql"), ("SecurityEvents", "FindSql"),
                ("SecurityEvents", "ListSinceSql"), ("SecurityEvents", "CountSinceSql"), ("CheckRuns", "ListLatestSql"),
                ("HlpVaultInventory", "ListSql"), ("HlpVaultInventory", "ListNewestSql"), ("HlpVaultInventory", "ListNewestCheckSql"),
                ("OracleDeviations", "FindNewestSql"), ("OracleDeviations", "ListSql"), ("OracleDeviations", "ListOfAssetSql"),
                ("Liquidations", "ListSql"), ("LiquidationPatterns", "ListSql"), ("SecurityEvents", "ListByIdSql"),
                ("SecurityEventChanges", "ListSql"),
            ];
            foreach (var (type, field) in lists)
            {
                var plan = await ExplainAsync("EXPLAIN ", type, field);
                Assert.That(plan, Does.Contain("Index").And.Not.Match("Seq Scan on (hlp|check|security|oracle|liquidation)"),
                    $"{type}.{field}\n{plan}");
            }

            // Of a monitor that only ever succeeds or only ever fails, too, nothing is read that is thrown away.
            var latest = await ExplainAsync("EXPLAIN (ANALYZE, TIMING OFF) ", "CheckRuns", "ListLatestSql");
            Assert.That(latest, Does.Not.Contain("Rows Removed by Filter"), latest);

            async Task<string> ExplainAsync(string explain, string type, string field)
            {
                var sql = (string)typeof(Observation).Assembly.GetTypes().Single(t => t.Name == type).GetField(
                    field, BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue()!;
                await using var command = new NpgsqlCommand(explain + sql, connection);
                foreach (var name in Parameter().Matches(sql).Select(match => match.Groups["name"].Value).Distinct())
                    command.Parameters.AddWithValue(
                        name, name is "vault" or "parent" ? "v" : name == "since" ? Time.AddDays(-17) : Sample(name) ?? DBNull.Value);
                await using var reader = await command.ExecuteReaderAsync();
                var plan = "";
                while (await reader.ReadAsync())
                    plan += reader.GetString(0) + "\n";
                return plan;
            }
        }
        finally
        {
            await TestDatabase.DropAsync(db);
        }
    }

    // Names of record members begin with a capital; their sample follows from the record's type.
    private static object? Sample(string name)
    {
        if (Samples.TryGetValue(name, out var sample) || OfSubjects.TryGetValue(name, out sample))
            return sample;
        var member = typeof(Observation).Assembly.GetTypes().Where(type => !type.IsGenericType)
            .SelectMany(type => type.GetConstructors()).SelectMany(constructor => constructor.GetParameters())
            .FirstOrDefault(parameter => parameter.Name == name)
            ?? throw new InvalidOperationException($"@{name} has no sample in {nameof(SqlTests)}");
        var type = Nullable.GetUnderlyingType(member.ParameterType) ?? member.ParameterType;
        return type == typeof(DateTimeOffset) ? Time
            : type == typeof(string) ? name is "Evidence" or "Indicators" ? "{}" : "x"
            : type.IsEnum ? Monitoring.Data.Configuration.SnakeCase.Of((dynamic)Enum.GetValues(type).GetValue(0)!)
            : type == typeof(string[]) ? new[] { "x" }
            : Activator.CreateInstance(type);
    }

    [GeneratedRegex(@"(?<![@:\w])@(?<name>\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Parameter();
}
