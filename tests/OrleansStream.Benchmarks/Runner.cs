using System.Globalization;

namespace OrleansStream.Benchmarks;

/// <summary>The measured runs of one contender.</summary>
/// <param name="Contender">Who ran.</param>
/// <param name="Events">Records in each of its runs.</param>
/// <param name="Expected">The right answer for that many.</param>
internal sealed record ContenderRuns(IContender Contender, long Events, Answer Expected)
{
    public List<(Measurement Measured, Outcome Outcome)> Runs { get; } = [];

    /// <summary>What else is to be told of the runs, a line each.</summary>
    public List<string> Remarks { get; } = [];

    public bool AnswersAreRight => WrongAnswer is null;

    /// <summary>The first wrong answer, of the run that is not counted too.</summary>
    public Answer? WrongAnswer { get; set; }

    public double Rate(Measurement run) => Events / run.Time.TotalSeconds;

    public double RatePerCore(Measurement run) => Events / run.Processor.TotalSeconds;

    public double BytesPerEvent(Measurement run) => (double)run.AllocatedBytes / Events;
}

/// <summary>Runs the contenders of a workload in turn, so that what disturbs the machine disturbs all alike.</summary>
internal static class Runner
{
    public static async Task<Report> RunAsync(Contest contest, IReadOnlyList<IContender> contenders, RunSettings settings, string command)
    {
        var expected = new Dictionary<long, Answer>();
        var measured = new List<ContenderRuns>();
        foreach (var contender in contenders)
        {
            var events = Math.Min(settings.Events, contender.MostEvents);
            if (!expected.TryGetValue(events, out var answer)) expected[events] = answer = contest.Expected(settings with { Events = events });
            measured.Add(new ContenderRuns(contender, events, answer));
        }

        for (var run = 0; run <= settings.Runs; run++)
        {
            foreach (var entry in measured) await RunOnceAsync(entry, settings, run);
        }

        return new Report(contest, settings, command, measured, Machine.Observe(settings));
    }

    private static async Task RunOnceAsync(ContenderRuns entry, RunSettings settings, int run)
    {
        var (measurement, outcome) = await Measurement.OfAsync(() => entry.Contender.RunAsync(settings with { Events = entry.Events }));
        var isRight = outcome.Answer == entry.Expected;
        if (!isRight) entry.WrongAnswer ??= outcome.Answer;
        if (run > 0) entry.Runs.Add((measurement, outcome));
        await Console.Error.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{(run == 0 ? "warm-up" : $"run {run}")}: {entry.Contender.Name}: {entry.Rate(measurement) / 1e6:0.000} M/s, {measurement.Time.TotalSeconds:0.0} s{(isRight ? "" : $", WRONG: {outcome.Answer}, expected {entry.Expected}")}"));
    }
}
