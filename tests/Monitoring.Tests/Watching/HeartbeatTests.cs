using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Simulator.Faults;
using Monitoring.Worker.Watching;

namespace Monitoring.Tests.Watching;

public sealed class HeartbeatTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private WebApplication _listener = null!;
    private WorkerUnderTest _worker = null!;
    private int _beats;
    private int _status = 200;
    private string _body = "OK";

    [SetUp]
    public async Task Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _listener = builder.Build();
        _listener.Run(http =>
        {
            Interlocked.Increment(ref _beats);
            http.Response.StatusCode = _status;
            http.Response.Headers.Location = "/elsewhere?token=secret";
            return http.Response.WriteAsync(_body);
        });
        await _listener.StartAsync();
        _worker = await WorkerUnderTest.CreateAsync(_clock, settings: ("HEARTBEAT_URL", _listener.Urls.First() + "/ping/secret"));
    }

    [TearDown]
    public async Task Stop()
    {
        await _worker.DisposeAsync();
        await _listener.StopAsync();
        await _listener.DisposeAsync();
    }

    private Task<bool> BeatAsync() => _worker.Services.GetRequiredService<Heartbeat>().TryBeatAsync(default);

    private async Task CheckAllAsync()
    {
        foreach (var schedule in _worker.Services.GetServices<Monitoring.Worker.Checks.MonitorSchedule>())
            await _worker.CheckAsync(_clock.GetUtcNow(), schedule.Name);
    }

    [Test]
    public async Task Heart_beats_only_while_every_monitor_sees()
    {
        Assert.That((await BeatAsync(), _beats), Is.EqualTo((false, 0)), "nothing has been seen yet");
        await CheckAllAsync();
        Assert.That((await BeatAsync(), _beats), Is.EqualTo((true, 1)));

        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "vaultDetails"));
        _clock.Advance(TimeSpan.FromSeconds(60));
        await CheckAllAsync();
        Assert.That((await BeatAsync(), _beats), Is.EqualTo((false, 1)), "hlp-vault is blind");
        Assert.That(_worker.Logs.Lines.Select(line => line.Text),
            Has.Some.EqualTo("no heartbeat is sent: no recent successful check of hlp-vault"));

        _worker.Venue.Faults.Clear();
        _clock.Advance(TimeSpan.FromSeconds(2));
        await CheckAllAsync();
        Assert.That((await BeatAsync(), _beats), Is.EqualTo((true, 2)));
    }

    [TestCase(200, "<!doctype html><title>Sign in</title>", "a page for people")]
    [TestCase(302, "", "HTTP 302, a redirect to /elsewhere, which is not followed")]
    public async Task What_a_network_in_between_answers_is_no_beat(int status, string body, string said)
    {
        await CheckAllAsync();
        (_status, _body) = (status, body);
        Assert.That((await BeatAsync(), _beats), Is.EqualTo((false, 1)));
        Assert.That(_worker.Logs.Lines[^1].Text, Does.Contain(said).And.Not.Contain("secret"));
    }

    [Test]
    public async Task Listener_in_trouble_is_said_and_harms_nothing()
    {
        await CheckAllAsync();
        _status = 503;
        Assert.That(await BeatAsync(), Is.False);
        await _listener.StopAsync();
        Assert.That(await BeatAsync(), Is.False);
        var lines = _worker.Logs.Lines.Where(line => line.Level == LogLevel.Warning).Select(line => line.Text).ToList();
        Assert.That(lines, Has.Count.EqualTo(2).And.All.StartsWith("the heartbeat's address could not be reached:"));
        Assert.That(lines, Has.None.Contains("secret"));
    }
}
