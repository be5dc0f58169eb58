namespace OrleansStream.Tests.Simulation;

public sealed class SimulationTests
{
    [Fact]
    public void Quick()
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var from = int.Parse(Environment.GetEnvironmentVariable("SEED") ?? "1");
        var count = int.Parse(Environment.GetEnvironmentVariable("SEEDS") ?? "1");
        var bad = 0;
        var tally = new SortedDictionary<string, int>();
        for (var seed = from; seed < from + count; seed++)
        {
            var trace = Environment.GetEnvironmentVariable("TRACE") is not null;
            Action<string>? log = trace ? line => Console.WriteLine(line) : null;
            var run = new SimulatedRun(seed, Enum.Parse<Breakage>(Environment.GetEnvironmentVariable("BREAK") ?? "None"), log);
            run.Execute();
            if (count < 20 || run.Violation is not null && bad < 25) Console.WriteLine(run);
            if (run.Violation is not null) { bad++; tally[run.Violation.Checker] = tally.GetValueOrDefault(run.Violation.Checker) + 1; }
        }

        Console.WriteLine($"{bad} of {count} bad in {watch.ElapsedMilliseconds} ms: {string.Join(", ", tally)}");
    }
}
