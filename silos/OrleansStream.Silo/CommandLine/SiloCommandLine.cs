using System.CommandLine;
using OrleansStream.Jobs;
using OrleansStream.Silo.CommandLine.Client;
using OrleansStream.Silo.Hosting;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary>The commands of the silo, and what all of them share: one line for each error, and a clean end by signal.</summary>
internal sealed class SiloCommandLine(Screen screen)
{
    /// <summary>A command that has not ended this long after Ctrl-C is cut off.</summary>
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(4.5);

    /// <summary>The same for a silo of a cluster, which hands over what it runs.</summary>
    private static readonly TimeSpan LongestHandOver = ClusterSilo.LongestStop + LongestFarewell;

    private readonly Option<bool> _verbose = new("--verbose") { Description = "Log what the silo does, and errors with stack traces.", Recursive = true };

    /// <summary>Runs a command line.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string[] args)
    {
        var root = Root();
        var parsed = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false });
        if (parsed.Errors.Count > 0)
        {
            screen.WriteError($"error: {ParseErrors.Describe(parsed)}");
            return ExitCode.Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = parsed.CommandResult.Command.Name == ServeCommand.Name ? LongestHandOver : LongestFarewell });
    }

    private RootCommand Root()
    {
        var root = new RootCommand("A silo that runs stream jobs. Without a command it runs the job average-sensor-readings on generated readings until Ctrl-C.") { _verbose };
        new DemoCommand(screen).AddTo(root, Guarded);
        root.Subcommands.Add(new RunCommand(screen).Build(Guarded));
        root.Subcommands.Add(new ServeCommand(screen).Build(Guarded));
        root.Subcommands.Add(new AllroundCommand(screen).Check(Guarded));
        root.Subcommands.Add(JobsCommand.List(screen, Guarded));
        root.Subcommands.Add(JobsCommand.Describe(screen, Guarded));
        root.Subcommands.Add(ClientReads.Status(screen, Guarded));
        root.Subcommands.Add(ClientReads.Checkpoints(screen, Guarded));
        foreach (var change in ClientChanges.All(screen, Guarded)) root.Subcommands.Add(change);
        return root;
    }

    /// <summary>Turns exceptions into a line and an exit code.</summary>
    private Func<ParseResult, CancellationToken, Task<int>> Guarded(Func<ParseResult, bool, CancellationToken, Task<int>> command) => async (parsed, cancellation) =>
    {
        var verbose = parsed.GetValue(_verbose);
        try
        {
            return await command(parsed, verbose, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception error)
        {
            var isExpected = error is StreamException or IOException or UnauthorizedAccessException;
            screen.WriteError($"error: {(isExpected ? "" : $"{error.GetType().Name}: ")}{OneLine.Of(error.Message)}{(verbose || isExpected ? "" : " (run again with --verbose for more)")}");
            if (verbose) screen.WriteError(error.ToString());
            return ExitCode.Failed;
        }
    };
}

/// <summary>Wraps a command's work so that it ends with a line and an exit code whatever happens; the flag is <c>--verbose</c>.</summary>
internal delegate Func<ParseResult, CancellationToken, Task<int>> Guard(Func<ParseResult, bool, CancellationToken, Task<int>> command);
