namespace Monitoring.Simulator.Watching;

/// <summary>Polls the product's API, prints every change of an event, and judges the whole when the scenario is over.</summary>
internal sealed class Watch(JsonSource? simulator, JsonSource api, TimeProvider clock, TextWriter output)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private DateTimeOffset? _lastRead;
    private bool _silent;

    /// <summary>Runs until cancelled or, once, until the scenario's end; true when all came as expected.</summary>
    public async Task<bool> RunAsync(bool once, CancellationToken cancellationToken)
    {
        var scenario = await ScenarioAsync(cancellationToken);
        var log = new EventLog(scenario.Start);
        await output.WriteLineAsync(simulator is null
            ? $"Second 0 at {scenario.Start:HH:mm:ss} UTC; every change of an event is printed here."
            : $"Scenario {scenario.Name}: {scenario.Description}\n"
              + $"Second 0 at {scenario.Start:HH:mm:ss} UTC, {scenario.DurationSeconds} s, {scenario.Expected.Count} expected events.");
        while (true)
        {
            await PollAsync(log, scenario, cancellationToken);
            var report = Report.Of(scenario, log.Events);
            if (once && IsOver(scenario, report))
                return await JudgeAsync(log, scenario, cancellationToken);
            await Task.Delay(Interval, clock, cancellationToken);
        }
    }

    /// <summary>
    /// The simulator may have been started in the same moment: it is given some seconds. Without one, time counts from now.
    /// </summary>
    private async Task<ScenarioView> ScenarioAsync(CancellationToken cancellationToken)
    {
        if (simulator is null)
            return new ScenarioView("live", "", clock.GetUtcNow(), 0, 0, Model.Severity.Critical, []);
        var until = clock.GetUtcNow() + Patience;
        while (true)
        {
            try
            {
                return await simulator.GetAsync<ScenarioView>("scenario", cancellationToken);
            }
            catch (UnreachableException) when (clock.GetUtcNow() < until)
            {
                await Task.Delay(Interval, clock, cancellationToken);
            }
        }
    }

    private async Task PollAsync(EventLog log, ScenarioView scenario, CancellationToken cancellationToken)
    {
        try
        {
            var asked = clock.GetUtcNow();
            var list = await api.GetAsync<EventList>("security/events?limit=200", cancellationToken);
            foreach (var seen in list.Events.Where(log.IsNews))
            {
                var detail = await api.GetAsync<EventDetail>($"security/events/{seen.Id}", cancellationToken);
                foreach (var change in log.Update(seen, detail))
                    await output.WriteLineAsync(
                        $"{Text.Second(change.ChangedAt, scenario),8}  {change.Kind,-12} "
                        + $"{Text.Of(change.Severity),-9} {seen.RuleId,-22} {seen.Title}");
            }

            if (_silent)
                await output.WriteLineAsync($"{Text.Second(asked, scenario),8}  The API answers again.");
            (_lastRead, _silent) = (asked, false);
        }
        catch (UnreachableException e)
        {
            if (!_silent)
                await output.WriteLineAsync($"{Text.Second(clock.GetUtcNow(), scenario),8}  No events: {e.Message}");
            _silent = true;
        }
    }

    /// <summary>Over, once all was found and read after the end, or when waiting longer makes no sense.</summary>
    private bool IsOver(ScenarioView scenario, Report report)
    {
        var lastAnswer = scenario.Expected.Select(expected => expected.CauseAt.AddSeconds(expected.WithinSeconds))
            .Append(scenario.End).Max();
        return (report.AllFound && _lastRead >= scenario.End) || clock.GetUtcNow() >= lastAnswer + Grace;
    }

    private async Task<bool> JudgeAsync(EventLog log, ScenarioView scenario, CancellationToken cancellationToken)
    {
        // Once more, because a message is delivered after its change was read.
        foreach (var watched in log.Events.ToList())
            log.Update(watched.Event, await api.GetAsync<EventDetail>($"security/events/{watched.Event.Id}", cancellationToken));
        var report = Report.Of(scenario, log.Events);
        var complaints = new List<string>();
        // Silence is no proof of calm: the product must have looked, and must have been readable to the end.
        if (_lastRead is null || _lastRead < scenario.End)
            complaints.Add("The API could not be read after the scenario's end.");
        if ((await simulator!.GetAsync<StatsView>("stats", cancellationToken)).Requests.Count == 0)
            complaints.Add("Nobody asked the simulated venue for anything.");
        ReportTable.Print(report, scenario, complaints, output);
        return report.Passed && complaints.Count == 0;
    }
}
