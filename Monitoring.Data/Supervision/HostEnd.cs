using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Monitoring.Data.Supervision;

/// <summary>
/// How a program ends. A host also stops, and in good order, when one of its services ends by a fault: that is no 0, so that whoever looks
/// after the program starts it again.
/// </summary>
public sealed class HostEnd
{
    private volatile bool _failed;

    private HostEnd()
    {
    }

    /// <summary>0 after a stop that was asked for, 1 where a service has ended by itself.</summary>
    public int ExitCode => _failed ? 1 : 0;

    /// <summary>Looks at a host's services when it begins to stop, before they are asked to: who has ended by then did so itself.</summary>
    public static HostEnd Of(IHost host) => Of(host.Services);

    /// <summary>As above, of the host that these services belong to.</summary>
    public static HostEnd Of(IServiceProvider services)
    {
        var end = new HostEnd();
        services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() =>
            end._failed = services.GetServices<IHostedService>().OfType<BackgroundService>()
                .Any(service => service.ExecuteTask is { IsCompleted: true, IsCompletedSuccessfully: false }));
        return end;
    }
}
