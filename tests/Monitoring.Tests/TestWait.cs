namespace Monitoring.Tests;

/// <summary>Waits for what happens by itself, as soon as it may.</summary>
internal static class TestWait
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(60);

    /// <summary>Ends when something is so; fails the test where it never is.</summary>
    public static Task UntilAsync(Func<bool> isSo, string what) => UntilAsync(() => Task.FromResult(isSo()), what);

    /// <summary>Ends when something that is asked for is so; fails the test where it never is.</summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        using var giveUp = new CancellationTokenSource(GiveUpAfter);
        while (!await isSo())
        {
            Assert.That(giveUp.IsCancellationRequested, Is.False, $"waited in vain: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, default);
        }
    }
}
