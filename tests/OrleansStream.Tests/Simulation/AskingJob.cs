using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Testing.Simulation;

namespace OrleansStream.Tests.Simulation;

/// <summary>Every record is asked for outside, which takes a while and fails now and then: each is in flight or in the output of a checkpoint, and once in the output of the run.</summary>
internal sealed class AskingJob(SimulatedRun run, Input input, AsyncOrder order, bool isKeyed) : EngineJob(run, input)
{
    private readonly AsyncOptions _options = new()
    {
        Capacity = 1 + (input.RecordsPerSplit % 16),
        Order = order,
        Timeout = null,
        Retry = new AsyncRetry { Attempts = 1000, Delay = TimeSpan.FromMilliseconds(1), LongestDelay = TimeSpan.FromMilliseconds(3) },
    };

    public override void Define(JobGraph graph)
    {
        var readings = ReadingsOf(graph, input);
        var asked = isKeyed ? readings.KeyBy(static reading => reading.Key).SelectAsync("ask", AskAsync, _options) : readings.SelectAsync("ask", AskAsync, _options);
        asked.To("out", SinkOf("out"));
    }

    public override string? ProblemOf(Cut cut) => Difference(
        "records, in flight and answered", Before(cut).Select(static reading => reading.Name), cut.InFlight<Reading>("ask").Select(static reading => reading.Name).Concat(cut.Lines("out")));

    public override string? ProblemOfOutput() => Difference("output", All.Select(static reading => reading.Name), OutputOf("out"));

    private async Task<string> AskAsync(Reading reading, CancellationToken cancellation)
    {
        if (Run.Random.Next(4) > 0) await Task.Delay(TimeSpan.FromTicks(Run.Random.Next(30_000)), Run.Scheduler, cancellation);
        return Run.Random.Next(20) > 0 ? reading.Name : throw new FormatException("nobody there");
    }
}
