using Microsoft.Extensions.Hosting;

namespace OrleansStream.Silo.Hosting;

/// <summary>The command line decides when to stop, not the host.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
