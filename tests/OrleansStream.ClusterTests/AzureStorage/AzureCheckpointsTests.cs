using OrleansStream.ClusterTests.Jobs;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Windows;

namespace OrleansStream.ClusterTests.AzureStorage;

/// <summary>Jobs whose checkpoints are in Azure blobs.</summary>
public sealed class AzureCheckpointsTests(Azurite azurite)
{
    private const long Records = 20_000;

    [Theory]
    [InlineData(2, 2)]
    [InlineData(1, 3)]
    public async Task A_job_whose_silo_is_cut_off_goes_on_elsewhere_and_gives_the_output_of_an_unbroken_run(int before, int after)
    {
        using var folder = new TestFolder();
        await using (var unbroken = await StartAsync(azurite.NewContainer(), new UnreliableNetwork()))
        {
            Assert.Equal(JobPhase.Finished, (await unbroken.RunAsync(before, Output(folder["unbroken.jsonl"]))).Phase);
        }

        var (container, network) = (azurite.NewContainer(), new UnreliableNetwork());
        await using (var first = await StartAsync(container, network))
        {
            await first.Jobs.StartAsync("job", new JobStart { Parallelism = before, Arguments = Output(folder["broken.jsonl"]), RecordsPerSecond = 3_000 });
            var killed = await first.WaitAsync(static status => status.Checkpoints.Count(static checkpoint => checkpoint.State == "committed") >= 3 && Emitted(status) > 0);
            // As if the machine had lost its power: from here on nothing it does is stored.
            network.LosesRequest = static _ => true;
            Assert.True(Emitted(killed) < Records, "No work was left.");
            await first.RemoveAsync(silo: 0, gracefully: false);
        }

        await using var second = await StartAsync(container, new UnreliableNetwork());
        var finished = await second.RunAsync(after, Output(folder["broken.jsonl"]));

        Assert.True(finished.Phase == JobPhase.Finished, finished.Cause);
        Assert.NotNull(finished.RestoredFrom);
        Assert.Equal(Lines(folder["unbroken.jsonl"]), Lines(folder["broken.jsonl"]));
        Assert.Equal(20 * (Records / 100), Lines(folder["broken.jsonl"]).Count);
    }

    [Fact]
    public async Task A_job_outlives_a_service_that_fails_now_and_then()
    {
        using var folder = new TestFolder();
        var random = new Random(5);
        var network = new UnreliableNetwork();
        var lost = 0;
        await using var silo = await StartAsync(azurite.NewContainer(), network);
        network.LosesRequest = _ => Loses(0.08);
        network.LosesAnswer = _ => Loses(0.08);

        var status = await silo.RunAsync(2, Output(folder["out.jsonl"]), recordsPerSecond: 10_000);

        Assert.True(status.Phase == JobPhase.Finished, status.Cause);
        Assert.True(lost > 5, $"Only {lost} requests and answers were lost.");
        Assert.Equal(20 * (Records / 100), Lines(folder["out.jsonl"]).Distinct().Count());
        Assert.Equal(20 * (Records / 100), Lines(folder["out.jsonl"]).Count);

        bool Loses(double share)
        {
            lock (random)
            {
                if (random.NextDouble() >= share) return false;
                lost++;
                return true;
            }
        }
    }

    [Fact]
    public async Task A_silo_whose_account_refuses_it_does_not_start()
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(static () => TestSilos.StartAsync("unused", Define, configure: static options =>
            options.Checkpoints.UseAzureBlobs($"AccountName=a;AccountKey={Convert.ToBase64String(new byte[32])};BlobEndpoint=http://127.0.0.1:1/a;", "checkpoints")));
        Assert.Contains("The checkpoint container 'http://127.0.0.1:1/a/checkpoints' cannot be used", refused.ToString(), StringComparison.Ordinal);
    }

    private static void Define(JobGraph graph, JobArguments args) => graph
        .From("numbers", Generator.Of(static n => new Numbered((int)(n % 20), n), Records, splits: 2, timestamp: static n => n))
        .WithTimestamps(TimeSpan.FromMilliseconds(20))
        .KeyBy(static number => number.Key)
        .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(100)))
        .Aggregate("sum", 0L, static (sum, number) => sum + number.Value, static sum => sum)
        .Select(static result => new WindowSum(result.Key, result.Window.Start, result.Value))
        .To("sums", Files.JsonLinesOutput<WindowSum>(args.Require("output")));

    private async Task<TestSilos> StartAsync(string container, UnreliableNetwork network)
    {
        var connection = await azurite.ConnectionStringAsync();
        return await TestSilos.StartAsync("unused", Define, configure: options =>
        {
            options.Checkpoints.UseAzureBlobs(blobs => (blobs.ConnectionString, blobs.Container, blobs.ClientOptions) = (connection, container, network.Options(retries: 0)));
            options.Checkpoints.Interval = TimeSpan.FromMilliseconds(100);
            // Many pieces, so that snapshots are written in blocks.
            options.Checkpoints.PieceBytes = 128;
        });
    }

    private static long Emitted(JobStatus status) => status.Stages[0].Subtasks.Sum(static subtask => subtask.RecordsOut);

    private static JobArguments Output(string path) => new([new("output", path)]);

    private static List<string> Lines(string path) => [.. File.ReadAllLines(path).Order(StringComparer.Ordinal)];

    [GenerateSerializer, Immutable]
    internal readonly record struct WindowSum([property: Id(0)] int Key, [property: Id(1)] long Start, [property: Id(2)] long Sum);
}
