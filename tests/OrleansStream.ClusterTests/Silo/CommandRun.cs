using OrleansStream.Silo.CommandLine;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.ClusterTests.Silo;

/// <summary>A command line that was run in this process, and what it said.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>The one line on the error stream.</summary>
    public string ErrorLine => Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    public static async Task<CommandRun> OfAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await new SiloCommandLine(Screen.Of(output, error)).RunAsync(args);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary><c>run average-sensor-readings</c> over files; what is given after them comes behind.</summary>
    public static Task<CommandRun> OverAsync(IEnumerable<string> inputs, string output, params string[] more) => OfJobAsync(AverageSensorReadings.JobName, inputs, output, more);

    /// <summary><c>run JOB</c> over files; what is given after them comes behind.</summary>
    public static Task<CommandRun> OfJobAsync(string job, IEnumerable<string> inputs, string output, params string[] more) =>
        OfAsync(["run", job, .. inputs.SelectMany(static input => new[] { "--input", input }), "--output", output, .. more]);

    public static Task<CommandRun> OverAsync(string input, string output, params string[] more) => OverAsync([input], output, more);

    public CommandRun Succeeded()
    {
        Assert.True(ExitCode == 0, $"The command ended with {ExitCode}: {Error}{Output}");
        return this;
    }

    public CommandRun Failed(int exitCode, params string[] saying)
    {
        Assert.True(ExitCode == exitCode, $"The command ended with {ExitCode}, not {exitCode}: {Error}{Output}");
        foreach (var words in saying) Assert.Contains(words, ErrorLine, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        return this;
    }
}
