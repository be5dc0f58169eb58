using System.CommandLine;
using OrleansStream.Jobs;
using OrleansStream.Silo.CommandLine.Client;
using OrleansStream.Silo.Hosting;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary><c>jobs</c> and <c>describe JOB</c>: what this silo can run, without running it; <c>jobs --url URL</c> what a running cluster does.</summary>
internal static class JobsCommand
{
    public static Command List(Screen screen, Guard guard)
    {
        var url = ClientOptions.UrlOf("Ask a running cluster how its jobs are doing, at the address of any silo of it.");
        var json = new Option<bool>("--json") { Description = "As JSON, for programs." };
        var command = new Command("jobs", "List the jobs of this silo, one name a line; with --url those of a running cluster, and how they are doing.") { url, json };
        command.SetAction(guard((parsed, verbose, cancellation) =>
        {
            if (parsed.GetValue(url) is { } address) return ClientReads.JobsAsync(address, parsed.GetValue(json), screen, cancellation);
            if (parsed.GetValue(json)) ClientReads.ShowJson(Ask(screen, verbose, static jobs => jobs.Names), screen);
            else foreach (var job in Ask(screen, verbose, static jobs => jobs.Names)) screen.WriteLine(job);
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    public static Command Describe(Screen screen, Guard guard)
    {
        var job = new Argument<string>("JOB") { Description = "The job's name." };
        var json = new Option<bool>("--json") { Description = "As JSON, for programs." };
        var command = new Command("describe", "Show the graph of a job, as it is without arguments: its operators, what they read and how records get there.") { job, json };
        command.SetAction(guard((parsed, verbose, _) =>
        {
            var name = parsed.GetRequiredValue(job);
            screen.WriteLine(Ask(screen, verbose, jobs => parsed.GetValue(json) ? jobs.DescribeAsJson(name) : jobs.DescribeAsText(name)).TrimEnd('\n'));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static T Ask<T>(Screen screen, bool verbose, Func<IStreamJobs, T> question) => EmbeddedSilo.Ask(
        new SiloSettings { Start = DemoCommand.StartAt(TimeProvider.System.GetUtcNow()), Screen = screen, Verbose = verbose }, question);
}
