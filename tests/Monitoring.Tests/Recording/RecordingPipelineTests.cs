using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Tests.Events;
using Monitoring.Tests.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.Recording;

public sealed class RecordingPipelineTests : RecorderFixture
{
    private static CheckResult Result(int minute) => ResultSample.Of(
        "hlp-vault", Noon.AddMinutes(minute), CheckOutcome.Succeeded, [], [], Sample.Snapshot(Noon.AddMinutes(minute), Sample.Measures()));

    [Test]
    public async Task What_came_while_the_database_was_away_is_stored_in_order_when_it_is_back()
    {
        var recorder = _services.GetRequiredService<RecordingPipeline>();
        await recorder.RecordAsync(Result(0), default);
        _gate.Close();
        for (var minute = 1; minute <= 5; minute++)
            await recorder.RecordAsync(Result(minute), default);
        Assert.That(recorder.Waiting, Is.EqualTo(5 + 2), "and that it went away, and what was open then");
        Assert.That(_logs.Lines.Count(line => line.Level == LogLevel.Error), Is.EqualTo(1), "one line says that it is away");

        _gate.Open();
        await recorder.DrainAsync(default);
        Assert.That(recorder.Waiting, Is.Zero);
        var stored = await new HlpVaultSnapshots(_db).ListAsync(
            Sample.Vault, Noon, ListEnd.Before(Noon.AddDays(1)), 100, default);
        Assert.That(stored.Select(row => row.ObservedAt),
            Is.EqualTo(Enumerable.Range(0, 6).Reverse().Select(minute => Noon.AddMinutes(minute))));
        Assert.That(_logs.Lines, Has.One.Matches<(LogLevel, string Text)>(line => line.Text.Contains("the database takes results again")));
    }

    [Test]
    public async Task Result_that_the_database_refuses_is_set_aside_and_holds_up_nothing()
    {
        var recorder = _services.GetRequiredService<RecordingPipeline>();
        var refused = Result(0);
        await recorder.RecordAsync(
            refused with { Run = refused.Run with { Error = "a success without error is what the table asks for" } }, default);
        await recorder.RecordAsync(Result(1), default);
        Assert.That(await new HlpVaultSnapshots(_db).ListAsync(
            Sample.Vault, Noon, ListEnd.Before(Noon.AddDays(1)), 100, default), Has.Count.EqualTo(1));
        Assert.That(_logs.Lines, Has.One.Matches<(LogLevel Level, string Text)>(line =>
            line.Level == LogLevel.Critical && line.Text.Contains("set aside here: {\"entry\":\"result\",\"result\":{\"run\"")));
    }

    [Test]
    public async Task Past_the_bound_of_memory_the_oldest_goes_and_the_log_says_so()
    {
        Directory.Delete(_journal, recursive: true);
        File.WriteAllText(_journal, "where the folder should be"); // cannot be made
        try
        {
            var recorder = _services.GetRequiredService<RecordingPipeline>();
            _gate.Close();
            await recorder.RecordAsync(Result(0), default);
            for (var i = 1; i <= RecordingQueue.Capacity; i++)
                recorder.Record(Result(i));
            Assert.That(recorder.Waiting, Is.EqualTo(RecordingQueue.Capacity));
            Assert.That(_logs.Lines.Count(line => line.Text.Contains("is dropped")), Is.EqualTo(3),
                "as many as came too many, the two of the outage's beginning among them");
            Assert.That(_logs.Lines, Has.One.Matches<(LogLevel Level, string Text)>(line =>
                line.Level == LogLevel.Error && line.Text.Contains("the journal does not take results")));
        }
        finally
        {
            File.Delete(_journal);
        }
    }
}
