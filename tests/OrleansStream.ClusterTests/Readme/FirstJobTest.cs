using OrleansStream.Testing;

namespace FirstJob;

public sealed class WatchTests
{
    [Fact]
    public async Task A_payment_far_above_the_usual_raises_an_alert_also_after_a_restart()
    {
        var payments = new TestInput<Payment>();
        var alerts = new TestOutput<Alert>();
        await using var harness = await JobHarness.StartAsync(graph => graph
            .From("payments", payments)
            .KeyBy(static payment => payment.Account)
            .Process("watch", static _ => new Watch())
            .To("alerts", alerts));

        for (var second = 0; second < 3; second++) payments.Add(new Payment("anna", DateTimeOffset.UnixEpoch, 20), 1000 * second);
        await harness.RestoreAsync(parallelism: 2);
        payments.Add(new Payment("anna", DateTimeOffset.UnixEpoch, 500), 3000);
        await harness.RunAsync();

        Assert.Equal([new Alert("anna", DateTimeOffset.UnixEpoch, 500, Usual: 20)], alerts.Values);
    }
}
