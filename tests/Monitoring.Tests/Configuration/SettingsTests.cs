using Microsoft.Extensions.Configuration;
using Monitoring.Api;
using Monitoring.Api.Access;
using Monitoring.Data.Configuration;
using Monitoring.Data.Events;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Venues;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Inventory;

namespace Monitoring.Tests.Configuration;

public sealed class SettingsTests
{
    private const string Database = "postgresql://u:hunter2@127.0.0.1:1/d";

    private static SettingsReader Reader(params (string Key, string Value)[] values) =>
        new(new ConfigurationBuilder().AddInMemoryCollection(values.Select(v => KeyValuePair.Create(v.Key, (string?)v.Value))).Build());

    private static IReadOnlyList<string> FaultsOf(params (string Key, string Value)[] values) =>
        Assert.Throws<ConfigurationFaultException>(() => WorkerOptions.Read(Reader(values), withoutDatabase: false))!.Faults;

    private static VenuesOptions Venues(WorkerOptions options) => options.Subjects.OfType<VenuesSetup>().Single().Options;

    [Test]
    public void Defaults_are_those_of_the_contract()
    {
        var options = WorkerOptions.Read(Reader(("DATABASE_URL", Database)), withoutDatabase: false);
        var venues = Venues(options);
        Assert.That((venues.HlpVault.Interval.TotalSeconds, venues.HlpVault.VaultAddress, venues.Hyperliquid.Url.Host,
                options.Events.AlertMinSeverity, options.Database.Connection!.MaxPoolSize, options.Database.Connection.Timeout,
                options.Database.Connection.ConnectionLifetime),
            Is.EqualTo((300d, "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303", "api.hyperliquid.xyz", Severity.High, 15, 30, 3600)));
    }

    [Test]
    public void Every_fault_is_named_in_one_line_of_its_own()
    {
        var faults = FaultsOf(
            ("DATABASE_URL", "postgresql://u:hunter2@h:x/d"), ("HLP_CHECK_INTERVAL", "0"),
            ("ALERT_MIN_SEVERITY", "awful"), ("HLP_VAULT_ADDRESS", "0x12"), ("HYPERLIQUID_API_URL", "ftp://x"),
            ("DATABASE_POOL_SIZE", ""), ("Rules:hlp.loss:HighUsd", "1e99"), ("Rules:hlp.los:HighUsd", "1"));
        Assert.That(faults, Has.Count.EqualTo(8));
        Assert.That(faults, Has.None.Contains("hunter2"));
        foreach (var name in new[]
        {
            "DATABASE_URL: port 'x'", "HLP_CHECK_INTERVAL: '0'", "ALERT_MIN_SEVERITY: 'awful'",
            "HLP_VAULT_ADDRESS: '0x12'", "HYPERLIQUID_API_URL: 'ftp://x'", "DATABASE_POOL_SIZE: is empty",
            "Rules:hlp.loss:HighUsd: '1e99'", "Rules:hlp.los:HighUsd: no such setting",
        })
            Assert.That(faults, Has.One.StartsWith(name));
    }

    [Test]
    public void Missing_database_names_both_ways_out() =>
        Assert.That(FaultsOf(),
            Is.EqualTo(new[] { "DATABASE_URL: is not set; it must be " + DatabaseUrl.Form + ". Or run with --no-database" }));

    [Test]
    public void Section_form_and_environment_form_set_the_same_threshold()
    {
        var section = WorkerOptions.Read(
            Reader(("DATABASE_URL", Database), ("Rules:hlp.loss:CriticalUsd", "3000000")), withoutDatabase: false);
        var environment = WorkerOptions.Read(
            Reader(("DATABASE_URL", Database), ("Rules:hlp_loss:critical_usd", "3000000")), withoutDatabase: false);
        Assert.That((Venues(section).HlpVault.Thresholds.LossCriticalUsd, Venues(environment).HlpVault.Thresholds.LossCriticalUsd),
            Is.EqualTo((3_000_000m, 3_000_000m)));
    }

    [Test]
    public void Critical_threshold_below_the_high_one_is_refused() =>
        Assert.That(FaultsOf(("DATABASE_URL", Database), ("Rules:hlp.loss:CriticalUsd", "500000")),
            Has.One.StartsWith("Rules:hlp.loss:CriticalUsd: 500000 is below"));

    [Test]
    public void Defaults_of_inventory_watchdog_and_retention_are_those_of_the_contract()
    {
        var options = WorkerOptions.Read(Reader(("DATABASE_URL", Database)), withoutDatabase: false);
        var inventory = Venues(options).Inventory;
        Assert.That((inventory.Interval.TotalSeconds, inventory.Thresholds, options.Watchdog.Interval.TotalSeconds,
            options.Watchdog.HeartbeatUrl, options.Retention.Days),
            Is.EqualTo((10d,
                new InventoryThresholds(15, 30, 50, 10, new ExitThresholds(10, 24, 0.25m, 72, 1), new MarketThresholds(25, 50, 0.25m)),
                10d, (Uri?)null, 30)));
        Assert.That(inventory.Takeover, Is.EqualTo(new TakeoverThresholds(0.5m, 2, 0.05m, TimeSpan.FromHours(1))));
        var vault = Venues(options).HlpVault.Thresholds;
        Assert.That((vault.HourOutflow, vault.DayOutflow, vault.SigmaLow),
            Is.EqualTo((new OutflowThresholds(5, 10, 20), new OutflowThresholds(10, 20, 30), 3m)));
    }

    [TestCase("Rules:hlp.inventory:HighPct", "14", "Rules:hlp.inventory:HighPct: 14 is below")]
    [TestCase("Rules:hlp.inventory:CriticalPct", "29", "Rules:hlp.inventory:CriticalPct: 29 is below")]
    [TestCase("Rules:hlp.inventory:ExitCriticalHours", "23", "Rules:hlp.inventory:ExitCriticalHours: 23 is below")]
    [TestCase("Rules:hlp.inventory:ExitCriticalSharePct", "0.2", "Rules:hlp.inventory:ExitCriticalSharePct: 0.2 is below")]
    [TestCase("Rules:hlp.inventory:ExitVolumePct", "0", "Rules:hlp.inventory:ExitVolumePct: '0'")]
    [TestCase("Rules:hlp.inventory:MarketCriticalPct", "24", "Rules:hlp.inventory:MarketCriticalPct: 24 is below")]
    [TestCase("Rules:hlp.takeover:HighPct", "0.4", "Rules:hlp.takeover:HighPct: 0.4 is below")]
    [TestCase("Rules:hlp.takeover:FromPct", "0.6", "Rules:hlp.takeover:FromPct: 0.6 is above")]
    [TestCase("Rules:hlp.takeover:WindowSeconds", "30", "Rules:hlp.takeover:WindowSeconds: '30'")]
    [TestCase("Rules:hlp.outflow:HourHighPct", "4", "Rules:hlp.outflow:HourHighPct: 4 is below")]
    [TestCase("Rules:hlp.outflow:DayCriticalPct", "19", "Rules:hlp.outflow:DayCriticalPct: 19 is below")]
    [TestCase("RETENTION_DAYS", "0", "RETENTION_DAYS: '0'")]
    [TestCase("RETENTION_DAYS", "3651", "RETENTION_DAYS: '3651'")]
    [TestCase("INVENTORY_CHECK_INTERVAL", "0", "INVENTORY_CHECK_INTERVAL: '0'")]
    [TestCase("HEARTBEAT_URL", "ftp://hunter2", "HEARTBEAT_URL: is not allowed")]
    public void Values_out_of_order_are_refused(string key, string value, string fault) =>
        Assert.That(FaultsOf(("DATABASE_URL", Database), (key, value)), Has.One.StartsWith(fault).And.None.Contains("hunter2"));

    [Test]
    public void Secret_comes_from_a_file_and_never_from_both()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, Database + "\n");
        try
        {
            Assert.That(WorkerOptions.Read(Reader(("DATABASE_URL_FILE", file)), withoutDatabase: false).Database.Connection!.Password,
                Is.EqualTo("hunter2"));
            Assert.That(FaultsOf(("DATABASE_URL_FILE", file), ("DATABASE_URL", Database)), Has.One.Contains("keep one of them"));
            File.WriteAllText(file, " ");
            Assert.That(FaultsOf(("DATABASE_URL_FILE", file)), Has.Some.Contains("is empty"));
            Assert.That(FaultsOf(("DATABASE_URL_FILE", file + ".gone")), Has.Some.Contains("cannot read"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public void Way_past_a_pooler_is_a_secret_like_the_way_through_it()
    {
        var database = WorkerOptions.Read(
            Reader(("DATABASE_URL", Database), ("DATABASE_DIRECT_URL", "postgresql://u:hunter2@db/d")), withoutDatabase: false).Database;
        Assert.That((database.Direct!.Host, database.Direct.ApplicationName, database.Pooler),
            Is.EqualTo(("db", "Monitoring.Worker", PoolerMode.Auto)));
        Assert.That(FaultsOf(
            ("DATABASE_URL", Database), ("DATABASE_DIRECT_URL", "postgresql://u:hunter2@h:x/d"), ("DATABASE_POOLER", "maybe")),
            Is.EqualTo(new[]
            {
                "DATABASE_DIRECT_URL: port 'x' of host 'h' is not a number from 1 to 65535",
                "DATABASE_POOLER: 'maybe' is not allowed; it must be auto, yes, no",
            }));
    }

    [TestCase("API_HOST", "risk.example", "API_HOST: 'risk.example' is no IP address")]
    [TestCase("API_AUTH", "password", "API_AUTH: 'password' is not allowed; it must be none, keys")]
    [TestCase("API_TRUSTED_PROXIES", "10.0.0.0/8, 10.1.2.3/40", "API_TRUSTED_PROXIES: '10.1.2.3/40' is not allowed")]
    [TestCase("API_ALLOWED_HOSTS", "a b", "API_ALLOWED_HOSTS: 'a b' is not allowed")]
    [TestCase("API_REQUESTS_PER_MINUTE", "0", "API_REQUESTS_PER_MINUTE: '0' is not allowed")]
    public void Malformed_setting_of_the_service_is_refused(string key, string value, string fault) =>
        Assert.That(
            Assert.Throws<ConfigurationFaultException>(() => ApiOptions.Read(Reader(("DATABASE_URL", Database), (key, value))))!.Faults,
            Has.One.StartsWith(fault));

    [TestCase("127.0.0.1", "", ApiAuth.None, 3)]
    [TestCase("::1", "", ApiAuth.None, 3)]
    [TestCase("localhost", "keys", ApiAuth.Keys, 0)]
    [TestCase("0.0.0.0", "", ApiAuth.Keys, 0)]
    [TestCase("10.1.2.3", "none", ApiAuth.None, 0)]
    public void Service_that_others_can_reach_asks_for_keys(string host, string auth, ApiAuth expected, int hosts)
    {
        var access = ApiOptions.Read(auth == ""
            ? Reader(("DATABASE_URL", Database), ("API_HOST", host))
            : Reader(("DATABASE_URL", Database), ("API_HOST", host), ("API_AUTH", auth))).Access;
        Assert.That((access.Auth, access.AllowedHosts.Count, access.RequestsPerMinute), Is.EqualTo((expected, hosts, 600)));
    }

    [Test]
    public void Proxies_are_addresses_or_networks() =>
        Assert.That(ApiOptions.Read(Reader(("DATABASE_URL", Database), ("API_TRUSTED_PROXIES", "10.0.0.0/8, 192.168.1.1,::1")))
            .Access.TrustedProxies.Select(network => $"{network}"), Is.EqualTo(new[] { "10.0.0.0/8", "192.168.1.1/32", "::1/128" }));

    [Test]
    public void Reference_lists_every_setting()
    {
        var worker = Reader(("DATABASE_URL", Database));
        WorkerOptions.Read(worker, withoutDatabase: false);
        var api = Reader(("DATABASE_URL", Database));
        ApiOptions.Read(api);
        Snapshot.Matches("docs/configuration.md", ConfigurationReference.Write(worker.Declared, api.Declared));
    }
}
