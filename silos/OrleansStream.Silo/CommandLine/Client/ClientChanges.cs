using System.CommandLine;
using OrleansStream.Http;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine.Client;

/// <summary><c>start JOB</c>, <c>stop JOB</c> and <c>rescale JOB N</c>: asks a running cluster for a change, and waits until it is made.</summary>
internal sealed class ClientChanges(Screen screen)
{
    /// <summary>Between two questions whether it is done.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a silo may be silent while its answer is awaited: it may be restarting.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30);

    private readonly Argument<string> _job = ClientOptions.Job();
    private readonly ClientOptions _options = new();
    private readonly Option<bool> _wait = new("--wait") { Description = "Wait until it is done, the default." };
    private readonly Option<bool> _noWait = new("--no-wait") { Description = "Do not wait until it is done: print the operation's id and end." };

    public static IEnumerable<Command> All(Screen screen, Guard guard) =>
        [new ClientChanges(screen).Start(guard), new ClientChanges(screen).Stop(guard), new ClientChanges(screen).Rescale(guard)];

    private Command Start(Guard guard)
    {
        var parallelism = RunOptions.Parallelism("How many subtasks each stage has. As registered, or as it last ran, unless given.");
        var interval = RunOptions.Duration("--checkpoint-interval", "Time between checkpoints. As registered, or as it last ran, unless given.", TimeSpan.FromMilliseconds(10));
        var rate = RunOptions.Rate();
        var arguments = new Option<string[]>("--arg") { Description = "An argument of the job; may be given several times, also of one name. As registered, or as it last ran, unless given.", HelpName = "NAME=VALUE", Arity = ArgumentArity.ZeroOrMore };
        arguments.Validators.Add(static result =>
        {
            foreach (var token in result.Tokens)
            {
                if (token.Value.IndexOf('=', StringComparison.Ordinal) < 1) result.AddError($"'{token.Value}' is no argument: write --arg NAME=VALUE.");
            }
        });
        return Build("start", "Start a job of a running cluster, or let it go on from its last checkpoint. Does nothing to one that runs.", guard, [parallelism, arguments, rate, interval], parsed =>
        {
            var body = new Dictionary<string, object>();
            if (parsed.GetValue(parallelism) is > 0 and var number) body[JobChanges.Parallelism] = number;
            if (parsed.GetValue(rate) is { } perSecond) body[JobChanges.RecordsPerSecond] = perSecond;
            if (parsed.GetValue(interval) is { } between) body[JobChanges.CheckpointInterval] = Durations.Show(between);
            if (parsed.GetValue(arguments) is { Length: > 0 } given)
                body[JobChanges.Arguments] = given.Select(static argument => argument.Split('=', 2)).GroupBy(static pair => pair[0], static pair => pair[1]).ToDictionary(static group => group.Key, static group => group.ToArray());
            return body;
        });
    }

    private Command Stop(Guard guard)
    {
        var reason = new Option<string?>("--reason") { Description = "Why; kept in the job's history.", HelpName = "TEXT" };
        return Build("stop", "Take a last checkpoint and stop a job of a running cluster; it goes on from there when it is started again.", guard, [reason], parsed =>
            parsed.GetValue(reason) is { } text ? new Dictionary<string, object> { [JobChanges.Reason] = text } : []);
    }

    private Command Rescale(Guard guard)
    {
        var parallelism = new Argument<int>("N") { Description = "How many subtasks each stage is to have." };
        parallelism.Validators.Add(static result =>
        {
            if (!int.TryParse(result.Tokens[^1].Value, out var number) || number < 1) result.AddError($"'{result.Tokens[^1].Value}' is no parallelism: it must be a whole number from 1 on.");
        });
        var command = Build("rescale", "Let a running job go on at another parallelism, from a checkpoint taken for it.", guard, [], parsed => new Dictionary<string, object> { [JobChanges.Parallelism] = parsed.GetValue(parallelism) });
        command.Arguments.Add(parallelism);
        return command;
    }

    private Command Build(string verb, string description, Guard guard, Option[] own, Func<ParseResult, Dictionary<string, object>> body)
    {
        var command = new Command(verb, description) { _job };
        foreach (var option in (Option[])[.. own, _options.Url, _wait, _noWait, _options.Json]) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_wait) && result.GetValue(_noWait)) result.AddError("--wait and --no-wait cannot be given together.");
        });
        command.SetAction(guard((parsed, _, cancellation) => RunAsync(verb, parsed, body(parsed), cancellation)));
        return command;
    }

    private async Task<int> RunAsync(string verb, ParseResult parsed, Dictionary<string, object> body, CancellationToken cancellation)
    {
        var job = parsed.GetRequiredValue(_job);
        var asJson = parsed.GetValue(_options.Json);
        using var client = ClientReads.Open(_options.UrlIn(parsed), screen);
        var operation = await client.BeginAsync(job, verb, body, cancellation);
        if (!parsed.GetValue(_noWait))
        {
            try
            {
                operation = await EndAsync(client, operation, asJson, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                screen.WriteError($"No longer waiting; the operation {operation.Id} goes on. 'status {job}' shows how the job is doing.");
                return ExitCode.Interrupted;
            }
            finally
            {
                screen.ShowStatus(null);
            }
        }

        if (asJson) ClientReads.ShowJson(operation, screen);
        return Conclude(operation, asJson);
    }

    /// <summary>Asks until the operation has ended, and shows what is going on meanwhile.</summary>
    private async Task<OperationView> EndAsync(ClusterClient client, OperationView operation, bool isQuiet, CancellationToken cancellation)
    {
        var heard = TimeProvider.System.GetTimestamp();
        string? shown = null;
        while (operation.State == OperationState.Running)
        {
            var detail = $"{operation.Verb} {operation.Job}: {OneLine.Of(operation.Detail ?? "under way")}";
            screen.ShowStatus(detail);
            if (!screen.IsLive && !isQuiet && detail != shown) screen.WriteLine(shown = detail);
            await Task.Delay(Pause, TimeProvider.System, cancellation);
            try
            {
                operation = await client.GetAsync<OperationView>($"api/operations/{operation.Id}", cancellation);
                heard = TimeProvider.System.GetTimestamp();
            }
            catch (NoAnswerException) when (TimeProvider.System.GetElapsedTime(heard) < LongestSilence)
            {
                screen.ShowStatus($"{operation.Verb} {operation.Job}: the silo does not answer, trying again");
            }
        }

        return operation;
    }

    private int Conclude(OperationView operation, bool isQuiet)
    {
        switch (operation.State)
        {
            case OperationState.Running:
                if (!isQuiet) screen.WriteLine($"Begun: operation {operation.Id}.");
                return ExitCode.Done;
            case OperationState.Done:
                if (!isQuiet) screen.WriteLine($"Done: {operation.Verb} {operation.Job}. {OneLine.Of(operation.Detail ?? "")}".TrimEnd());
                return ExitCode.Done;
            case OperationState.Failed:
                screen.WriteError($"error: {OneLine.Of(operation.Cause ?? "it failed without a cause")}");
                return ExitCode.Failed;
            default:
                screen.WriteError($"error: {OneLine.Of(operation.Detail ?? "nobody knows what has become of it")}");
                return ExitCode.Failed;
        }
    }
}
