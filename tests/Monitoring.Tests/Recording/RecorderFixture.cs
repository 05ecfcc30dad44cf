using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Subjects;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;
using Npgsql;

namespace Monitoring.Tests.Recording;

/// <summary>A recorder on a database behind a gate, with a journal of its own.</summary>
public abstract class RecorderFixture
{
    private readonly INotificationChannel[] _channels;

    private protected RecorderFixture(params INotificationChannel[] channels) => _channels = channels;

    private protected static readonly DateTimeOffset Noon = ManualClock.Noon;
    private protected readonly ManualClock _clock = new(Noon);
    private protected readonly TestLogs _logs = new();
    private protected readonly string _journal = TestFolder.Create();
    private protected NpgsqlDataSource _db = null!;
    private protected NpgsqlConnectionStringBuilder _connection = null!;
    private protected TcpGate _gate = null!;
    private protected ServiceProvider _services = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        _connection = TestDatabase.ConnectionTo(_db);
        _gate = new TcpGate(_connection.Host!, _connection.Port);
        (_connection.Host, _connection.Port) = ("127.0.0.1", _gate.Port);
        _services = Build(_journal);
    }

    [TearDown]
    public async Task Stop()
    {
        await _services.DisposeAsync();
        await _gate.DisposeAsync();
        await TestDatabase.DropAsync(_db);
        TestFolder.Delete(_journal);
    }

    private protected virtual ServiceProvider Build(string journal, long maxBytes = 1 << 20)
    {
        var services = new ServiceCollection()
            .AddSingleton(DataSources.Create(_connection)).AddMonitoringTables().AddSingleton(Rules).AddSingleton<TimeProvider>(_clock)
            .AddSingleton(new WorkerClock(_clock))
            .AddSingleton(new EventOptions(3, Severity.High))
            .AddSingleton(new NotificationRouting(_channels.Select(channel => channel.Name), Severity.High, []))
            .AddRecording(new JournalOptions(journal, maxBytes)).AddOutbox(withoutDatabase: false)
            .AddSingleton(new NotificationOptions(TimeSpan.FromSeconds(30), TimeSpan.FromHours(24), []))
            .AddSingleton(new DatabaseOptions(_connection)).AddSingleton<ChannelListener>().AddSingleton(new WorkerIdentity("test"))
            .AddSingleton(new ChannelOptions(null, null, null, null, null, null, null))
            .AddSingleton(new MonitorSchedule("m", TimeSpan.FromMinutes(1)))
            .AddSingleton<Supervisor>().AddSingleton<SessionStatistics>().AddSingleton<EventLog>()
            .AddLogging(logging => logging.AddProvider(_logs));
        foreach (var channel in _channels)
            services.AddSingleton(channel);
        return services.BuildServiceProvider();
    }

    private protected virtual RuleCatalog Rules => DataSubjects.Rules;

    private protected RecordingPipeline Recorder => _services.GetRequiredService<RecordingPipeline>();
}
