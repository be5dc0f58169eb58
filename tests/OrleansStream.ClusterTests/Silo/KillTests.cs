using OrleansStream.Silo.Jobs;

namespace OrleansStream.ClusterTests.Silo;

/// <summary>The short form of <c>tests/kill-and-restart.sh</c>.</summary>
public sealed class KillTests
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(30);

    private static readonly string[] Averages = [AverageSensorReadings.JobName, "--window", "30m"];

    [Theory]
    [InlineData(1, new[] { 2, 2, 2 })]
    [InlineData(2, new[] { 1, 3, 2 })]
    [InlineData(3, new[] { 3, 2, 1 })]
    public Task A_run_that_is_killed_twice_and_started_again_gives_the_lines_of_an_unbroken_one(int seed, int[] parallelism) =>
        KillTwiceAsync(Averages, static input => input.Averages(Window), seed, parallelism);

    [Theory]
    [InlineData(4, new[] { 2, 2, 2 })]
    [InlineData(5, new[] { 1, 3, 2 })]
    public Task A_search_for_anomalies_that_is_killed_twice_and_started_again_gives_the_lines_of_an_unbroken_one(int seed, int[] parallelism) =>
        KillTwiceAsync([SensorAnomalies.JobName, "--within", "2h"], static input => input.Anomalies(SensorAnomalies.DefaultRise, SensorAnomalies.DefaultBound, TimeSpan.FromHours(2)), seed, parallelism);

    private static async Task KillTwiceAsync(string[] job, Func<SensorFile, IEnumerable<string>> unbroken, int seed, int[] parallelism)
    {
        using var folder = new TestFolder();
        var random = new Random(seed);
        // More than is read until enough is committed, on a machine that has much else to do.
        SensorFile[] inputs = [SensorFile.Write(folder["one.csv"], seed, count: 20_000), SensorFile.Write(folder["two.csv"], seed + 100, count: 20_000)];
        var output = folder["out.jsonl"];
        Directory.CreateDirectory(output + ".parts");

        foreach (var before in parallelism.SkipLast(1))
        {
            using var parts = new CommittedParts(output + ".parts", random.Next(1, 8));
            await using var silo = Start(job, inputs, output, before, rate: 4_000);
            await Task.WhenAny(parts.Seen, silo.EndAsync());
            Assert.True(parts.Seen.IsCompleted, $"The run ended before it was killed: {silo.Printed}");
            silo.Kill();
            Assert.NotEqual(0, await silo.EndAsync());
        }

        await using var last = Start(job, inputs, output, parallelism[^1], rate: 50_000);
        Assert.True(await last.EndAsync() == 0, last.Printed);
        Assert.Contains("since checkpoint", last.Printed, StringComparison.Ordinal);

        var lines = await File.ReadAllLinesAsync(output, TestContext.Current.CancellationToken);
        foreach (var input in inputs) Assert.Equal(unbroken(input), lines.Where(line => line.Contains($"\"{input.Sensor}\"", StringComparison.Ordinal)));
        Assert.Equal(inputs.Sum(input => unbroken(input).Count()), lines.Length);
        Assert.Equal(["finish.lock", "finished"], Directory.EnumerateFiles(output + ".parts").Select(static part => Path.GetFileName(part)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_run_that_is_asked_to_end_goes_on_when_it_is_started_again()
    {
        using var folder = new TestFolder();
        SensorFile[] inputs = [SensorFile.Write(folder["one.csv"], seed: 9, count: 6_000)];
        var output = folder["out.jsonl"];
        Directory.CreateDirectory(output + ".parts");
        using (var parts = new CommittedParts(output + ".parts", 2))
        {
            await using var silo = Start(Averages, inputs, output, parallelism: 2, rate: 2_000);
            await Task.WhenAny(parts.Seen, silo.EndAsync());
            await silo.TerminateAsync();
            Assert.Equal(130, await silo.EndAsync());
            Assert.Contains("The same command goes on", silo.Printed, StringComparison.Ordinal);
        }

        await using var last = Start(Averages, inputs, output, parallelism: 1, rate: 50_000);
        Assert.True(await last.EndAsync() == 0, last.Printed);
        Assert.Equal(inputs[0].Averages(Window), await File.ReadAllLinesAsync(output, TestContext.Current.CancellationToken));
    }

    private static SiloProcess Start(string[] job, IEnumerable<SensorFile> inputs, string output, int parallelism, int rate) => SiloProcess.Start(
    [
        "run", .. job, .. inputs.SelectMany(static input => new[] { "--input", input.Path }), "--output", output, "--out-of-orderness", "1h",
        "--parallelism", $"{parallelism}", "--rate", $"{rate}", "--checkpoint-interval", "50ms",
    ]);

    /// <summary>Sees parts of output become visible.</summary>
    private sealed class CommittedParts : IDisposable
    {
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly FileSystemWatcher _watcher;
        private int _left;

        public CommittedParts(string folder, int wanted)
        {
            _left = wanted;
            _watcher = new FileSystemWatcher(folder);
            _watcher.Renamed += (_, renamed) =>
            {
                if (renamed.Name?.EndsWith(".jsonl", StringComparison.Ordinal) is true && Interlocked.Decrement(ref _left) == 0) _seen.TrySetResult();
            };
            _watcher.EnableRaisingEvents = true;
        }

        /// <summary>Completes when as many parts as wanted were committed.</summary>
        public Task Seen => _seen.Task;

        public void Dispose() => _watcher.Dispose();
    }
}
