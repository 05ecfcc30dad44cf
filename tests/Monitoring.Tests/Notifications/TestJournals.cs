using Microsoft.Extensions.DependencyInjection;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Tests.Notifications;

/// <summary>For outboxes that a test puts together by hand: in-flight claims, each with an empty journal of its own.</summary>
internal sealed class TestJournals : IDisposable
{
    private readonly List<string> _folders = [];

    public IServiceCollection AddClaimsTo(IServiceCollection services)
    {
        _folders.Add(TestFolder.Create());
        return services.AddSingleton(new JournalOptions(_folders[^1], 1 << 20)).AddSingleton<RecordingQueue>()
            .AddSingleton<InFlightClaims>();
    }

    public void Dispose() => _folders.ForEach(TestFolder.Delete);
}
