using OrleansStream.ClusterTests.Silo;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A run that kills itself at each named point, with committed output equal to that of an unbroken run.</summary>
public sealed class KillPointTests(KillPointTests.DiedOnce once) : IClassFixture<KillPointTests.DiedOnce>
{
    private const int Killed = 137;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(30);

    /// <summary>All but those of planned moves, which a run in one process makes none of.</summary>
    public static TheoryData<string> Points => [.. Enum.GetValues<FaultPoint>().Except([FaultPoint.MovePublished, FaultPoint.HandOverBegun, FaultPoint.HandOverGiven]).Select(FaultPoints.NameOf)];

    [Theory]
    [MemberData(nameof(Points))]
    public async Task A_run_that_dies_at_a_point_goes_on_to_the_lines_of_an_unbroken_one(string point)
    {
        once.PutBack();
        await DieAsync(point, once.Inputs, once.Output, parallelism: 3, rate: 20_000);
        await using var last = Start(null, once.Inputs, once.Output, parallelism: 2, rate: 100_000);
        Assert.True(await last.EndAsync() == 0, last.Printed);

        var lines = await File.ReadAllLinesAsync(once.Output, TestContext.Current.CancellationToken);
        foreach (var input in once.Inputs) Assert.Equal(input.Averages(Window), lines.Where(line => line.Contains($"\"{input.Sensor}\"", StringComparison.Ordinal)));
        Assert.Equal(once.Inputs.Sum(static input => input.Averages(Window).Count()), lines.Length);
    }

    [Fact]
    public async Task A_point_that_there_is_not_is_refused_with_those_there_are()
    {
        using var folder = new TestFolder();
        await using var run = Start("publishd:2", [SensorFile.Write(folder["one.csv"], seed: 1, count: 10)], folder["out.jsonl"], 1, 1000);

        Assert.NotEqual(0, await run.EndAsync());
        Assert.Contains("'publishd:2'", run.Printed, StringComparison.Ordinal);
        Assert.Contains("published", run.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_faults_at_once_are_refused()
    {
        using var folder = new TestFolder();
        var faults = new Dictionary<string, string> { [FaultPoints.Variable] = "published", [FaultPoints.StopVariable] = "published" };
        await using var run = StartWith(faults, [SensorFile.Write(folder["one.csv"], seed: 1, count: 10)], folder["out.jsonl"], 1, 1000);

        Assert.NotEqual(0, await run.EndAsync());
        Assert.Contains("are both set", run.Printed, StringComparison.Ordinal);
    }

    private static async Task DieAsync(string at, IReadOnlyList<SensorFile> inputs, string output, int parallelism, int rate)
    {
        await using var run = Start(at, inputs, output, parallelism, rate);
        Assert.True(await run.EndAsync() == Killed, $"The run did not die at {at}:\n{run.Printed}");
        Assert.Contains($"killed at {at.Split(':')[0]}", run.Printed, StringComparison.Ordinal);
        Assert.False(File.Exists(output), "The output was complete before the run died.");
    }

    private static SiloProcess Start(string? killAt, IEnumerable<SensorFile> inputs, string output, int parallelism, int rate) =>
        StartWith(killAt is null ? [] : new Dictionary<string, string> { [FaultPoints.Variable] = killAt }, inputs, output, parallelism, rate);

    private static SiloProcess StartWith(Dictionary<string, string> faults, IEnumerable<SensorFile> inputs, string output, int parallelism, int rate) => SiloProcess.StartWith(
        faults,
        [
            "run", AverageSensorReadings.JobName, .. inputs.SelectMany(static input => new[] { "--input", input.Path }), "--output", output, "--window", "30m", "--out-of-orderness", "1h",
            "--parallelism", $"{parallelism}", "--rate", $"{rate}", "--checkpoint-interval", "50ms",
        ]);

    /// <summary>What a run leaves that has died behind a checkpoint whose output nobody has committed, so that recovery has everything to do. Each case begins from there.</summary>
    public sealed class DiedOnce : IAsyncLifetime
    {
        private readonly TestFolder _folder = new();
        private readonly TestFolder _copy = new();

        internal IReadOnlyList<SensorFile> Inputs { get; private set; } = [];

        internal string Output => _folder["out.jsonl"];

        public async ValueTask InitializeAsync()
        {
            Inputs = [SensorFile.Write(_folder["one.csv"], seed: 1, count: 4_000), SensorFile.Write(_folder["two.csv"], seed: 2, count: 4_000)];
            await DieAsync("published:2", Inputs, Output, parallelism: 2, rate: 8_000);
            Copy(_folder.Path, _copy.Path);
        }

        /// <summary>Makes the folder again what it was then.</summary>
        public void PutBack()
        {
            Directory.Delete(_folder.Path, recursive: true);
            Copy(_copy.Path, _folder.Path);
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            _copy.Dispose();
            return ValueTask.CompletedTask;
        }

        private static void Copy(string from, string to)
        {
            foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories).Prepend(from))
                Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
            foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories)) File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)), overwrite: true);
        }
    }
}
