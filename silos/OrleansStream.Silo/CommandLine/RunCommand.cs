using System.CommandLine;
using System.Globalization;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary><c>run JOB …</c>: one bounded run of a job, to its end.</summary>
internal sealed class RunCommand(Screen screen)
{
    public const string Name = "run";

    private static readonly TimeSpan DefaultWindow = TimeSpan.FromHours(1);

    private readonly Option<TimeSpan?> _window = RunOptions.Duration("--window", "The size of a window, for example 200ms, 10s, 5m, 1h or 1d. 1h unless given.", TimeSpan.FromMilliseconds(1));

    private readonly Option<double?> _rise = RunOptions.Number("--rise", "DEGREES", $"By how many °C, or more, a reading must be above the one before it to be a rise. {Show(SensorAnomalies.DefaultRise)} unless given.", isAboveZero: true);
    private readonly Option<double?> _bound = RunOptions.Number("--bound", "DEGREES", $"What the three readings must be above, in °C. {Show(SensorAnomalies.DefaultBound)} unless given.");

    private readonly Option<TimeSpan?> _within = RunOptions.Duration(
        "--within",
        $"What an anomaly must stay below, from the reading before the rise to the last of the three; readings an hour apart need more than 4h. {Durations.Show(SensorAnomalies.DefaultWithin)} unless given.",
        TimeSpan.FromMilliseconds(1));

    public Command Build(Guard guard) =>
        new(Name, "Run a job to the end of its input. Exit code 0 when the output is complete, 1 when the job failed, 2 when the command was wrong, 130 when it was stopped.")
        {
            Average(guard),
            Anomalies(guard),
            new AllroundCommand(screen).Run(guard),
        };

    private Command Average(Guard guard) => new FileRun(AverageSensorReadings.JobName, "sensor and window").Build(
        "Average the readings of each sensor in windows of event time.",
        [
            (_window, parsed => KeyValuePair.Create(AverageSensorReadings.Arguments.Window, Durations.Show(parsed.GetValue(_window) ?? DefaultWindow))),
        ],
        screen,
        guard);

    private Command Anomalies(Guard guard) => new FileRun(SensorAnomalies.JobName, "anomaly").Build(
        "Find where the readings of a sensor rise suddenly and three readings soon after are above a bound.",
        [
            (_rise, parsed => KeyValuePair.Create(SensorAnomalies.Arguments.Rise, Show(parsed.GetValue(_rise) ?? SensorAnomalies.DefaultRise))),
            (_bound, parsed => KeyValuePair.Create(SensorAnomalies.Arguments.Bound, Show(parsed.GetValue(_bound) ?? SensorAnomalies.DefaultBound))),
            (_within, parsed => KeyValuePair.Create(SensorAnomalies.Arguments.Within, Durations.Show(parsed.GetValue(_within) ?? SensorAnomalies.DefaultWithin))),
        ],
        screen,
        guard);

    /// <summary>A number in one way of writing, so that <c>2.50</c> and <c>2.5</c> are one argument, and so are both zeros.</summary>
    private static string Show(double number) => (number + 0.0).ToString("R", CultureInfo.InvariantCulture);
}
