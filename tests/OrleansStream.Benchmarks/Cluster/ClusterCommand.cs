using System.CommandLine;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.Cluster;

/// <summary>Something that is measured of a cluster.</summary>
internal interface IClusterFigure
{
    string Name { get; }

    string Description { get; }

    ClusterSettings Defaults { get; }

    Task MeasureAsync(ClusterSettings settings, FigureTable to, CancellationToken cancellation);
}

/// <summary>The command line of what is measured of a cluster of silo processes.</summary>
internal static class ClusterCommand
{
    private static readonly IClusterFigure[] Figures = [new KillFigure(), new LeaveFigure(), new RescaleFigure(), new CheckpointFigure()];

    public static Command Build()
    {
        var command = new Command("cluster", "Measures three silos as processes, which deploy/local/cluster.sh brings up, with the job 'allround' on them. No other cluster of that script may run.");
        foreach (var figure in Figures) command.Add(BuildOne(figure));
        return command;
    }

    private static Command BuildOne(IClusterFigure figure)
    {
        var defaults = figure.Defaults;
        var times = BenchmarkCommand.AtLeast(new Option<int>("--times") { Description = "How often, each time on a new cluster.", DefaultValueFactory = _ => defaults.Times }, 1);
        var keys = BenchmarkCommand.AtLeast(new Option<int?>("--keys") { Description = $"Different keys, {defaults.Keys} unless given.", CustomParser = Quantity.ParseCount }, 1);
        var rate = new Option<double?>("--rate") { Description = $"Records per second, {defaults.Rate} unless given: 4000/s, 15k/s, …", CustomParser = Quantity.Parse };
        var parallelism = BenchmarkCommand.AtLeast(new Option<int>("--parallelism") { Description = "Subtasks of each stage.", DefaultValueFactory = _ => defaults.Parallelism }, 1);
        var interval = DurationOption("--checkpoint-interval", "Time between checkpoints", defaults.CheckpointInterval);
        var after = DurationOption("--after", "For how long the job runs before", defaults.After);
        var silo = new Option<int?>("--silo") { Description = $"The silo that it happens to, 1 to {LocalCluster.Silos}; one after the other unless given. Silo 1 leads the job, most of the time." };
        silo.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is { } number and (< 1 or > LocalCluster.Silos)) result.AddError($"--silo is {number}; it must be 1 to {LocalCluster.Silos}.");
        });
        var command = new Command(figure.Name, $"{char.ToUpperInvariant(figure.Description[0])}{figure.Description[1..]}.") { times, keys, rate, parallelism, interval, after };
        if (defaults.HasVictim) command.Add(silo);
        command.SetAction((parsed, cancellation) => RunAsync(
            figure,
            defaults with
            {
                Times = parsed.GetValue(times),
                Keys = parsed.GetValue(keys) ?? defaults.Keys,
                Rate = parsed.GetValue(rate) ?? defaults.Rate,
                Parallelism = parsed.GetValue(parallelism),
                CheckpointInterval = parsed.GetValue(interval) ?? defaults.CheckpointInterval,
                After = parsed.GetValue(after) ?? defaults.After,
                Silo = parsed.GetValue(silo),
            },
            cancellation));
        return command;
    }

    private static Option<TimeSpan?> DurationOption(string name, string description, TimeSpan otherwise) => new(name)
    {
        Description = FormattableString.Invariant($"{description}: 500ms, 2s, 1m, …; {otherwise.TotalSeconds:0.###}s unless given."),
        CustomParser = result =>
        {
            if (JobArguments.ParseDuration(result.Tokens[0].Value) is { } duration) return duration;
            result.AddError($"{name} is '{result.Tokens[0].Value}'; write a duration, for example 500ms, 2s or 1m.");
            return null;
        },
    };

    private static async Task<int> RunAsync(IClusterFigure figure, ClusterSettings settings, CancellationToken cancellation)
    {
        try
        {
            var to = new FigureTable(Console.Out);
            to.Line($"cluster {figure.Name}: {figure.Description}");
            to.Line(FormattableString.Invariant($"{settings.Keys:N0} keys, {settings.Rate:N0} records/s, parallelism {settings.Parallelism}, a checkpoint every {settings.CheckpointInterval.TotalSeconds:0.###} s to {settings.Storage}, {settings.After.TotalSeconds:0.###} s before it is measured; {settings.Times} times"));
            to.Line($"machine: {Machine.Observe(Path.GetTempPath())}");
            to.Line();
            await figure.MeasureAsync(settings, to, cancellation);
            return 0;
        }
        catch (Exception error) when (error is BadSettingsException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return error is BadSettingsException ? 2 : 1;
        }
    }
}
