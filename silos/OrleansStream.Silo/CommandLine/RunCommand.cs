using System.CommandLine;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary><c>run JOB …</c>: one bounded run of a job, to its end.</summary>
internal sealed class RunCommand(Screen screen)
{
    public const string Name = "run";

    private static readonly TimeSpan DefaultWindow = TimeSpan.FromHours(1);

    private readonly Option<TimeSpan?> _window = RunOptions.Duration("--window", "The size of a window, for example 200ms, 10s, 5m, 1h or 1d. 1h unless given.", TimeSpan.FromMilliseconds(1));

    public Command Build(Guard guard) =>
        new(Name, "Run a job to the end of its input. Exit code 0 when the output is complete, 1 when the job failed, 2 when the command was wrong, 130 when it was stopped.")
        {
            Average(guard),
            new AllroundCommand(screen).Run(guard),
        };

    private Command Average(Guard guard) => new FileRun(AverageSensorReadings.JobName, "sensor and window").Build(
        "Average the readings of each sensor in windows of event time.",
        [
            (_window, parsed => KeyValuePair.Create(AverageSensorReadings.Arguments.Window, Durations.Show(parsed.GetValue(_window) ?? DefaultWindow))),
        ],
        screen,
        guard);
}
