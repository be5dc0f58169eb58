using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansStream;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.State;

namespace FirstJob;

[GenerateSerializer, Alias("payment")]
public readonly record struct Payment([property: Id(0)] string Account, [property: Id(1)] DateTimeOffset Time, [property: Id(2)] decimal Amount);

[GenerateSerializer, Alias("alert")]
public sealed record Alert([property: Id(0)] string Account, [property: Id(1)] DateTimeOffset Time, [property: Id(2)] decimal Amount, [property: Id(3)] decimal Usual);

[GenerateSerializer, Alias("profile")]
public readonly record struct Profile([property: Id(0)] int Payments, [property: Id(1)] decimal Total);

/// <summary>Raises an alert when an account pays more than ten times what is usual for it.</summary>
public sealed class Watch : KeyedFunction<string, Payment, Alert>
{
    private static readonly ValueState<Profile> Profile = new("profile");

    public override IReadOnlyList<StateDeclaration> States => [Profile];

    public override void Process(in Payment payment, ref KeyedContext<string, Alert> context)
    {
        var seen = context.Get(Profile);
        if (seen.Payments >= 3 && payment.Amount > 10 * seen.Total / seen.Payments)
            context.Emit(new Alert(payment.Account, payment.Time, payment.Amount, Usual: seen.Total / seen.Payments));
        context.Set(Profile, new Profile(seen.Payments + 1, seen.Total + payment.Amount));
    }
}

public sealed class PaymentJob : IStreamJob
{
    public void Define(JobGraph graph, JobArguments args) => graph
        .From("payments", Files.JsonLines<Payment>(args.Require("input")))
        .WithTimestamps(static payment => payment.Time, maxOutOfOrderness: TimeSpan.FromSeconds(10))
        .Where(static payment => payment.Amount > 0)
        .KeyBy(static payment => payment.Account)
        .Process("watch", static services => new Watch())
        .To("alerts", Files.JsonLinesOutput<Alert>(args.Require("output")));
}

public static class PaymentSilo
{
    public static async Task<JobStatus> RunAsync(string input, string output, int siloPort = 11111, int gatewayPort = 30000)
    {
        using var host = Host.CreateDefaultBuilder()
            .ConfigureLogging(static logging => logging.SetMinimumLevel(LogLevel.Warning))
            .UseOrleans(silo => silo
                .UseLocalhostClustering(siloPort, gatewayPort)
                .AddOrleansStream(options => options.Checkpoints.Folder = output + ".checkpoints")
                .AddStreamJob<PaymentJob>("payments", new JobStart
                {
                    Arguments = new JobArguments([new("input", input), new("output", output)]),
                }))
            .Build();

        await host.StartAsync();
        var jobs = host.Services.GetRequiredService<IStreamJobs>();
        await jobs.StartAsync("payments");
        var status = await jobs.WaitForEndAsync("payments");
        await host.StopAsync();
        return status;
    }
}
