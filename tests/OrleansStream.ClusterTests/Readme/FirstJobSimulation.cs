using OrleansStream.Jobs;
using OrleansStream.Testing.Simulation;

namespace FirstJob;

public sealed class PaymentSimulation
{
    [Fact]
    public Task Whatever_breaks_the_alerts_are_those_of_an_unbroken_run() => ClusterSimulation.ForSeedsAsync(1..21, static _ => new PaymentJob(), new SimulationOptions
    {
        Arguments = new JobArguments([new("input", "none"), new("output", "none")]),
        Sources = { ["payments"] = new SimulatedSource<Payment>(Enumerable.Range(0, 300).Select(static n => new Payment($"account-{n % 5}", DateTimeOffset.UnixEpoch.AddSeconds(n), n % 50 == 49 ? 500 : 20))) },
    });
}
