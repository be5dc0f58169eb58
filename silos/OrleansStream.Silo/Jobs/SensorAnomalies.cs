using System.Globalization;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Patterns;
using OrleansStream.Sinks;

namespace OrleansStream.Silo.Jobs;

/// <summary>
/// Finds where the readings of a sensor rise suddenly and stay high: a reading at least <c>rise</c> °C above the one before it, and soon after it three readings above <c>bound</c> °C,
/// with others between them or not. From the reading before the rise to the third of the three it takes less than <c>within</c>. An anomaly begins after the one before it has
/// ended. With the argument <c>input</c> it reads CSV files and writes JSON lines to <c>output</c>; without, it makes readings up from <c>started</c> on and prints the anomalies.
/// </summary>
/// <param name="console">Where anomalies are printed; the console when null.</param>
public sealed class SensorAnomalies(TextWriter? console = null) : IStreamJob
{
    /// <summary>The job's name.</summary>
    public const string JobName = "sensor-anomalies";

    /// <summary>How much a reading must rise unless <c>rise</c> is given, in °C.</summary>
    public const double DefaultRise = 2.5;

    /// <summary>What three readings must be above unless <c>bound</c> is given, in °C.</summary>
    public const double DefaultBound = 35;

    /// <summary>How long an anomaly may take unless <c>within</c> is given.</summary>
    public static readonly TimeSpan DefaultWithin = TimeSpan.FromHours(1);

    private const int HighReadings = 3;

    /// <summary>Names of the job's arguments, beside those of <see cref="SensorFiles.Arguments"/>.</summary>
    public static class Arguments
    {
        public const string Rise = "rise";
        public const string Bound = "bound";
        public const string Within = "within";
    }

    /// <inheritdoc/>
    public void Define(JobGraph graph, JobArguments args)
    {
        var anomaly = Anomaly(args);
        var isOfFiles = SensorFiles.AreGiven(args);
        var readings = graph.From("readings", isOfFiles ? SensorFiles.Of(args) : GeneratedReadings.Of(args));

        readings
            .WithTimestamps(static reading => reading.TimeMs, args.GetDuration(SensorFiles.Arguments.OutOfOrderness, TimeSpan.FromHours(1)))
            .KeyBy(static reading => reading.Sensor)
            .Match("anomaly", anomaly)
            .Select(static match => AnomalyOf(match))
            .To("anomalies", isOfFiles ? Files.JsonLinesOutput<SensorAnomaly>(args.Require(SensorFiles.Arguments.Output)) : new ConsoleSink<SensorAnomaly>(Show, console));

        if (isOfFiles) SensorFiles.KeepBadRecords(readings, args);
    }

    private static Pattern<Reading> Anomaly(JobArguments args)
    {
        var rise = args.GetNumber(Arguments.Rise) ?? DefaultRise;
        if (rise <= 0) throw new JobRefusedException($"Argument '{Arguments.Rise}' is '{args.Get(Arguments.Rise)}': it must be above 0.");
        var bound = args.GetNumber(Arguments.Bound) ?? DefaultBound;
        return Pattern.Begin<Reading>("before", SkipStrategy.PastLast)
            .Next("rise").Where((reading, matched) => reading.Celsius - matched["before"][0].Celsius >= rise)
            .FollowedBy("high").Where(reading => reading.Celsius > bound).Times(HighReadings)
            .Within(args.GetDuration(Arguments.Within, DefaultWithin));
    }

    private static SensorAnomaly AnomalyOf(Match<Reading> match)
    {
        var (before, risen) = (match["before"][0], match["rise"][0]);
        return new SensorAnomaly(before.Sensor, before.Time, risen.Time, risen.Celsius - before.Celsius, [.. match["high"].Select(static reading => new HighReading(reading.Time, reading.Celsius))]);
    }

    private static string Show(SensorAnomaly anomaly) => string.Create(
        CultureInfo.InvariantCulture,
        $"{anomaly.RiseStart:HH:mm:ss} UTC   {anomaly.Sensor,-10} rose by {anomaly.RiseCelsius:F2} °C, then {string.Join(", ", anomaly.High.Select(static high => string.Create(CultureInfo.InvariantCulture, $"{high.Celsius:F2}")))} °C");
}
